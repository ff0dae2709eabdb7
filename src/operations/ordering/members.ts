import { unknownTenant } from '#identity'
import type { OrderingDeps } from './context.ts'
import { liveSubscription, unshare } from './endings.ts'
import { cannotChange } from './problems.ts'
import { insertMember, selectMembers } from './store/members.ts'
import { lockDesk } from './store/quotes.ts'

interface Membership {
  /** The owner. */
  readonly tenant: string
  readonly subscription: string
  readonly member: string
}

/** Lets another tenant pay with the owner's wallet and tokens, as far as the offer allows: a family, departments. */
export async function addMember(deps: OrderingDeps, { tenant, subscription: id, member }: Membership): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockDesk(tx, tenant)
    const subscription = await liveSubscription(tx, id, tenant)
    const { offer } = await deps.offerById(tx, subscription.offer)
    const most = 'maxMembers' in offer ? offer.maxMembers : 0
    const members = (await selectMembers(tx, [id])).map((row) => row.tenant)
    if (members.includes(member)) return
    if (member === tenant) throw cannotChange({ subscription: id, reason: `belongs to ${member} already` })
    if (members.length >= most)
      throw cannotChange({
        subscription: id,
        reason: `may be shared with ${most} tenants, and is with ${members.length}`,
      })
    if (!(await deps.identity.tenant(tx, member))) throw unknownTenant({ tenant: member })
    const nowMs = deps.clock.nowMs()
    await insertMember(tx, id, member, nowMs)
    await deps.money.putShare(tx, { owner: tenant, member, fromMs: nowMs })
  })
}

/** Repeating it changes nothing. */
export async function removeMember(
  deps: OrderingDeps,
  { tenant, subscription: id, member }: Membership,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    await lockDesk(tx, tenant)
    const subscription = await liveSubscription(tx, id, tenant)
    if (!(await selectMembers(tx, [id])).some((row) => row.tenant === member)) return
    await unshare(tx, deps, subscription, member, deps.clock.nowMs())
  })
}
