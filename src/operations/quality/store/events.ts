import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { QualityEvent } from '../events.ts'

export async function addEvent(tx: Transaction, event: QualityEvent): Promise<void> {
  await tx.rows(sql`
    insert into quality.event (subject, what, by, reason, at_ms)
    values (${event.subject}, ${event.what}, ${event.by}, ${event.reason}, ${event.atMs}::bigint)
  `)
}

/** Oldest first. */
export async function eventsOf(db: Queryable, subject: string): Promise<QualityEvent[]> {
  const rows = await db.rows<{ what: string; by: string; reason: string; at_ms: bigint }>(sql`
    select what, by, reason, at_ms from quality.event where subject = ${subject} order by seq
  `)
  return rows.map(({ at_ms: atMs, ...row }) => ({ subject, ...row, atMs: Number(atMs) }))
}
