import type { RunState } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import { readFigures, writeFigures } from '../model/figures.ts'
import type { Figures } from '../model/figures.ts'

export interface Run {
  readonly id: string
  readonly supplier: string
  readonly period: string
  readonly version: number
  readonly statement: string
  readonly state: RunState
  readonly figures: Figures | null
  readonly proposedBy: string
  readonly reviewedBy: string | null
  readonly approvedBy: string | null
  readonly postingId: string | null
  readonly paymentReference: string | null
  readonly paymentPostingId: string | null
  readonly createdAtMs: number
}

interface RunRow {
  id: string
  supplier: string
  period: string
  version: number
  statement: string
  state: RunState
  figures: Record<string, string | number> | null
  proposed_by: string
  reviewed_by: string | null
  approved_by: string | null
  posting_id: string | null
  payment_reference: string | null
  payment_posting_id: string | null
  created_at_ms: bigint
}

const columns = sql`
  id, supplier, period, version, statement, state, figures, proposed_by, reviewed_by, approved_by, posting_id, payment_reference,
  payment_posting_id, created_at_ms
`

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    supplier: row.supplier,
    period: row.period,
    version: row.version,
    statement: row.statement,
    state: row.state,
    figures: row.figures && readFigures(row.figures),
    proposedBy: row.proposed_by,
    reviewedBy: row.reviewed_by,
    approvedBy: row.approved_by,
    postingId: row.posting_id,
    paymentReference: row.payment_reference,
    paymentPostingId: row.payment_posting_id,
    createdAtMs: Number(row.created_at_ms),
  }
}

export async function findRun(db: Queryable, id: string): Promise<Run | undefined> {
  const [row] = await db.rows<RunRow>(sql`select ${columns} from settlement.run where id = ${id}`)
  return row && toRun(row)
}

/** Of a statement, the newest first. */
export async function runsOf(db: Queryable, statement: string): Promise<Run[]> {
  const rows = await db.rows<RunRow>(
    sql`select ${columns} from settlement.run where statement = ${statement} order by version desc`,
  )
  return rows.map(toRun)
}

export async function runOfPayment(db: Queryable, reference: string): Promise<Run | undefined> {
  const [row] = await db.rows<RunRow>(sql`select ${columns} from settlement.run where payment_reference = ${reference}`)
  return row && toRun(row)
}

export async function listRuns(
  db: Queryable,
  { supplier, state, limit }: { supplier: string | undefined; state: RunState | undefined; limit: number },
): Promise<Run[]> {
  const rows = await db.rows<RunRow>(sql`
    select ${columns} from settlement.run
     where ${supplier === undefined ? sql`true` : sql`supplier = ${supplier}`}
       and ${state === undefined ? sql`true` : sql`state = ${state}`}
     order by period desc, supplier, version desc limit ${limit}
  `)
  return rows.map(toRun)
}

export async function insertRun(
  tx: Transaction,
  run: Pick<Run, 'id' | 'supplier' | 'period' | 'version' | 'statement' | 'proposedBy' | 'createdAtMs'>,
): Promise<void> {
  await tx.rows(sql`
    insert into settlement.run (id, supplier, period, version, statement, state, proposed_by, created_at_ms)
    values (${run.id}, ${run.supplier}, ${run.period}, ${run.version}::integer, ${run.statement}, 'planned', ${run.proposedBy},
      ${run.createdAtMs}::bigint)
  `)
}

export interface RunChange {
  readonly state: RunState
  readonly figures?: Figures
  readonly reviewedBy?: string | null
  readonly approvedBy?: string
  readonly postingId?: string
  readonly paymentReference?: string
  readonly paymentPostingId?: string
}

export async function changeRun(tx: Transaction, id: string, change: RunChange): Promise<void> {
  const { figures } = change
  await tx.rows(sql`
    update settlement.run
       set state = ${change.state},
           figures = coalesce(${figures === undefined ? null : JSON.stringify(writeFigures(figures))}::jsonb, figures),
           gross_fen = coalesce(${figures?.grossFen ?? null}::numeric, gross_fen),
           netted_fen = coalesce(${figures?.nettedFen ?? null}::numeric, netted_fen),
           payable_fen = coalesce(${figures?.payableFen ?? null}::numeric, payable_fen),
           reviewed_by = case when ${change.reviewedBy === null}::boolean then null else coalesce(${change.reviewedBy ?? null}::text, reviewed_by) end,
           approved_by = coalesce(${change.approvedBy ?? null}::text, approved_by),
           posting_id = coalesce(${change.postingId ?? null}::text, posting_id),
           payment_reference = coalesce(${change.paymentReference ?? null}::text, payment_reference),
           payment_posting_id = coalesce(${change.paymentPostingId ?? null}::text, payment_posting_id)
     where id = ${id}
  `)
}

export interface DecidedSums {
  readonly impactPico: bigint
  readonly agreedPico: bigint
  readonly taxAgreedPico: bigint
  readonly heldPico: bigint
}

/** What became of a statement's differences by the time it was posted: what was in dispute then was put aside, whatever came later. */
export async function decidedSums(db: Queryable, statement: string): Promise<DecidedSums> {
  const [row] = await db.rows<{ impact: string; agreed: string; tax: string; held: string }>(sql`
    select coalesce(sum(impact), 0) as impact, coalesce(sum(case when held_by_run is null then agreed else least(impact, 0) end), 0) as agreed,
           coalesce(sum(tax_agreed) filter (where held_by_run is null), 0) as tax,
           coalesce(sum(abs(impact)) filter (where state = 'disputed' or held_by_run is not null), 0) as held
      from settlement.discrepancy where statement = ${statement}
  `)
  return {
    impactPico: integerFromNumeric(row?.impact ?? '0'),
    agreedPico: integerFromNumeric(row?.agreed ?? '0'),
    taxAgreedPico: integerFromNumeric(row?.tax ?? '0'),
    heldPico: integerFromNumeric(row?.held ?? '0'),
  }
}

/** Disputes that ended after the rest was settled: not in a settlement yet, or in this one. */
export async function endedDisputes(
  db: Queryable,
  statement: string,
  run: string | null,
): Promise<{ count: number; freedPico: bigint; releasedPico: bigint; taxAgreedPico: bigint }> {
  const [row] = await db.rows<{ count: bigint; freed: string; released: string; tax: string }>(sql`
    select count(*) as count, coalesce(sum(held), 0) as freed, coalesce(sum(released), 0) as released, coalesce(sum(tax_agreed), 0) as tax
      from settlement.discrepancy
     where statement = ${statement} and held_by_run is not null and state <> 'disputed'
       and released_by_run is not distinct from ${run}::text
  `)
  return {
    count: Number(row?.count ?? 0),
    freedPico: integerFromNumeric(row?.freed ?? '0'),
    releasedPico: integerFromNumeric(row?.released ?? '0'),
    taxAgreedPico: integerFromNumeric(row?.tax ?? '0'),
  }
}

/** Remembers what was put aside, or that it was given out. */
export async function markDisputes(tx: Transaction, { statement, id, version }: Run): Promise<void> {
  if (version === 1)
    await tx.rows(sql`
      update settlement.discrepancy set held = abs(impact), held_by_run = ${id} where statement = ${statement} and state = 'disputed'
    `)
  else
    await tx.rows(sql`
      update settlement.discrepancy set released_by_run = ${id}
       where statement = ${statement} and held_by_run is not null and state <> 'disputed' and released_by_run is null
    `)
}
