import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Event {
  readonly subject: string
  readonly atMs: number
  readonly was: string | null
  readonly becomes: string
  readonly by: string
  readonly note: string | null
  /** Of discrepancies that one decision was about. */
  readonly number: number | null
}

export async function insertEvents(tx: Transaction, events: readonly Event[]): Promise<void> {
  for (const { subject, atMs, was, becomes, by, note, number } of events)
    await tx.rows(sql`
      insert into settlement.event (subject, at_ms, was, becomes, by_whom, note, number)
      values (${subject}, ${atMs}::bigint, ${was}, ${becomes}, ${by}, ${note}, ${number}::bigint)
    `)
}

export async function eventsOf(db: Queryable, subject: string): Promise<Event[]> {
  const rows = await db.rows<{
    at_ms: bigint
    was: string | null
    becomes: string
    by_whom: string
    note: string | null
    number: bigint | null
  }>(
    sql`select at_ms, was, becomes, by_whom, note, number from settlement.event where subject = ${subject} order by seq`,
  )
  return rows.map((row) => ({
    subject,
    atMs: Number(row.at_ms),
    was: row.was,
    becomes: row.becomes,
    by: row.by_whom,
    note: row.note,
    number: row.number === null ? null : Number(row.number),
  }))
}
