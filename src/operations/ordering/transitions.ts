import type { OrderState, SubscriptionState } from '#contract'
import type { Transaction } from '#platform/postgres'
import { ORDER_EDGES, SUBSCRIPTION_EDGES, isFinal, isLegal } from './model/states.ts'
import { illegalTransition } from './problems.ts'
import { updateOrder } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { updateSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { insertTransition } from './store/transitions.ts'
import type { Because } from './store/transitions.ts'

/** The only way in which an order changes: along an edge of its map, and on the record. Returns the order as it is then. */
export async function moveOrder(
  tx: Transaction,
  order: Order,
  to: OrderState,
  because: Because,
  changes: Partial<Pick<Order, 'subscription' | 'grossPico' | 'netPico' | 'refundPico' | 'failure'>> = {},
): Promise<Order> {
  if (!isLegal(ORDER_EDGES, order.state, to))
    throw illegalTransition({ subject: 'order', id: order.id, from: order.state, to })
  const moved = { ...order, ...changes, state: to, endedAtMs: isFinal(ORDER_EDGES, to) ? because.atMs : null }
  await updateOrder(tx, moved)
  await insertTransition(tx, 'order', order.id, { ...because, from: order.state, to })
  return moved
}

/** The only way in which a subscription changes its state. */
export async function moveSubscription(
  tx: Transaction,
  subscription: Subscription,
  to: SubscriptionState,
  because: Because,
): Promise<Subscription> {
  if (!isLegal(SUBSCRIPTION_EDGES, subscription.state, to))
    throw illegalTransition({ subject: 'subscription', id: subscription.id, from: subscription.state, to })
  const moved = { ...subscription, state: to, ...(isFinal(SUBSCRIPTION_EDGES, to) ? { renewAtMs: null } : {}) }
  await updateSubscription(tx, moved)
  await insertTransition(tx, 'subscription', subscription.id, { ...because, from: subscription.state, to })
  return moved
}
