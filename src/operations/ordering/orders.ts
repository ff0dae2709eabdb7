import type { Configuration, Offer } from '#contract'
import type { Transaction } from '#platform/postgres'
import { failureOf } from './context.ts'
import type { Actor, OrderingDeps } from './context.ts'
import { beginTerm } from './fulfil.ts'
import { newId } from './ids.ts'
import { isRenewable, renewalAttempts } from './model/term.ts'
import { ActFailed, place } from './place.ts'
import { illegalTransition, unknownOrder } from './problems.ts'
import { checkCount, want, wantPromised, wantQuoted } from './quotes.ts'
import type { Wanted } from './quotes.ts'
import { selectOrder } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { lockDesk } from './store/quotes.ts'
import { insertSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { insertTransition } from './store/transitions.ts'
import { moveOrder, moveSubscription } from './transitions.ts'

export interface OrderRequestOf {
  readonly tenant: string
  readonly idempotencyKey: string
  readonly quote?: string | undefined
  readonly offer?: string | undefined
  readonly configuration?: Configuration | undefined
}

/** Orders something new. */
export async function orderNew(deps: OrderingDeps, request: OrderRequestOf, actor: Actor): Promise<Order> {
  const { tenant, idempotencyKey, quote, offer = '', configuration = {} } = request
  const asked = quote === undefined ? { offer, configuration } : { quote }
  return place(deps, { tenant, idempotencyKey, asked, actor }, async (tx) => {
    const wanted =
      quote === undefined
        ? await want(tx, deps, { tenant, offer, configuration }, actor)
        : await wantQuoted(tx, deps, { quote, tenant }, actor)
    await checkCount(tx, wanted)
    return {
      action: 'add',
      cause: 'order',
      offer: wanted.offer.id,
      configuration: wanted.configuration,
      quote: wanted.quote,
      subscription: null,
      reason: quote === undefined ? 'ordered' : `ordered from the quote ${quote}`,
      when: needsApproval(wanted.offer) && !actor.isOperator ? 'approval' : 'now',
      priced: wanted.priced,
      act: (inner, order) => deliver(inner, deps, order, wanted, actor),
    }
  })
}

/** Credit is given by people: who would borrow cannot say yes to it. */
function needsApproval(offer: Offer): boolean {
  const givesCredit = (offer.kind === 'plan' || offer.kind === 'postpaid') && offer.creditLimitYuan !== null
  return offer.approval === 'operator' || givesCredit
}

/** From `inProgress` to `completed`: a subscription, its first term, and all that it brings. */
async function deliver(
  tx: Transaction,
  deps: OrderingDeps,
  order: Order,
  { tenant, offer, configuration, priced }: Wanted,
  { by }: Actor,
): Promise<Order> {
  const atMs = deps.clock.nowMs()
  const because = { atMs, by, reason: `order ${order.id}` }
  const autoRenew = isRenewable(offer) && (configuration.autoRenew ?? offer.kind === 'plan')
  const fresh: Subscription = {
    id: newId('sub', atMs),
    tenant,
    offer: offer.id,
    configuration,
    entitlements: priced.entitlements,
    state: 'created',
    anchorMs: priced.fromMs,
    startsAtMs: priced.fromMs,
    endsAtMs: priced.toMs,
    autoRenew,
    attempts: 0,
    renewAtMs: autoRenew ? nextAttempt(priced, atMs) : null,
  }
  await insertSubscription(tx, fresh, atMs)
  await insertTransition(tx, 'subscription', fresh.id, { ...because, from: null, to: fresh.state })
  const pending = await moveSubscription(tx, fresh, 'pendingActive', because)
  await beginTerm(tx, deps, { subscription: pending, order, priced, seq: 1 })
  await moveSubscription(tx, pending, 'active', because)
  return moveOrder(tx, order, 'completed', because, {
    subscription: fresh.id,
    grossPico: priced.grossPico,
    netPico: priced.netPico,
  })
}

/** When the next renewal of a term is tried, from now on; null: all moments for it are over. */
export function nextAttempt(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number | null },
  nowMs: number,
): number | null {
  if (toMs === null) return null
  return renewalAttempts({ fromMs, toMs }).find((time) => time > nowMs) ?? null
}

/** An operator lets an order go ahead that waits for it, at the price that it was ordered at. What then cannot be done makes it fail. */
export async function approveOrder(deps: OrderingDeps, id: string, actor: Actor, reason: string): Promise<Order> {
  const { database, clock } = deps
  const attempt = (failure: Order['failure']) =>
    database.transaction(async (tx) => {
      const order = await lockedOrder(tx, id)
      if (order.state !== 'acknowledged')
        throw illegalTransition({ subject: 'order', id, from: order.state, to: 'inProgress' })
      const because = { atMs: clock.nowMs(), by: actor.by, reason }
      const begun = await moveOrder(tx, order, 'inProgress', because)
      if (failure) return moveOrder(tx, begun, 'failed', { ...because, reason: failure.detail }, { failure })
      try {
        const wanted = await wantPromised(tx, deps, order, actor)
        return await deliver(tx, deps, begun, wanted, actor)
      } catch (error) {
        throw new ActFailed(error)
      }
    })
  try {
    return await attempt(null)
  } catch (error) {
    if (!(error instanceof ActFailed)) throw error
    const failure = failureOf(error.cause)
    if (!failure) throw error.cause
    return attempt(failure)
  }
}

/** An operator says no to an order that waits for it. */
export async function rejectOrder(deps: OrderingDeps, id: string, actor: Actor, reason: string): Promise<Order> {
  return deps.database.transaction(async (tx) => {
    const order = await lockedOrder(tx, id)
    const because = { atMs: deps.clock.nowMs(), by: actor.by, reason }
    return moveOrder(tx, order, 'rejected', because, { failure: { code: 'rejected', detail: reason } })
  })
}

/** Takes back an order that waits for the end of a term. With `tenant`, orders of others do not exist. */
export async function cancelOrder(
  deps: OrderingDeps,
  id: string,
  actor: Actor,
  reason: string,
  tenant?: string,
): Promise<Order> {
  return deps.database.transaction(async (tx) => {
    const order = await lockedOrder(tx, id, tenant)
    return cancelWaiting(tx, order, { atMs: deps.clock.nowMs(), by: actor.by, reason })
  })
}

export async function cancelWaiting(
  tx: Transaction,
  order: Order,
  because: { readonly atMs: number; readonly by: string; readonly reason: string },
): Promise<Order> {
  // Only what has not begun can still be taken back: an order in progress ends in the transaction that began it.
  if (order.state !== 'pending')
    throw illegalTransition({ subject: 'order', id: order.id, from: order.state, to: 'cancelled' })
  const assessed = await moveOrder(tx, order, 'assessingCancellation', because)
  return moveOrder(tx, await moveOrder(tx, assessed, 'pendingCancellation', because), 'cancelled', because)
}

async function lockedOrder(tx: Transaction, id: string, tenant?: string): Promise<Order> {
  const seen = await selectOrder(tx, id)
  if (!seen || (tenant !== undefined && seen.tenant !== tenant)) throw unknownOrder({ order: id })
  await lockDesk(tx, seen.tenant)
  const order = await selectOrder(tx, id)
  if (!order) throw unknownOrder({ order: id })
  return order
}
