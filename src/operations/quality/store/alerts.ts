import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { SlaScope } from '../sli/model/terms.ts'

export interface Alert extends SlaScope {
  readonly id: string
  readonly measure: string
  readonly rule: string
  /** How many times faster than its budget, when it was opened. */
  readonly burn: number
  readonly openedAtMs: number
  readonly closedAtMs: number | null
}

interface RawAlert extends Omit<Alert, 'openedAtMs' | 'closedAtMs'> {
  readonly opened_at_ms: bigint
  readonly closed_at_ms: bigint | null
}

const toAlert = ({ opened_at_ms: opened, closed_at_ms: closed, ...row }: RawAlert): Alert => ({
  ...row,
  openedAtMs: Number(opened),
  closedAtMs: closed === null ? null : Number(closed),
})

export async function openAlerts(tx: Transaction): Promise<Alert[]> {
  return (await tx.rows<RawAlert>(sql`select * from quality.alert where closed_at_ms is null for update`)).map(toAlert)
}

/** Newest first. */
export async function readAlerts(db: Queryable, { limit }: { limit: number }): Promise<Alert[]> {
  const rows = await db.rows<RawAlert>(
    sql`select * from quality.alert order by opened_at_ms desc, id limit ${limit}::bigint`,
  )
  return rows.map(toAlert)
}

export async function insertAlert(tx: Transaction, one: Alert): Promise<void> {
  await tx.rows(sql`
    insert into quality.alert (id, leg, party, service, tier, measure, rule, burn, opened_at_ms)
    values (${one.id}, ${one.leg}, ${one.party}, ${one.service}, ${one.tier}, ${one.measure}, ${one.rule},
      ${one.burn}::double precision, ${one.openedAtMs}::bigint)
  `)
}

export async function closeAlert(tx: Transaction, id: string, nowMs: number): Promise<void> {
  await tx.rows(sql`update quality.alert set closed_at_ms = ${nowMs}::bigint where id = ${id}`)
}
