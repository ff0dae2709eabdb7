import { sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'

/** Buckets of tokens that have something, those first whose lots burn first. */
export async function tokenBucketsInOrder(
  db: Queryable,
  nowMs: number,
): Promise<{ id: string; tenant: string; table: string }[]> {
  const rows = await db.rows<{ id: string; tenant: string; unit: string }>(sql`
    select b.id, b.tenant, b.unit
      from charging.bucket b join charging.lot l on l.bucket = b.id
     where b.kind = 'tokens' and l.remaining > 0 and l.state = 'active' and (l.expires_at_ms is null or l.expires_at_ms > ${nowMs}::bigint)
     group by b.id, b.tenant, b.unit
     order by b.tenant, min(l.priority), min(l.expires_at_ms) nulls last, b.id
  `)
  return rows.map((row) => ({ id: row.id, tenant: row.tenant, table: row.unit }))
}
