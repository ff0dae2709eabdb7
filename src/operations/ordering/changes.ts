import type { Configuration, Offer } from '#contract'
import { isDeepStrictEqual } from 'node:util'
import { netOfTax, parseYuan, pico } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { Actor, OrderingDeps } from './context.ts'
import { liveSubscription, openTerms } from './endings.ts'
import { beginTerm, giveBack } from './fulfil.ts'
import { priceOf, shareOf } from './model/pricing.ts'
import type { Priced } from './model/pricing.ts'
import { firstTerm, lengthOf, unusedOf, usedUntil } from './model/term.ts'
import type { Span } from './model/term.ts'
import { cancelWaiting, nextAttempt } from './orders.ts'
import type { CarryOut } from './place.ts'
import { cannotChange } from './problems.ts'
import { checkConfiguration, checkCount, want } from './quotes.ts'
import { selectWaiting } from './store/orders.ts'
import { updateSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { selectTerms } from './store/terms.ts'
import type { Term } from './store/terms.ts'
import { moveOrder } from './transitions.ts'

/**
 * Changes what a subscription is. What costs more per term begins at once: the old term's unused part is refunded, the new one's is
 * charged, and the end stays where it was (a term of another length begins anew). What costs the same or less waits for the next
 * term, as an order that can be cancelled until then.
 */
export async function changeSubscription<Result>(
  deps: OrderingDeps,
  request: {
    tenant: string
    subscription: string
    idempotencyKey: string
    offer?: string | undefined
    configuration?: Configuration | undefined
  },
  actor: Actor,
  carryOut: CarryOut<Result>,
): Promise<Result> {
  const { tenant, subscription: id, idempotencyKey } = request
  const asked = { change: id, offer: request.offer, configuration: request.configuration }
  return carryOut(deps, { tenant, idempotencyKey, asked, actor }, async (tx) => {
    const subscription = await liveSubscription(tx, id, tenant)
    const nowMs = deps.clock.nowMs()
    const { offer: old } = await deps.offerById(tx, subscription.offer)
    const offer = request.offer ?? old.id
    const configuration = request.configuration ?? (offer === old.id ? subscription.configuration : {})
    const wanted =
      offer === old.id
        ? { offer: old, configuration, tenant }
        : await want(tx, deps, { tenant, offer, configuration }, actor)
    const refuse = (reason: string) => cannotChange({ subscription: id, reason })
    if (wanted.offer.kind !== old.kind) throw refuse(`is a ${old.kind} and cannot become a ${wanted.offer.kind}`)
    if (old.kind === 'package' || old.kind === 'postpaid')
      throw refuse(`is a ${old.kind}, which does not change: order another one`)
    checkConfiguration(wanted.offer, configuration)
    if (offer === old.id && isDeepStrictEqual(configuration, subscription.configuration)) throw refuse('is so already')
    if (givesMoreCredit(old, wanted.offer) && !actor.isOperator)
      throw refuse('would get more credit, which only an operator gives')
    if (offer !== old.id) {
      if (wanted.offer.approval === 'operator' && !actor.isOperator)
        throw refuse('would need an approval: order it instead')
      await checkCount(tx, wanted)
    }
    const [current, ...later] = await openTerms(tx, id, nowMs)
    if (!current || current.toMs === null) throw refuse('has no term that is running')
    const isUpgrade =
      perMillisecond(wanted.offer, configuration, nowMs) > perMillisecond(old, subscription.configuration, nowMs)
    if (!isUpgrade && !subscription.autoRenew)
      throw refuse('does not renew, so nothing cheaper would follow: let it run out')
    // One change waits at a time: a later wish takes the place of an earlier one.
    if (!isUpgrade)
      for (const waiting of await selectWaiting(tx, [id]))
        await cancelWaiting(tx, waiting, { atMs: nowMs, by: actor.by, reason: 'another change takes its place' })
    return {
      action: 'modify',
      cause: 'change',
      offer,
      configuration,
      quote: null,
      subscription: id,
      reason: isUpgrade ? `more than ${old.id}` : `less than ${old.id}`,
      when: isUpgrade ? 'now' : 'end of term',
      async act(inner, order) {
        const because = { atMs: deps.clock.nowMs(), by: actor.by, reason: `order ${order.id}` }
        for (const waiting of await selectWaiting(inner, [id])) await cancelWaiting(inner, waiting, because)
        let refundPico = 0n
        for (const term of [...later.toReversed(), current])
          refundPico += await giveBack(inner, deps, { term, order, atMs: nowMs, refunds: true })
        const isSameLength = isDeepStrictEqual(
          lengthOf(old, subscription.configuration),
          lengthOf(wanted.offer, configuration),
        )
        const priced = isSameLength
          ? restOf(wanted.offer, configuration, await wholeOf(inner, current), nowMs)
          : priceOf(wanted.offer, configuration, firstTerm(wanted.offer, configuration, nowMs))
        const seq = Math.max(current.seq, ...later.map((term) => term.seq)) + 1
        const changed: Subscription = {
          ...subscription,
          offer,
          configuration,
          entitlements: priced.entitlements,
          anchorMs: isSameLength ? subscription.anchorMs : nowMs,
          endsAtMs: priced.toMs,
          attempts: 0,
          renewAtMs: subscription.autoRenew ? nextAttempt(priced, nowMs) : null,
        }
        await updateSubscription(inner, changed)
        await beginTerm(inner, deps, { subscription: changed, order, priced, seq, before: subscription.entitlements })
        return moveOrder(inner, order, 'completed', because, {
          grossPico: priced.grossPico,
          netPico: priced.netPico,
          refundPico,
        })
      },
    }
  })
}

/** The whole term that a change cut short: prices are for all of it, however often it was changed since. */
async function wholeOf(tx: Transaction, { subscription, fromMs, toMs }: Term): Promise<Span> {
  const parts = (await selectTerms(tx, [subscription])).filter((term) => term.toMs === toMs)
  return { fromMs: Math.min(fromMs, ...parts.map((term) => term.fromMs)), toMs }
}

function givesMoreCredit(old: Offer, fresh: Offer): boolean {
  const credit = (offer: Offer) => ('creditLimitYuan' in offer ? parseYuan(offer.creditLimitYuan ?? '0') : 0n)
  return credit(fresh) > credit(old)
}

/** What is left of a term at another price: the days or minutes that have begun are paid at the old one. */
function restOf(offer: Offer, configuration: Configuration, { fromMs, toMs }: Span, atMs: number): Priced {
  const whole = priceOf(offer, configuration, { fromMs, toMs })
  const grossPico = unusedOf(offer, whole.grossPico, { fromMs, toMs }, atMs)
  const netPico = netOfTax(pico(grossPico), offer.taxPercent)
  const leftMs = BigInt((toMs ?? 0) - usedUntil(offer, { fromMs, toMs }, atMs))
  return {
    ...whole,
    fromMs: atMs,
    grossPico,
    netPico,
    taxPico: grossPico - netPico,
    entitlements: shareOf(whole.entitlements, netPico, leftMs, BigInt((toMs ?? 0) - fromMs)),
  }
}

/** What it costs by time, so that terms of different lengths compare. Scaled so that no digit that matters is cut off. */
function perMillisecond(offer: Offer, configuration: Configuration, nowMs: number): bigint {
  const { grossPico, fromMs, toMs } = priceOf(offer, configuration, firstTerm(offer, configuration, nowMs))
  return toMs === null || toMs <= fromMs ? 0n : (grossPico * 1_000_000n) / BigInt(toMs - fromMs)
}
