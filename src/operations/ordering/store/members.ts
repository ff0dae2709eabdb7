import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export async function insertMember(
  tx: Transaction,
  subscription: string,
  tenant: string,
  nowMs: number,
): Promise<void> {
  await tx.rows(sql`
    insert into ordering.member (subscription, tenant, since_ms) values (${subscription}, ${tenant}, ${nowMs}::bigint)
  `)
}

export async function endMember(tx: Transaction, subscription: string, tenant: string, nowMs: number): Promise<void> {
  await tx.rows(sql`
    update ordering.member set until_ms = greatest(${nowMs}::bigint, since_ms)
     where subscription = ${subscription} and tenant = ${tenant} and until_ms is null
  `)
}

/** Who shares now, by subscription. */
export async function selectMembers(
  db: Queryable,
  subscriptions: readonly string[],
): Promise<{ readonly subscription: string; readonly tenant: string }[]> {
  return db.rows(sql`
    select subscription, tenant from ordering.member
     where subscription = any(${subscriptions}::text[]) and until_ms is null
     order by subscription, tenant
  `)
}

/** Whether another subscription of the owner lets this member share, beside the one named. */
export async function isSharedOtherwise(
  tx: Transaction,
  owner: string,
  member: string,
  except: string,
): Promise<boolean> {
  const rows = await tx.rows(sql`
    select m.subscription from ordering.member m join ordering.subscription s on s.id = m.subscription
     where s.tenant = ${owner} and m.tenant = ${member} and m.until_ms is null and m.subscription <> ${except} limit 1
  `)
  return rows.length > 0
}
