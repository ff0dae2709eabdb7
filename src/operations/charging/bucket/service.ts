import type { BalanceView } from '#contract'
import { post, postingId } from '#ledger'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { lotId } from '../lots/model.ts'
import { fundsOf, insertLot } from '../lots/store.ts'
import type { Funds } from '../lots/store.ts'
import { MOST_PICO, topupEntries } from '../model.ts'
import { invalidAmount, topupReused } from '../problems.ts'
import { walletOf } from './model.ts'
import {
  availableOf,
  bucketsOfKind,
  insertTopup,
  lockBuckets,
  moveBuckets,
  openWallets,
  topupByReference,
} from './store.ts'
import type { Bucket } from './store.ts'

export interface Topup {
  readonly tenant: string
  readonly amountPico: bigint
  /** The payment's id. Booking it again books nothing. */
  readonly reference: string
}

/**
 * Opens and locks the wallets of several top-ups. Without it, the second top-up of a transaction would wait for a wallet while
 * the first one's posting holds up everybody who posts, and that may be for ever.
 */
export async function lockWallets(tx: Transaction, tenants: readonly string[]): Promise<Bucket[]> {
  const distinct = [...new Set(tenants)]
  await openWallets(tx, distinct)
  return lockBuckets(tx, distinct.map(walletOf))
}

/** The top-up inside a caller's transaction, for changes that are all or nothing. `booked` is false for a repetition. */
export async function topupIn(
  tx: Transaction,
  { tenant, amountPico, reference }: Topup,
  nowMs: number,
): Promise<{ booked: boolean }> {
  if (amountPico <= 0n || amountPico > MOST_PICO) throw invalidAmount({ amount: `${amountPico}` })
  const key = `topup:${reference}`
  const [wallet] = await lockWallets(tx, [tenant])
  if (!wallet) throw new Error(`the wallet of ${tenant} was opened and is not there`)
  const repaidPico = amountPico < wallet.overrun ? amountPico : wallet.overrun
  const row = { reference, tenant, amountPico, repaidPico, postingId: postingId(key), bookedAtMs: nowMs }
  if (!(await insertTopup(tx, row))) {
    const before = await topupByReference(tx, reference)
    if (before?.tenant !== tenant || before.amountPico !== amountPico) throw topupReused({ reference })
    return { booked: false }
  }
  const lotPico = amountPico - repaidPico
  if (lotPico > 0n) await insertLot(tx, paidLot({ wallet, key, lotPico, nowMs }))
  await moveBuckets(tx, [{ id: wallet.id, posted: lotPico, escrowed: 0n, overrun: -repaidPico }])
  const entries = topupEntries(row)
  await post(tx, {
    key,
    kind: 'topup',
    memo: `top-up ${reference}`,
    bookedAtMs: nowMs,
    entries,
    evidence: null,
    facts: 1,
  })
  return { booked: true }
}

/** Cash in a wallet does not expire. */
export function paidLot({
  wallet,
  key,
  lotPico,
  nowMs,
}: {
  wallet: Bucket
  key: string
  lotPico: bigint
  nowMs: number
}) {
  return {
    id: lotId(key, nowMs),
    bucket: wallet.id,
    source: 'paid',
    reference: key,
    granted: lotPico,
    remaining: lotPico,
    priority: wallet.paidPriority,
    // Gateways' clocks may be behind ours, and what is paid may pay for what is being served.
    validFromMs: 0,
    expiresAtMs: null,
    net: 0n,
    recognised: 0n,
    state: 'active',
    createdAtMs: nowMs,
  } as const
}

export async function topup(
  { database, clock }: { database: Database; clock: Clock },
  request: Topup,
): Promise<BalanceView> {
  await database.transaction((tx) => topupIn(tx, request, clock.nowMs()))
  return balance(database, request.tenant)
}

/** A tenant that never had money has a balance of zero. */
export async function balance(db: Queryable, tenant: string): Promise<BalanceView> {
  const [wallet] = await bucketsOfKind(db, 'wallet', tenant)
  const tokens = await bucketsOfKind(db, 'tokens', tenant)
  const funds = await fundsOf(db, tenant)
  return toView(tenant, wallet, tokens, funds)
}

export async function wallets(db: Queryable): Promise<BalanceView[]> {
  const tokens = Map.groupBy(await bucketsOfKind(db, 'tokens'), (bucket) => bucket.tenant)
  const funds = await fundsOf(db)
  return (await bucketsOfKind(db, 'wallet')).map((wallet) =>
    toView(wallet.tenant, wallet, tokens.get(wallet.tenant) ?? [], funds),
  )
}

function toView(
  tenant: string,
  wallet: Bucket | undefined,
  tokens: readonly Bucket[],
  funds: ReadonlyMap<string, Funds>,
): BalanceView {
  const own = funds.get(walletOf(tenant))
  return {
    tenant,
    currency: 'CNY',
    postedPico: `${wallet?.posted ?? 0n}`,
    escrowedPico: `${wallet?.escrowed ?? 0n}`,
    availablePico: `${wallet ? availableOf(wallet) : 0n}`,
    creditLimitPico: `${wallet?.creditLimit ?? 0n}`,
    paidPico: `${own?.paid ?? 0n}`,
    giftPico: `${own?.gift ?? 0n}`,
    overrunPico: `${wallet?.overrun ?? 0n}`,
    tokens: tokens.map((bucket) => ({
      table: bucket.unit,
      posted: `${bucket.posted}`,
      escrowed: `${bucket.escrowed}`,
      available: `${availableOf(bucket)}`,
      lots: funds.get(bucket.id)?.lots ?? 0,
      nextExpiryMs: funds.get(bucket.id)?.nextExpiryMs ?? null,
    })),
  }
}
