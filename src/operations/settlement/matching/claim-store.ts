import { supplierCosts } from '#charging'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Claim {
  readonly statement: string
  readonly supplier: string
  readonly period: string
  readonly fromMs: number
  readonly toMs: number
}

const DAY_MS = 86_400_000
/** How late a gateway may hand over its records for them to be taken into a later month; later ones are found by `verify`. */
const LATE_MS = 93 * DAY_MS
/** By how much two clocks can put a request into different months. */
const NEIGHBOUR_MS = DAY_MS

const claimed = sql`exists (select 1 from settlement.usage u where u.supplier = cost.supplier and u.record = cost.record)`

/**
 * Takes our side of the month for a statement: what ended in it, what came late for months that are settled, and what the supplier
 * lists of the days around it. Nothing that another statement has.
 */
export async function claimUsage(tx: Transaction, claim: Claim): Promise<void> {
  const { statement, supplier, fromMs, toMs } = claim
  const costs = (from: number, to: number) => sql`
    select ${supplier}::text as supplier, c.* from (${supplierCosts({ supplier, fromMs: from, toMs: to })}) c`
  const into = sql`insert into settlement.usage (supplier, record, statement, service, model, completed_at_ms, input, cached, output, amount)
    select cost.supplier, cost.record, ${statement}, cost.service, cost.model, cost.completed_at_ms, cost.input, cost.cached, cost.output, cost.amount`
  await tx.rows(sql`delete from settlement.usage where statement = ${statement}`)
  await tx.rows(sql`${into} from (${costs(fromMs, toMs)}) cost where not ${claimed}`)
  await tx.rows(sql`
    ${into} from (${costs(fromMs - LATE_MS, fromMs)}) cost
     where not ${claimed}
       and exists (
         select 1 from settlement.statement s
          where s.supplier = ${supplier} and s.state in ('approved', 'settled')
            and s.period = to_char(to_timestamp((cost.completed_at_ms + 28800000) / 1000) at time zone 'UTC', 'YYYY-MM'))
  `)
  for (const [from, to] of [
    [fromMs - NEIGHBOUR_MS, fromMs],
    [toMs, toMs + NEIGHBOUR_MS],
  ] as const)
    await tx.rows(sql`
      ${into} from (${costs(from, to)}) cost
       where not ${claimed}
         and exists (select 1 from settlement.statement_line l where l.statement = ${statement} and l.request = cost.record)
    `)
  await tx.rows(sql`analyze settlement.usage`)
}

/** Leaves to the next month what ended at the very end of this one and is not on the statement. Returns how many there were. */
export async function leaveToNext(
  tx: Transaction,
  { statement, sinceMs, toMs }: { statement: string; sinceMs: number; toMs: number },
): Promise<{ requests: number; amountPico: bigint }> {
  const [row] = await tx.rows<{ requests: bigint; amount: string }>(sql`
    with gone as (
      delete from settlement.usage u
       where u.statement = ${statement} and u.completed_at_ms >= ${sinceMs}::bigint and u.completed_at_ms < ${toMs}::bigint
         and not exists (select 1 from settlement.statement_line l where l.statement = ${statement} and l.request = u.record)
      returning amount)
    select count(*) as requests, coalesce(sum(amount), 0) as amount from gone
  `)
  return { requests: Number(row?.requests ?? 0), amountPico: integerFromNumeric(row?.amount ?? '0') }
}

export async function claimedUsage(
  db: Queryable,
  statement: string,
): Promise<{ readonly requests: number; readonly amountPico: bigint }> {
  const [row] = await db.rows<{ requests: bigint; amount: string }>(sql`
    select count(*) as requests, coalesce(sum(amount), 0) as amount from settlement.usage where statement = ${statement}
  `)
  return { requests: Number(row?.requests ?? 0), amountPico: integerFromNumeric(row?.amount ?? '0') }
}
