import type { Entitlement } from '#contract'
import type { Transaction } from '#platform/postgres'
import type { OrderingDeps } from './context.ts'
import type { Priced } from './model/pricing.ts'
import { unusedOf } from './model/term.ts'
import type { Order } from './store/orders.ts'
import { selectLive } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { endTerm, insertTerm } from './store/terms.ts'
import type { Term } from './store/terms.ts'

/**
 * Takes the money for one term and gives what it brings, all within the order's transaction: the fee, lots, reservations, credit.
 * Throws what charging throws, and then nothing of it has happened.
 */
export async function beginTerm(
  tx: Transaction,
  { money, clock }: Pick<OrderingDeps, 'money' | 'clock'>,
  {
    subscription,
    order,
    priced,
    seq,
    before = [],
  }: {
    subscription: Subscription
    order: Order
    priced: Priced
    seq: number
    /** What the term before brought: credit that does not come again is gone. */
    before?: readonly Entitlement[]
  },
): Promise<Term> {
  const { tenant } = subscription
  const { grossPico, taxPercent, fromMs, toMs, entitlements } = priced
  const reference = grossPico > 0n ? `fee:${order.id}` : null
  const memo = `${order.offer} ${order.id}`
  const tables = entitlements.flatMap((one) => (one.kind === 'lot' && one.unit !== 'CNY' ? [one.unit] : []))
  await money.lockAccounts(tx, [{ tenant, tables }])
  if ([...before, ...entitlements].some(({ kind }) => kind === 'credit'))
    await setCredit(tx, money, tenant, entitlements, subscription.id)
  const definitions: string[] = []
  for (const one of entitlements) {
    if (one.kind !== 'reservation') continue
    const { services, window, overflow } = one
    for (const { name, unit, amountPerMinute } of one.dimensions) {
      const id = `throughput:${subscription.id}.${seq}/${name}`
      await money.putDefinition(tx, {
        id,
        tenant,
        kind: 'throughput',
        unit,
        period: 'minute',
        amount: BigInt(amountPerMinute),
        validFromMs: fromMs,
        validToMs: toMs,
        terms: { services, window, overflow },
      })
      definitions.push(id)
    }
  }
  const lots: string[] = []
  for (const one of entitlements) {
    if (one.kind !== 'lot') continue
    const lot = `${order.id}/${lots.length + 1}`
    await money.grantLot(tx, {
      tenant,
      unit: one.unit,
      source: one.source,
      amount: BigInt(one.amount),
      reference: lot,
      priority: one.priority,
      ...(fromMs > clock.nowMs() ? { validFromMs: fromMs } : {}),
      expiresAtMs: toMs,
      netPico: BigInt(one.netPico),
      memo,
    })
    lots.push(lot)
  }
  if (reference !== null) {
    const isPackage = lots.length > 0
    await money.chargeFee(tx, {
      tenant,
      amountPico: grossPico,
      taxPercent,
      reference,
      memo,
      revenue: isPackage ? 'package' : 'reservation',
      ...(isPackage || toMs === null ? {} : { recognise: { fromMs, toMs } }),
    })
  }
  const term: Term = {
    subscription: subscription.id,
    seq,
    order: order.id,
    offer: order.offer,
    fromMs,
    toMs,
    grossPico,
    netPico: priced.netPico,
    refundedPico: 0n,
    reference,
    lots,
    definitions,
    isEnded: false,
  }
  await insertTerm(tx, term)
  return term
}

/**
 * Ends a term before its time: what is left of its lots is cancelled, its reservations stop, and what was not used of its price goes
 * back. Not used is the time that is left, but no more than what is left of its tokens; of a package it is the tokens alone.
 */
export async function giveBack(
  tx: Transaction,
  { money, offerById }: Pick<OrderingDeps, 'money' | 'offerById'>,
  {
    term,

    order,
    atMs,
    refunds,
  }: { term: Term; order: Order; atMs: number; refunds: boolean },
): Promise<bigint> {
  const { offer } = await offerById(tx, term.offer)
  const memo = `${offer.id} ${order.id}`
  await money.lockAccounts(tx, [{ tenant: order.tenant }])
  let refund = offer.kind === 'package' ? term.grossPico : unusedOf(offer, term.grossPico, term, atMs)
  for (const [index, lotReference] of term.lots.entries()) {
    const reference = `${order.id}/${term.seq}/${index + 1}`
    const { granted, remaining } = await money.revokeLot(tx, { lotReference, reference, memo })
    const left = (term.grossPico * remaining) / granted
    if (left < refund) refund = left
  }
  for (const id of term.definitions) await money.endDefinition(tx, { id, atMs: Math.max(atMs, term.fromMs) })
  if (!refunds) refund = 0n
  if (refund > 0n && term.reference !== null)
    await money.refundFee(tx, {
      reference: `refund:${order.id}/${term.seq}`,
      feeReference: term.reference,
      amountPico: refund,
      memo,
    })
  await endTerm(tx, term, refund)
  return refund
}

/** The credit of a tenant is what its live subscriptions bring together with `fresh`; without them, none. */
export async function setCredit(
  tx: Transaction,
  money: OrderingDeps['money'],
  tenant: string,
  fresh: readonly Entitlement[],
  except?: string,
): Promise<void> {
  const live = (await selectLive(tx, tenant)).filter(({ id }) => id !== except)
  const all = [...live.flatMap(({ entitlements }) => entitlements), ...fresh]
  const orderedCreditPico = all.reduce((sum, one) => (one.kind === 'credit' ? sum + BigInt(one.limitPico) : sum), 0n)
  await money.openAccount(tx, { tenant, orderedCreditPico })
}
