import type {
  ArrearsView,
  CancelRequest,
  ChangeRequest,
  Configuration,
  InvitationView,
  OrderView,
  QuoteView,
  SubscriptionView,
} from '#contract'
import type * as z from 'zod'
import { withRetries } from '#platform/postgres'
import type { Transaction } from '#platform/postgres'
import { ageArrears, arrearsViews, clearOverdue, setOverdue } from './arrears.ts'
import { changeSubscription } from './changes.ts'
import type { Actor, OrderingDeps } from './context.ts'
import { cancelSubscription, liveSubscription } from './endings.ts'
import { acceptInvitation, addMember, leave, removeMember } from './members.ts'
import type { Debt } from './arrears.ts'
import { isRenewable } from './model/term.ts'
import { approveOrder, cancelOrder, nextAttempt, orderNew, rejectOrder } from './orders.ts'
import type { OrderRequestOf } from './orders.ts'
import { cannotChange } from './problems.ts'
import { place, rehearse } from './place.ts'
import { makeQuote, quoteById } from './quotes.ts'
import { endDue, renewDue } from './renewals.ts'
import type { Order } from './store/orders.ts'
import { lockDesk } from './store/quotes.ts'
import { updateSubscription } from './store/subscriptions.ts'
import type { SubscriptionSearch } from './store/subscriptions.ts'
import { selectTerms } from './store/terms.ts'
import {
  invitationViews,
  listOrders,
  listSubscriptions,
  orderById,
  subscriptionById,
  subscriptionPage,
} from './views.ts'
import type { Page } from './views.ts'

/** Amounts are decimal strings of whole pico-yuan, times milliseconds since 1970. `tenant` in the last place: of others nothing exists. */
export interface Ordering {
  /** An exact price, what it brings and until when; holds for 15 minutes. */
  quote(request: { tenant: string; offer: string; configuration: Configuration }, actor: Actor): Promise<QuoteView>
  quoteById(id: string, tenant?: string): Promise<QuoteView>
  /** Once per tenant and idempotency key. What charging refuses makes an order that is `failed`, and nothing else. */
  order(request: OrderRequestOf, actor: Actor): Promise<OrderView>
  approve(id: string, actor: Actor, reason: string): Promise<OrderView>
  reject(id: string, actor: Actor, reason: string): Promise<OrderView>
  /** Takes back a change that waits for the end of a term. */
  cancelOrder(id: string, actor: Actor, reason: string, tenant?: string): Promise<OrderView>
  orders(page: Page): Promise<OrderView[]>
  orderById(id: string, tenant?: string): Promise<OrderView>
  subscriptions(page: Page): Promise<SubscriptionView[]>
  /** Oldest first, and how many there are in all. */
  subscriptionPage(
    search: SubscriptionSearch,
  ): Promise<{ readonly subscriptions: readonly SubscriptionView[]; readonly total: number }>
  subscriptionById(id: string, tenant?: string): Promise<SubscriptionView>
  /** With `dryRun`, this and `change` answer the order that it would be; nothing stays of it, and what would fail is thrown. */
  cancel(
    request: z.output<typeof CancelRequest> & { tenant: string; subscription: string },
    actor: Actor,
  ): Promise<OrderView>
  change(
    request: z.output<typeof ChangeRequest> & { tenant: string; subscription: string },
    actor: Actor,
  ): Promise<OrderView>
  /** Whether it renews itself when its term ends. */
  setAutoRenew(request: { tenant: string; subscription: string; autoRenew: boolean }): Promise<SubscriptionView>
  /** An operator's word holds at once; another's is an invitation. */
  addMember(request: { tenant: string; subscription: string; member: string }, actor: Actor): Promise<SubscriptionView>
  /** Throws `not_invited`. */
  acceptInvitation(request: { subscription: string; member: string }): Promise<void>
  /** Declines an invitation, or ends a share from the member's side. Throws `not_invited`. */
  leave(request: { subscription: string; member: string }): Promise<void>
  /** Invitations that were not answered, of one who was invited or of all. */
  invitations(tenant?: string): Promise<InvitationView[]>
  removeMember(request: { tenant: string; subscription: string; member: string }): Promise<SubscriptionView>
  /** For who sends invoices: within its transaction, says what is overdue and what is paid. */
  readonly arrears: {
    setOverdue(tx: Transaction, debt: Debt & { readonly sinceMs: number; readonly by: string }): Promise<void>
    clear(tx: Transaction, debt: Debt & { readonly by: string }): Promise<void>
    list(tenant?: string): Promise<ArrearsView[]>
  }
  /** What time alone brings about: renewals, ends, arrears. May be called as often as one likes, by several at once. */
  runDue(): Promise<{ renewed: number; failed: number; ended: number; arrears: number }>
}

