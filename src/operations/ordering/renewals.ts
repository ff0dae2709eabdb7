import type { Transaction } from '#platform/postgres'
import { THE_FACTORY } from './context.ts'
import type { OrderingDeps } from './context.ts'
import { endSubscription } from './endings.ts'
import { beginTerm } from './fulfil.ts'
import { priceOf } from './model/pricing.ts'
import { firstTerm, lengthOf, nextTerm } from './model/term.ts'
import type { Span } from './model/term.ts'
import { cancelWaiting, nextAttempt } from './orders.ts'
import { place } from './place.ts'
import { selectWaiting } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { lockDesk } from './store/quotes.ts'
import { selectEnded, selectRenewals, selectSubscription, updateSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { selectTerms } from './store/terms.ts'
import { moveOrder } from './transitions.ts'

const MOST_ATTEMPTS = 4
/** How many subscriptions one round of a job looks at; the next round takes the rest. */
const BATCH = 500

/** Renews what is due. Each renewal is an order of its own; one that fails keeps nobody else from being renewed. */
export async function renewDue(deps: OrderingDeps): Promise<{ renewed: number; failed: number }> {
  let renewed = 0
  let failed = 0
  for (const due of await selectRenewals(deps.database, deps.clock.nowMs(), BATCH)) {
    try {
      const order = await renew(deps, due)
      if (order?.state === 'completed') renewed += 1
      if (order?.state === 'failed') failed += 1
    } catch (error) {
      failed += 1
      deps.log.error({ err: error, subscription: due.id }, 'a renewal could not be tried')
    }
  }
  return { renewed, failed }
}

/** Somebody else was faster, or it is no longer wanted. */
class NotDue extends Error {
  override readonly name = 'NotDue'
}

/** One attempt, named by the moment it was due, so that two processes that try at once make one. Undefined: not due any more. */
async function renew(deps: OrderingDeps, seen: Subscription): Promise<Order | undefined> {
  const { id, tenant, renewAtMs } = seen
  const intent = { tenant, idempotencyKey: `renewal:${id}@${renewAtMs ?? 0}`, asked: { renew: id }, actor: THE_FACTORY }
  try {
    const order = await place(deps, intent, async (tx) => {
      const subscription = await selectSubscription(tx, id)
      if (subscription?.state !== 'active' || subscription.renewAtMs !== renewAtMs) throw new NotDue()
      const [waiting] = await selectWaiting(tx, [id])
      const seq = ((await selectTerms(tx, [id])).at(-1)?.seq ?? 0) + 1
      const { offer, configuration } = waiting ?? subscription
      return {
        action: 'modify',
        cause: 'renewal',
        offer,
        configuration,
        quote: null,
        subscription: id,
        reason: `attempt ${subscription.attempts + 1} to pay term ${seq}`,
        when: 'now',
        act: (inner, placed) => nextTermOf(inner, deps, subscription, placed, seq, waiting),
      }
    })
    if (order.state === 'failed') await afterFailure(deps, seen)
    return order
  } catch (error) {
    if (error instanceof NotDue) return undefined
    throw error
  }
}

async function nextTermOf(
  tx: Transaction,
  deps: OrderingDeps,
  subscription: Subscription,
  order: Order,
  seq: number,
  waiting: Order | undefined,
): Promise<Order> {
  const nowMs = deps.clock.nowMs()
  const because = { atMs: nowMs, by: THE_FACTORY.by, reason: `renewal ${order.id}` }
  const { offer } = await deps.offerById(tx, order.offer)
  const span = following(subscription, nowMs, (anchorMs, endedMs) =>
    endedMs === null
      ? firstTerm(offer, order.configuration, nowMs)
      : nextTerm(lengthOf(offer, order.configuration), anchorMs, endedMs),
  )
  const priced = priceOf(offer, order.configuration, span)
  const renewed: Subscription = {
    ...subscription,
    offer: order.offer,
    configuration: order.configuration,
    entitlements: priced.entitlements,
    anchorMs: isOver(subscription, nowMs) ? nowMs : subscription.anchorMs,
    endsAtMs: span.toMs,
    attempts: 0,
    renewAtMs: nextAttempt(span, nowMs),
  }
  await updateSubscription(tx, renewed)
  await beginTerm(tx, deps, { subscription: renewed, order, priced, seq, before: subscription.entitlements })
  if (waiting) await moveOrder(tx, await moveOrder(tx, waiting, 'inProgress', because), 'completed', because)
  return moveOrder(tx, order, 'completed', because, { grossPico: priced.grossPico, netPico: priced.netPico })
}

/** A term follows the one before. Where we came too late for that, it begins now: nobody pays for time that was not served. */
function following(
  subscription: Subscription,
  nowMs: number,
  term: (anchorMs: number, endedMs: number | null) => Span,
): Span {
  return isOver(subscription, nowMs) ? term(nowMs, null) : term(subscription.anchorMs, subscription.endsAtMs)
}

function isOver({ endsAtMs }: Subscription, nowMs: number): boolean {
  return endsAtMs === null || endsAtMs <= nowMs
}

/** After the fourth attempt nothing more is tried, and the subscription runs out. */
async function afterFailure(deps: OrderingDeps, seen: Subscription): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockDesk(tx, seen.tenant)
    const subscription = await selectSubscription(tx, seen.id)
    if (!subscription || subscription.renewAtMs !== seen.renewAtMs) return
    const attempts = subscription.attempts + 1
    const term = (await selectTerms(tx, [seen.id])).at(-1)
    const renewAtMs = term && attempts < MOST_ATTEMPTS ? nextAttempt(term, deps.clock.nowMs()) : null
    await updateSubscription(tx, { ...subscription, attempts, renewAtMs })
  })
}

/** Ends what has run out. */
export async function endDue(deps: OrderingDeps): Promise<{ ended: number }> {
  let ended = 0
  for (const due of await selectEnded(deps.database, deps.clock.nowMs(), BATCH)) {
    try {
      await deps.database.transaction(async (tx) => {
        await lockDesk(tx, due.tenant)
        const nowMs = deps.clock.nowMs()
        const subscription = await selectSubscription(tx, due.id)
        if (!subscription || subscription.endsAtMs === null || subscription.endsAtMs > nowMs) return
        if (subscription.state !== 'active' && subscription.state !== 'suspended') return
        const because = { atMs: nowMs, by: THE_FACTORY.by, reason: 'its last paid term is over' }
        for (const waiting of await selectWaiting(tx, [due.id])) await cancelWaiting(tx, waiting, because)
        await endSubscription(tx, deps, subscription, because)
        ended += 1
      })
    } catch (error) {
      deps.log.error({ err: error, subscription: due.id }, 'a subscription could not be ended')
    }
  }
  return { ended }
}
