import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Penalty {
  readonly id: string
  readonly supplier: string
  readonly period: string
  readonly kind: 'sla' | 'lateness' | 'audit' | 'other'
  readonly amountPico: bigint
  readonly reason: string
  readonly evidence: string | null
  readonly state: 'proposed' | 'contested' | 'approved' | 'waived' | 'applied'
  readonly proposedBy: string
  readonly proposedAtMs: number
  readonly approvedBy: string | null
  readonly run: string | null
}

interface PenaltyRow {
  id: string
  supplier: string
  period: string
  kind: Penalty['kind']
  amount: string
  reason: string
  evidence: string | null
  state: Penalty['state']
  proposed_by: string
  proposed_at_ms: bigint
  approved_by: string | null
  run: string | null
}

const columns = sql`id, supplier, period, kind, amount, reason, evidence, state, proposed_by, proposed_at_ms, approved_by, run`

function toPenalty(row: PenaltyRow): Penalty {
  return {
    id: row.id,
    supplier: row.supplier,
    period: row.period,
    kind: row.kind,
    amountPico: integerFromNumeric(row.amount),
    reason: row.reason,
    evidence: row.evidence,
    state: row.state,
    proposedBy: row.proposed_by,
    proposedAtMs: Number(row.proposed_at_ms),
    approvedBy: row.approved_by,
    run: row.run,
  }
}

export async function findPenalty(db: Queryable, id: string): Promise<Penalty | undefined> {
  const [row] = await db.rows<PenaltyRow>(sql`select ${columns} from settlement.penalty where id = ${id}`)
  return row && toPenalty(row)
}

export async function listPenalties(
  db: Queryable,
  { supplier, limit }: { supplier: string | undefined; limit: number },
): Promise<Penalty[]> {
  const rows = await db.rows<PenaltyRow>(sql`
    select ${columns} from settlement.penalty where ${supplier === undefined ? sql`true` : sql`supplier = ${supplier}`}
     order by period desc, id limit ${limit}
  `)
  return rows.map(toPenalty)
}

/** Approved ones of the month and before that no settlement has taken, or those that this one took. */
export async function penaltiesFor(
  db: Queryable,
  { supplier, period, run }: { supplier: string; period: string; run: string | null },
): Promise<Penalty[]> {
  const rows = await db.rows<PenaltyRow>(sql`
    select ${columns} from settlement.penalty
     where supplier = ${supplier} and period <= ${period} and run is not distinct from ${run}::text
       and state = ${run === null ? 'approved' : 'applied'} order by id
  `)
  return rows.map(toPenalty)
}

export async function insertPenalty(
  tx: Transaction,
  penalty: Omit<Penalty, 'state' | 'approvedBy' | 'run'>,
): Promise<void> {
  await tx.rows(sql`
    insert into settlement.penalty (id, supplier, period, kind, amount, reason, evidence, state, proposed_by, proposed_at_ms)
    values (${penalty.id}, ${penalty.supplier}, ${penalty.period}, ${penalty.kind}, ${penalty.amountPico}::numeric, ${penalty.reason},
      ${penalty.evidence}, 'proposed', ${penalty.proposedBy}, ${penalty.proposedAtMs}::bigint)
    on conflict (id) do nothing
  `)
}

export async function decidePenalty(
  tx: Transaction,
  { id, state, by }: { id: string; state: Penalty['state']; by: string | null },
): Promise<void> {
  await tx.rows(sql`
    update settlement.penalty set state = ${state}, approved_by = coalesce(${by}::text, approved_by) where id = ${id}
  `)
}

export async function applyPenalties(tx: Transaction, ids: readonly string[], run: string): Promise<void> {
  await tx.rows(sql`update settlement.penalty set state = 'applied', run = ${run} where id = any(${ids}::text[])`)
}
