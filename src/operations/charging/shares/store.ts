import { sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'
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
