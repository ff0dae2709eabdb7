import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { AuditCase, CaseState } from '../audit/model/case.ts'
import type { AuditSettings, AuditTest, Side } from '../audit/model/stream.ts'

interface RawCase {
  id: string
  supplier: string
  model: string
  side: Side
  epoch: number
  test: AuditTest
  settings: AuditSettings
  number: bigint
  evidence: number
  state: CaseState
  opened_at_ms: bigint
  disputed_by: string | null
}

const toCase = (row: RawCase): AuditCase => ({
  id: row.id,
  supplier: row.supplier,
  model: row.model,
  side: row.side,
  epoch: row.epoch,
  test: row.test,
  settings: row.settings,
  number: Number(row.number),
  evidence: row.evidence,
  state: row.state,
  openedAtMs: Number(row.opened_at_ms),
  disputedBy: row.disputed_by,
})

/** False: this epoch has its case already. */
export async function insertCase(tx: Transaction, one: AuditCase): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into quality.audit_case (id, supplier, model, side, epoch, test, settings, number, evidence, state, opened_at_ms, disputed_by)
    values (${one.id}, ${one.supplier}, ${one.model}, ${one.side}, ${one.epoch}::integer, ${one.test}, ${JSON.stringify(one.settings)}::jsonb, ${one.number}::bigint,
      ${one.evidence}::double precision, ${one.state}, ${one.openedAtMs}::bigint, ${one.disputedBy})
    on conflict do nothing returning id
  `)
  return rows.length > 0
}

export async function lockCase(tx: Transaction, id: string): Promise<AuditCase | undefined> {
  const [row] = await tx.rows<RawCase>(sql`select * from quality.audit_case where id = ${id} for update`)
  return row && toCase(row)
}

/** Newest first; of one supplier, or in some states, where given. */
export async function readCases(
  db: Queryable,
  { supplier, id, states }: { supplier?: string; id?: string; states?: readonly CaseState[] },
): Promise<AuditCase[]> {
  const rows = await db.rows<RawCase>(sql`
    select * from quality.audit_case
     where ${supplier === undefined ? sql`true` : sql`supplier = ${supplier}`} and ${id === undefined ? sql`true` : sql`id = ${id}`}
       and ${states === undefined ? sql`true` : sql`state = any(${states}::text[])`}
     order by opened_at_ms desc, id limit 500
  `)
  return rows.map(toCase)
}

export async function saveCase(tx: Transaction, { id, state, disputedBy }: AuditCase): Promise<void> {
  await tx.rows(sql`update quality.audit_case set state = ${state}, disputed_by = ${disputedBy} where id = ${id}`)
}
