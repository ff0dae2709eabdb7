import type { InvitationView, OrderView, SubscriptionView } from '#contract'
import type { Queryable } from '#platform/postgres'
import { unknownOrder, unknownSubscription } from './problems.ts'
import { selectInvitations } from './store/invitations.ts'
import { selectMembers } from './store/members.ts'
import { selectOrder, selectOrders, selectWaiting } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { selectSubscription, selectSubscriptionPage, selectSubscriptions } from './store/subscriptions.ts'
import type { Subscription, SubscriptionSearch } from './store/subscriptions.ts'
import { selectTerms } from './store/terms.ts'
import { transitionsOf } from './store/transitions.ts'

export interface Page {
  readonly tenant?: string
  readonly limit: number
  /** Id of the last row of the page before. */
  readonly before?: string
}

export async function orderViews(db: Queryable, orders: readonly Order[]): Promise<OrderView[]> {
  const transitions = await transitionsOf(
    db,
    'order',
    orders.map(({ id }) => id),
  )
  return orders.map((order) => ({
    id: order.id,
    tenant: order.tenant,
    idempotencyKey: order.idempotencyKey,
    action: order.action,
    cause: order.cause,
    offer: order.offer,
    configuration: order.configuration,
    quote: order.quote,
    subscription: order.subscription,
    state: order.state,
    grossPico: `${order.grossPico}`,
    netPico: `${order.netPico}`,
    taxPico: `${order.grossPico - order.netPico}`,
    refundPico: `${order.refundPico}`,
    createdAtMs: order.createdAtMs,
    endedAtMs: order.endedAtMs,
    failure: order.failure,
    transitions: transitions.get(order.id) ?? [],
  }))
}

/** With `tenant`, orders of others do not exist. */
export async function orderById(db: Queryable, id: string, tenant?: string): Promise<OrderView> {
  const order = await selectOrder(db, id)
  const [view] = order && (tenant === undefined || order.tenant === tenant) ? await orderViews(db, [order]) : []
  if (!view) throw unknownOrder({ order: id })
  return view
}

export async function listOrders(db: Queryable, page: Page): Promise<OrderView[]> {
  return orderViews(db, await selectOrders(db, page))
}

export async function subscriptionById(db: Queryable, id: string, tenant?: string): Promise<SubscriptionView> {
  const one = await selectSubscription(db, id)
  const [view] = one && (tenant === undefined || one.tenant === tenant) ? await subscriptionViews(db, [one]) : []
  if (!view) throw unknownSubscription({ subscription: id })
  return view
}

export async function listSubscriptions(db: Queryable, page: Page): Promise<SubscriptionView[]> {
  return subscriptionViews(db, await selectSubscriptions(db, page))
}

/** Of one tenant that was invited, or of all. */
export async function invitationViews(db: Queryable, tenant?: string): Promise<InvitationView[]> {
  const found = await selectInvitations(db, tenant === undefined ? {} : { tenant })
  return found.map(({ atMs, ...rest }) => ({ ...rest, invitedAtMs: atMs }))
}

/** Oldest first. */
export async function subscriptionPage(
  db: Queryable,
  search: SubscriptionSearch,
): Promise<{ readonly subscriptions: SubscriptionView[]; readonly total: number }> {
  const { found, total } = await selectSubscriptionPage(db, search)
  return { subscriptions: await subscriptionViews(db, found), total }
}

async function subscriptionViews(db: Queryable, subscriptions: readonly Subscription[]): Promise<SubscriptionView[]> {
  const ids = subscriptions.map(({ id }) => id)
  const [transitions, terms, members, invitations, waiting] = await Promise.all([
    transitionsOf(db, 'subscription', ids),
    selectTerms(db, ids),
    selectMembers(db, ids),
    selectInvitations(db, { subscriptions: ids }),
    selectWaiting(db, ids),
  ])
  return subscriptions.map(
    ({ id, tenant, offer, configuration, state, startsAtMs, endsAtMs, autoRenew, entitlements }) => {
      const next = waiting.find(({ subscription }) => subscription === id)
      return {
        id,
        tenant,
        offer,
        configuration,
        state,
        startsAtMs,
        endsAtMs,
        autoRenew,
        next: next ? { offer: next.offer, configuration: next.configuration, order: next.id } : null,
        entitlements: [...entitlements],
        members: members.filter(({ subscription }) => subscription === id).map((member) => member.tenant),
        invited: invitations.filter(({ subscription }) => subscription === id).map((each) => each.tenant),
        terms: terms
          .filter(({ subscription }) => subscription === id)
          .map(({ seq, order, offer: of, fromMs, toMs, grossPico, netPico, refundedPico, reference }) => ({
            seq,
            fromMs,
            toMs,
            grossPico: `${grossPico}`,
            netPico: `${netPico}`,
            taxPico: `${grossPico - netPico}`,
            refundedPico: `${refundedPico}`,
            order,
            offer: of,
            feeReference: reference,
          })),
        transitions: transitions.get(id) ?? [],
      }
    },
  )
}
