import type { OrderState, SubscriptionState } from '#contract'

/**
 * TMF622: which states of an order may follow which. `acknowledged` waits for an operator where an offer wants approval, `pending`
 * for the end of a term.
 */
export const ORDER_EDGES: Readonly<Record<OrderState, readonly OrderState[]>> = {
  acknowledged: ['rejected', 'pending', 'held', 'inProgress'],
  rejected: [],
  pending: ['inProgress', 'assessingCancellation'],
  held: ['inProgress', 'assessingCancellation'],
  inProgress: ['completed', 'failed', 'partial', 'assessingCancellation'],
  assessingCancellation: ['inProgress', 'pendingCancellation'],
  pendingCancellation: ['cancelled'],
  cancelled: [],
  completed: [],
  failed: [],
  partial: [],
}

/** TMF637: which states of a product may follow which. Where its end begins, it is `pendingTerminate` first. */
export const SUBSCRIPTION_EDGES: Readonly<Record<SubscriptionState, readonly SubscriptionState[]>> = {
  created: ['pendingActive', 'cancelled', 'aborted'],
  pendingActive: ['active', 'cancelled', 'aborted'],
  active: ['suspended', 'pendingTerminate'],
  suspended: ['active', 'pendingTerminate'],
  pendingTerminate: ['terminated'],
  cancelled: [],
  terminated: [],
  aborted: [],
}

/** Whether one state may follow another; a state never follows itself. */
export function isLegal<State extends string>(
  edges: Readonly<Record<State, readonly State[]>>,
  from: State,
  to: State,
): boolean {
  return edges[from].includes(to)
}

/** States that nothing follows. */
export function isFinal<State extends string>(edges: Readonly<Record<State, readonly State[]>>, state: State): boolean {
  return edges[state].length === 0
}
