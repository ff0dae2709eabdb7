import type { Transaction } from '#platform/postgres'
import type { Actor, OrderingDeps } from './context.ts'
import { giveBack, setCredit } from './fulfil.ts'
import { cancelWaiting } from './orders.ts'
import type { CarryOut } from './place.ts'
import { cannotChange, unknownSubscription } from './problems.ts'
import { deleteInvitations } from './store/invitations.ts'
import { endMember, isSharedOtherwise, selectMembers } from './store/members.ts'
import { selectWaiting } from './store/orders.ts'
import { selectSubscription, updateSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'
import { selectTerms } from './store/terms.ts'
import type { Term } from './store/terms.ts'
import type { Because } from './store/transitions.ts'
import { moveOrder, moveSubscription } from './transitions.ts'

/** Under the desk's lock. With `tenant`, subscriptions of others do not exist. */
export async function liveSubscription(tx: Transaction, id: string, tenant: string): Promise<Subscription> {
  const subscription = await selectSubscription(tx, id)
  if (!subscription || subscription.tenant !== tenant) throw unknownSubscription({ subscription: id })
  if (subscription.state !== 'active' && subscription.state !== 'suspended')
    throw cannotChange({ subscription: id, reason: `is ${subscription.state}` })
  return subscription
}

/** Paid terms that are running or to come. */
export async function openTerms(tx: Transaction, subscription: string, nowMs: number): Promise<Term[]> {
  const terms = await selectTerms(tx, [subscription])
  return terms.filter(({ isEnded, toMs }) => !isEnded && (toMs === null || toMs > nowMs))
}

/**
 * Ends a subscription. At once: what was not used is refunded where the offer says so, and a term that was paid and has not begun
 * always. At the end of the term: it just does not renew.
 */
export async function cancelSubscription<Result>(
  deps: OrderingDeps,
  request: { tenant: string; subscription: string; idempotencyKey: string; when: 'now' | 'end'; reason: string },
  actor: Actor,
  carryOut: CarryOut<Result>,
): Promise<Result> {
  const { tenant, subscription: id, idempotencyKey, when, reason } = request
  return carryOut(deps, { tenant, idempotencyKey, asked: { cancel: id, when }, actor }, async (tx) => {
    const subscription = await liveSubscription(tx, id, tenant)
    const { offer } = await deps.offerById(tx, subscription.offer)
    if (when === 'now' && offer.refund === 'none' && subscription.endsAtMs !== null && !actor.isOperator)
      throw cannotChange({ subscription: id, reason: 'is not refunded when it is ended early: let it run out instead' })
    return {
      action: 'delete',
      cause: 'cancellation',
      offer: offer.id,
      configuration: subscription.configuration,
      quote: null,
      subscription: id,
      reason,
      when: 'now',
      async act(inner, order) {
        const because = { atMs: deps.clock.nowMs(), by: actor.by, reason }
        for (const waiting of await selectWaiting(inner, [id])) await cancelWaiting(inner, waiting, because)
        if (when === 'end') {
          await updateSubscription(inner, { ...subscription, autoRenew: false, renewAtMs: null })
          return moveOrder(inner, order, 'completed', because)
        }
        let refundPico = 0n
        for (const term of (await openTerms(inner, id, because.atMs)).toReversed()) {
          const refunds = offer.refund === 'unused' || term.fromMs > because.atMs
          refundPico += await giveBack(inner, deps, { term, order, atMs: because.atMs, refunds })
        }
        await endSubscription(inner, deps, { ...subscription, endsAtMs: because.atMs }, because)
        return moveOrder(inner, order, 'completed', because, { refundPico })
      },
    }
  })
}

/** The last steps of every subscription, however it came to its end. */
export async function endSubscription(
  tx: Transaction,
  deps: Pick<OrderingDeps, 'money'>,
  subscription: Subscription,
  because: Because,
): Promise<void> {
  const { id, tenant, entitlements } = subscription
  await deleteInvitations(tx, id)
  for (const { tenant: member } of await selectMembers(tx, [id]))
    await unshare(tx, deps, subscription, member, because.atMs)
  if (entitlements.some(({ kind }) => kind === 'credit')) await setCredit(tx, deps.money, tenant, [], id)
  const ending = await moveSubscription(tx, subscription, 'pendingTerminate', because)
  await moveSubscription(tx, ending, 'terminated', because)
}

/** A member stays one while another subscription of the same owner has it as a member. */
export async function unshare(
  tx: Transaction,
  { money }: Pick<OrderingDeps, 'money'>,
  { id, tenant: owner }: Subscription,
  member: string,
  atMs: number,
): Promise<void> {
  await endMember(tx, id, member, atMs)
  if (!(await isSharedOtherwise(tx, owner, member, id))) await money.endShare(tx, { owner, member, atMs })
}
