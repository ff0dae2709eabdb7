import { unknownTenant } from '#identity'
import type { Transaction } from '#platform/postgres'
import type { Actor, OrderingDeps } from './context.ts'
import { liveSubscription, unshare } from './endings.ts'
import { cannotChange, notInvited } from './problems.ts'
import { insertMember, selectMembers } from './store/members.ts'
import { deleteInvitation, insertInvitation, selectInvitations } from './store/invitations.ts'
import { lockDesk } from './store/quotes.ts'
import { selectSubscription } from './store/subscriptions.ts'
import type { Subscription } from './store/subscriptions.ts'

interface Membership {
  /** The owner. */
  readonly tenant: string
  readonly subscription: string
  readonly member: string
}

/**
 * Lets another tenant pay with the owner's wallet and tokens, as far as the offer allows: a family, departments. What an operator says
 * holds at once; a tenant invites, because nobody's requests are paid from somewhere else without its consent.
 */
export async function addMember(
  deps: OrderingDeps,
  { tenant, subscription: id, member }: Membership,
  actor: Actor,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockDesk(tx, tenant)
    const subscription = await liveSubscription(tx, id, tenant)
    const { offer } = await deps.offerById(tx, subscription.offer)
    const most = 'maxMembers' in offer ? offer.maxMembers : 0
    const members = (await selectMembers(tx, [id])).map((row) => row.tenant)
    if (members.includes(member)) return
    const invited = (await selectInvitations(tx, { subscription: id })).map((row) => row.tenant)
    if (member === tenant) throw cannotChange({ subscription: id, reason: `belongs to ${member} already` })
    const others = members.length + invited.filter((each) => each !== member).length
    if (others >= most)
      throw cannotChange({ subscription: id, reason: `may be shared with ${most} tenants, and is with ${others}` })
    if (!(await deps.identity.tenant(tx, member))) throw unknownTenant({ tenant: member })
    const atMs = deps.clock.nowMs()
    if (actor.isOperator) await share(tx, deps, subscription, member, atMs)
    else if (!invited.includes(member))
      await insertInvitation(tx, { subscription: id, tenant: member, atMs, by: actor.by })
  })
}

/** The one who was invited says yes. Throws `not_invited`. */
export async function acceptInvitation(
  deps: OrderingDeps,
  { subscription: id, member }: Omit<Membership, 'tenant'>,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const subscription = await lockedByOwner(tx, id)
    const [invited] = await selectInvitations(tx, { subscription: id, tenant: member })
    if (!invited) throw notInvited({ subscription: id })
    await share(tx, deps, subscription, member, deps.clock.nowMs())
  })
}

/** The one who was invited says no, or who shares will not any more. Throws `not_invited`. */
export async function leave(
  deps: OrderingDeps,
  { subscription: id, member }: Omit<Membership, 'tenant'>,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const subscription = await lockedByOwner(tx, id)
    const wasInvited = await deleteInvitation(tx, id, member)
    const isMember = (await selectMembers(tx, [id])).some((row) => row.tenant === member)
    if (!wasInvited && !isMember) throw notInvited({ subscription: id })
    if (isMember) await unshare(tx, deps, subscription, member, deps.clock.nowMs())
  })
}

/** Ends a share, or takes an invitation back. Repeating it changes nothing. */
export async function removeMember(
  deps: OrderingDeps,
  { tenant, subscription: id, member }: Membership,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockDesk(tx, tenant)
    const subscription = await liveSubscription(tx, id, tenant)
    await deleteInvitation(tx, id, member)
    if (!(await selectMembers(tx, [id])).some((row) => row.tenant === member)) return
    await unshare(tx, deps, subscription, member, deps.clock.nowMs())
  })
}

/** Whoever was invited need not know whose subscription it is; one that does not exist was not shared either. */
async function lockedByOwner(tx: Transaction, id: string): Promise<Subscription> {
  const seen = await selectSubscription(tx, id)
  if (!seen) throw notInvited({ subscription: id })
  await lockDesk(tx, seen.tenant)
  return liveSubscription(tx, id, seen.tenant)
}

async function share(
  tx: Transaction,
  { money }: Pick<OrderingDeps, 'money'>,
  { id, tenant: owner }: Subscription,
  member: string,
  atMs: number,
): Promise<void> {
  await deleteInvitation(tx, id, member)
  await insertMember(tx, id, member, atMs)
  await money.putShare(tx, { owner, member, fromMs: atMs })
}
