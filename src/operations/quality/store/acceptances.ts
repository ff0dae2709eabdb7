import { sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'
import type { SignedReport } from '../acceptance/sign.ts'

export interface AcceptanceRow extends SignedReport {
  readonly id: string
  readonly callOff: string
  readonly supplier: string
  readonly model: string
  readonly passed: boolean
  readonly runBy: string
  readonly endedAtMs: number
}

export async function insertAcceptance(db: Queryable, row: AcceptanceRow): Promise<void> {
  await db.rows(sql`
    insert into quality.acceptance (id, call_off, supplier, model, passed, report, hash, signature, public_key, run_by, ended_at_ms)
    values (${row.id}, ${row.callOff}, ${row.supplier}, ${row.model}, ${row.passed}, ${row.report}, ${row.hash}, ${row.signature},
      ${row.publicKey}, ${row.runBy}, ${row.endedAtMs}::bigint)
  `)
}

interface RawAcceptance {
  id: string
  call_off: string
  supplier: string
  model: string
  passed: boolean
  report: string
  hash: string
  signature: string
  public_key: string
  run_by: string
  ended_at_ms: bigint
}

const toRow = (row: RawAcceptance): AcceptanceRow => ({
  id: row.id,
  callOff: row.call_off,
  supplier: row.supplier,
  model: row.model,
  passed: row.passed,
  report: row.report,
  hash: row.hash,
  signature: row.signature,
  publicKey: row.public_key,
  runBy: row.run_by,
  endedAtMs: Number(row.ended_at_ms),
})

/** What a supplier's model is compared with. */
export async function newestPassed(
  db: Queryable,
  { supplier, model }: { supplier: string; model: string },
): Promise<AcceptanceRow | undefined> {
  const [row] = await db.rows<RawAcceptance>(sql`
    select * from quality.acceptance where supplier = ${supplier} and model = ${model} and passed order by ended_at_ms desc limit 1
  `)
  return row && toRow(row)
}

/** Newest first. */
export async function readAcceptances(
  db: Queryable,
  { id, supplier, callOff }: { id?: string; supplier?: string; callOff?: string },
): Promise<AcceptanceRow[]> {
  const rows = await db.rows<RawAcceptance>(sql`
    select * from quality.acceptance
     where ${id === undefined ? sql`true` : sql`id = ${id}`} and ${supplier === undefined ? sql`true` : sql`supplier = ${supplier}`}
       and ${callOff === undefined ? sql`true` : sql`call_off = ${callOff}`}
     order by ended_at_ms desc limit 100
  `)
  return rows.map(toRow)
}
