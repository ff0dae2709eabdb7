import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Invitation {
  readonly subscription: string
  readonly owner: string
  readonly offer: string
  /** Who was invited. */
  readonly tenant: string
  readonly atMs: number
}

export async function insertInvitation(
  tx: Transaction,
  invitation: { subscription: string; tenant: string; atMs: number; by: string },
): Promise<void> {
  await tx.rows(sql`
    insert into ordering.invitation (subscription, tenant, invited_at_ms, invited_by)
    values (${invitation.subscription}, ${invitation.tenant}, ${invitation.atMs}::bigint, ${invitation.by})
  `)
}

/** True if there was one. */
export async function deleteInvitation(tx: Transaction, subscription: string, tenant: string): Promise<boolean> {
  const rows = await tx.rows(sql`
    delete from ordering.invitation where subscription = ${subscription} and tenant = ${tenant} returning tenant
  `)
  return rows.length > 0
}

/** Nobody can accept what has ended. */
export async function deleteInvitations(tx: Transaction, subscription: string): Promise<void> {
  await tx.rows(sql`delete from ordering.invitation where subscription = ${subscription}`)
}

/** Those that were not answered, oldest first: of subscriptions, or of who was invited. */
export async function selectInvitations(
  db: Queryable,
  of: { readonly subscription?: string; readonly subscriptions?: readonly string[]; readonly tenant?: string },
): Promise<Invitation[]> {
  const { subscription, subscriptions, tenant } = of
  const rows = await db.rows<Omit<Invitation, 'atMs'> & { at_ms: bigint }>(sql`
    select i.subscription, s.tenant as owner, s.offer, i.tenant, i.invited_at_ms as at_ms
      from ordering.invitation i join ordering.subscription s on s.id = i.subscription
     where ${subscription === undefined ? sql`true` : sql`i.subscription = ${subscription}`}
       and ${subscriptions === undefined ? sql`true` : sql`i.subscription = any(${subscriptions}::text[])`}
       and ${tenant === undefined ? sql`true` : sql`i.tenant = ${tenant}`}
     order by i.invited_at_ms, i.subscription, i.tenant limit 1000
  `)
  return rows.map(({ at_ms, ...rest }) => ({ ...rest, atMs: Number(at_ms) }))
}
