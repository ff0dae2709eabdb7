import { sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'

/** How far into the ledger's chain each charge of a month is billed, by the charge's id. */
export async function billedThrough(db: Queryable, period: string): Promise<ReadonlyMap<string, number>> {
  const rows = await db.rows<{ id: string; seq: bigint }>(sql`
    select c.id, max(l.to_seq) as seq from billing.charge c join billing.line l on l.charge = c.id where c.period = ${period} group by c.id
  `)
  return new Map(rows.map((row) => [row.id, Number(row.seq)]))
}
