import type { DiscrepancyClass, DiscrepancyState } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

interface Side {
  readonly model: string
  readonly input: number
  readonly cached: number | null
  readonly output: number
  readonly netPico: string
  readonly taxPico: string | null
}

export interface Discrepancy {
  readonly number: number
  readonly class: DiscrepancyClass
  readonly state: DiscrepancyState
  readonly line: number | null
  readonly record: string | null
  readonly day: number | null
  readonly model: string
  readonly theirs: Side | null
  readonly ours: Side | null
  readonly impactPico: bigint
  readonly taxImpactPico: bigint
  readonly agreedPico: bigint
  readonly heldPico: bigint
  readonly assignee: string | null
}

export interface DiscrepancySums {
  readonly class: DiscrepancyClass
  readonly state: DiscrepancyState
  readonly count: number
  readonly impactPico: bigint
  readonly taxImpactPico: bigint
}

export async function discrepancySums(db: Queryable, statement: string): Promise<DiscrepancySums[]> {
  const rows = await db.rows<{
    class: DiscrepancyClass
    state: DiscrepancyState
    count: bigint
    impact: string
    tax_impact: string
  }>(sql`
    select class, state, count(*) as count, sum(impact) as impact, sum(tax_impact) as tax_impact
      from settlement.discrepancy where statement = ${statement} group by 1, 2 order by 1, 2
  `)
  return rows.map((row) => ({
    class: row.class,
    state: row.state,
    count: Number(row.count),
    impactPico: integerFromNumeric(row.impact),
    taxImpactPico: integerFromNumeric(row.tax_impact),
  }))
}

export async function listDiscrepancies(
  db: Queryable,
  query: {
    statement: string
    class: DiscrepancyClass | undefined
    state: DiscrepancyState | undefined
    after: number
    limit: number
  },
): Promise<Discrepancy[]> {
  const rows = await db.rows<{
    number: bigint
    class: DiscrepancyClass
    state: DiscrepancyState
    line: bigint | null
    record: string | null
    day: number | null
    model: string
    theirs: Side | null
    ours: Side | null
    impact: string
    tax_impact: string
    agreed: string
    held: string
    assignee: string | null
  }>(sql`
    select number, class, state, line, record, day, model, theirs, ours, impact, tax_impact, agreed, held, assignee
      from settlement.discrepancy
     where statement = ${query.statement} and number > ${query.after}::bigint
       and ${query.class === undefined ? sql`true` : sql`class = ${query.class}`}
       and ${query.state === undefined ? sql`true` : sql`state = ${query.state}`}
     order by number limit ${query.limit}
  `)
  return rows.map((row) => ({
    number: Number(row.number),
    class: row.class,
    state: row.state,
    line: row.line === null ? null : Number(row.line),
    record: row.record,
    day: row.day,
    model: row.model,
    theirs: row.theirs,
    ours: row.ours,
    impactPico: integerFromNumeric(row.impact),
    taxImpactPico: integerFromNumeric(row.tax_impact),
    agreedPico: integerFromNumeric(row.agreed),
    heldPico: integerFromNumeric(row.held),
    assignee: row.assignee,
  }))
}

export interface DecisionUpdate {
  readonly statement: string
  readonly state: DiscrepancyState
  /** The states that may become it. */
  readonly from: readonly DiscrepancyState[]
  readonly numbers: readonly number[] | undefined
  readonly class: DiscrepancyClass | undefined
  /** What is paid of the difference: all of it, nothing, or so much. */
  readonly pays: 'all' | 'nothing' | bigint
  readonly assignee: string | null
  /** Only what money was put aside for when the rest was settled. */
  readonly isHeld: boolean
}

/**
 * Decides about discrepancies; those in other states are left alone. Of what was put aside while in dispute, `released` is what the
 * supplier gets after all: of what they wanted above ours, what is paid; of what we counted above theirs, what is not taken back.
 */
export async function decideDiscrepancies(tx: Transaction, update: DecisionUpdate): Promise<number> {
  const { pays } = update
  // In dispute is what one side wants above the other: what both say is paid.
  const agreed =
    update.state === 'disputed'
      ? sql`least(impact, 0)`
      : pays === 'all'
        ? sql`impact`
        : sql`${pays === 'nothing' ? 0n : pays}::numeric`
  const taxAgreed = pays === 'all' ? sql`tax_impact` : sql`0::numeric`
  const [row] = await tx.rows<{ decided: bigint }>(sql`
    with decided as (
      update settlement.discrepancy
         set state = ${update.state}, assignee = coalesce(${update.assignee}::text, assignee), agreed = ${agreed}, tax_agreed = ${taxAgreed},
             released = case when held_by_run is not null then case when impact >= 0 then ${agreed} else ${agreed} - impact end end
       where statement = ${update.statement} and state = any(${update.from}::text[])
         and (held_by_run is not null) = ${update.isHeld}::boolean
         and ${update.numbers === undefined ? sql`class = ${update.class ?? ''} and state <> 'disputed'` : sql`number = any(${update.numbers}::bigint[])`}
      returning 1)
    select count(*) as decided from decided
  `)
  return Number(row?.decided ?? 0)
}

export async function countIn(db: Queryable, statement: string, states: readonly DiscrepancyState[]): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`
    select count(*) as count from settlement.discrepancy where statement = ${statement} and state = any(${states}::text[])
  `)
  return Number(row?.count ?? 0)
}

export interface SettledRequest {
  readonly record: string
  readonly service: string
  readonly model: string
  readonly completedAtMs: number
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly amountPico: bigint
}

/** Our requests behind a difference: the one, or those of its day and model. */
export async function requestsBehind(
  db: Queryable,
  query: {
    statement: string
    discrepancy: Discrepancy
    utcOffsetMinutes: number
    after: string
    limit: number
  },
): Promise<SettledRequest[]> {
  const { record, day, model } = query.discrepancy
  const rows = await db.rows<{
    record: string
    service: string
    model: string
    completed_at_ms: bigint
    input: bigint
    cached: bigint
    output: bigint
    amount: string
  }>(sql`
    select record, service, model, completed_at_ms, input, cached, output, amount from settlement.usage
     where record > ${query.after}
       and ${
         record === null
           ? sql`statement = ${query.statement} and model = ${model}
              and (completed_at_ms + ${query.utcOffsetMinutes * 60_000}::bigint) / 86400000 = ${day}::integer`
           : sql`record = ${record} and supplier = (select s.supplier from settlement.statement s where s.id = ${query.statement})`
       }
     order by record limit ${query.limit}
  `)
  return rows.map((row) => ({
    record: row.record,
    service: row.service,
    model: row.model,
    completedAtMs: Number(row.completed_at_ms),
    input: Number(row.input),
    cached: Number(row.cached),
    output: Number(row.output),
    amountPico: integerFromNumeric(row.amount),
  }))
}
