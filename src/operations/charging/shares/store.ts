import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Share } from './model.ts'

/** Of what others own and these members may use, ended shares included. */
export async function sharesOf(db: Queryable, members: readonly string[]): Promise<Share[]> {
  const rows = await db.rows<{ owner: string; member: string; since_ms: bigint; until_ms: bigint | null }>(sql`
    select owner, member, since_ms, until_ms from charging.share where member = any(${members}::text[]) order by owner, member, since_ms
  `)
  return rows.map((row) => ({
    owner: row.owner,
    member: row.member,
    sinceMs: Number(row.since_ms),
    untilMs: row.until_ms === null ? null : Number(row.until_ms),
  }))
}

export async function insertShare(
  tx: Transaction,
  { owner, member, fromMs }: { owner: string; member: string; fromMs: number },
): Promise<void> {
  await tx.rows(sql`
    insert into charging.share (owner, member, since_ms)
    select ${owner}, ${member}, ${fromMs}::bigint
     where not exists (select 1 from charging.share
                        where owner = ${owner} and member = ${member} and since_ms <= ${fromMs}::bigint and (until_ms is null or until_ms > ${fromMs}::bigint))
    on conflict (owner, member, since_ms) do update set until_ms = null
  `)
}

export async function endShares(
  tx: Transaction,
  { owner, member, atMs }: { owner: string; member: string; atMs: number },
): Promise<void> {
  await tx.rows(sql`
    update charging.share set until_ms = greatest(since_ms, ${atMs}::bigint)
     where owner = ${owner} and member = ${member} and (until_ms is null or until_ms > ${atMs}::bigint)
  `)
}

/** Shares that are open at some time from then on. */
export async function sharesAfter(db: Queryable, atMs: number): Promise<Share[]> {
  const rows = await db.rows<{ owner: string; member: string; since_ms: bigint; until_ms: bigint | null }>(sql`
    select owner, member, since_ms, until_ms from charging.share where until_ms is null or until_ms > ${atMs}::bigint order by owner, member, since_ms
  `)
  return rows.map((row) => ({
    owner: row.owner,
    member: row.member,
    sinceMs: Number(row.since_ms),
    untilMs: row.until_ms === null ? null : Number(row.until_ms),
  }))
}