export function createOrdering(options: OrderingDeps): Ordering {
  const deps = { ...options, database: withRetries(options.database) }
  const { database, clock } = deps
  const view = async (order: Promise<Order>): Promise<OrderView> => orderById(database, (await order).id)
  return {
    quote: (request, actor) => makeQuote(deps, request, actor),
    quoteById: (id, tenant) => quoteById(deps, id, tenant),
    order: (request, actor) => view(orderNew(deps, request, actor)),
    approve: (id, actor, reason) => view(approveOrder(deps, id, actor, reason)),
    reject: (id, actor, reason) => view(rejectOrder(deps, id, actor, reason)),
    cancelOrder: (id, actor, reason, tenant) => view(cancelOrder(deps, id, actor, reason, tenant)),
    orders: (page) => listOrders(database, page),
    orderById: (id, tenant) => orderById(database, id, tenant),
    subscriptions: (page) => listSubscriptions(database, page),
    subscriptionPage: (search) => subscriptionPage(database, search),
    subscriptionById: (id, tenant) => subscriptionById(database, id, tenant),
    cancel: (request, actor) =>
      request.dryRun
        ? cancelSubscription(deps, request, actor, rehearse)
        : view(cancelSubscription(deps, request, actor, place)),
    change: (request, actor) =>
      request.dryRun
        ? changeSubscription(deps, request, actor, rehearse)
        : view(changeSubscription(deps, request, actor, place)),
    async setAutoRenew({ tenant, subscription: id, autoRenew }) {
      await database.transaction(async (tx) => {
        await lockDesk(tx, tenant)
        const subscription = await liveSubscription(tx, id, tenant)
        const { offer } = await deps.offerById(tx, subscription.offer)
        if (autoRenew && !isRenewable(offer)) throw cannotChange({ subscription: id, reason: 'does not renew' })
        if (subscription.autoRenew === autoRenew) return
        const term = (await selectTerms(tx, [id])).at(-1)
        // Where all moments for it are over, it is tried once, now.
        const renewAtMs = autoRenew && term ? (nextAttempt(term, clock.nowMs()) ?? clock.nowMs()) : null
        await updateSubscription(tx, { ...subscription, autoRenew, renewAtMs, attempts: 0 })
      })
      return subscriptionById(database, id, tenant)
    },
    async addMember(request, actor) {
      await addMember(deps, request, actor)
      return subscriptionById(database, request.subscription, request.tenant)
    },
    async removeMember(request) {
      await removeMember(deps, request)
      return subscriptionById(database, request.subscription, request.tenant)
    },
    acceptInvitation: (request) => acceptInvitation(deps, request),
    leave: (request) => leave(deps, request),
    invitations: (tenant) => invitationViews(database, tenant),
    arrears: {
      setOverdue: (tx, debt) => setOverdue(tx, deps, debt),
      clear: (tx, debt) => clearOverdue(tx, deps, debt),
      list: (tenant) => arrearsViews(database, tenant),
    },
    async runDue() {
      // Renewals first: what could still be renewed does not end.
      const { renewed, failed } = await renewDue(deps)
      const { ended } = await endDue(deps)
      const { changed } = await ageArrears(deps)
      return { renewed, failed, ended, arrears: changed }
    },
  }
}
