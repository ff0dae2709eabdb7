import { sql } from '#platform/postgres'
import type { Statement as Sql, Transaction } from '#platform/postgres'

export interface Matching {
  readonly statement: string
  readonly supplier: string
  /** The month, and where the days of lines per day begin. */
  readonly fromMs: number
  readonly toMs: number
  readonly utcOffsetMinutes: number
  readonly taxPercent: number
  /** Decimals of a yuan that the supplier rounds its lines to. */
  readonly amountDecimals: number
}

/** A line per request against the request; both sides once, whatever the supplier's order. */
function pairsByRequest({ statement, supplier, fromMs, toMs }: Matching): Sql {
  return sql`
    theirs as (
      select l.line, l.request, null::integer as day, l.model, l.our_model, l.input, l.cached, l.output, l.net, l.tax,
             row_number() over (partition by l.request order by l.line) as turn
        from settlement.statement_line l where l.statement = ${statement}
    ), ours as (
      select u.record, null::integer as day, u.model, u.input, u.cached, u.output, u.amount as net, 1::bigint as turn,
             u.completed_at_ms >= ${fromMs}::bigint and u.completed_at_ms < ${toMs}::bigint as of_month
        from settlement.usage u where u.statement = ${statement}
    ), pair as (
      select ${both},
             case when o.record is null then exists (
               select 1 from settlement.usage e where e.supplier = ${supplier} and e.record = t.request) else false end as settled_before,
             false as unknown_model
        from theirs t full join ours o on o.record = t.request and o.turn = t.turn
    )`
}

/** The sums of a day and model, by the supplier's days. */
function pairsByDay({ statement, utcOffsetMinutes }: Matching): Sql {
  return sql`
    theirs as (
      select l.line, null::text as request, l.day, l.model, l.our_model, l.input, l.cached, l.output, l.net, l.tax,
             row_number() over (partition by l.day, l.our_model order by l.line) as turn
        from settlement.statement_line l where l.statement = ${statement}
    ), ours as (
      select null::text as record, ((u.completed_at_ms + ${utcOffsetMinutes * 60_000}::bigint) / 86400000)::integer as day, u.model,
             sum(u.input)::bigint as input, sum(u.cached)::bigint as cached, sum(u.output)::bigint as output, sum(u.amount) as net,
             1::bigint as turn, true as of_month
        from settlement.usage u where u.statement = ${statement} group by 2, 3
    ), pair as (
      select ${both}, false as settled_before,
             o.model is null and not exists (select 1 from ours known where known.model = t.our_model) as unknown_model
        from theirs t full join ours o on o.day = t.day and o.model = t.our_model and o.turn = t.turn
    )`
}

const both = sql`
  t.line, t.request, t.day as their_day, t.model as their_name, t.our_model as their_model, t.input as their_input, t.cached as their_cached,
  t.output as their_output, t.net as their_net, t.tax as their_tax, t.turn, o.record, o.day as our_day, o.model as our_model,
  o.input as our_input, o.cached as our_cached, o.output as our_output, o.net as our_net, o.of_month`

/**
 * Writes down every difference between the two sides, each of one class: the first that applies. What the supplier's own rounding of a
 * line explains is none. A wrong tax is one of its own, beside whatever else is wrong with a line.
 */
export async function insertDiscrepancies(
  tx: Transaction,
  { granularity, ...matching }: Matching & { readonly granularity: 'request' | 'day_model' },
): Promise<void> {
  const { statement, taxPercent, amountDecimals } = matching
  const places = amountDecimals - 12
  const dueTax = sql`round(their_net * ${taxPercent}::integer / 100, ${places}::integer)`
  const pairs = granularity === 'request' ? pairsByRequest(matching) : pairsByDay(matching)
  await tx.rows(sql`delete from settlement.discrepancy where statement = ${statement}`)
  await tx.rows(sql`
    with ${pairs}, classed as (
      select pair.*, 0::numeric as tax_impact, coalesce(their_net, 0) - coalesce(our_net, 0) as impact, case
               when line is null then 'missing_theirs'
               when turn > 1 or settled_before then 'duplicate'
               when unknown_model then 'model_mapping'
               when our_model is null then 'missing_ours'
               when their_model <> our_model then 'model_mapping'
               when their_input <> our_input or their_output <> our_output or their_cached <> our_cached then 'quantity'
               when their_net <> round(our_net, ${places}::integer) then 'price'
               when not of_month then 'cutoff' end as class
        from pair
    ), found as (
      select * from classed where class is not null
      union all
      select pair.*, their_tax - ${dueTax}, 0, 'tax' from pair where their_tax <> ${dueTax}
    )
    insert into settlement.discrepancy (statement, number, class, state, line, record, day, model, theirs, ours, impact, tax_impact)
    select ${statement}, row_number() over (order by line nulls last, record, our_day, our_model, class), class, 'open', line,
           coalesce(record, request), coalesce(our_day, their_day), coalesce(our_model, their_model),
           case when line is not null then jsonb_build_object('model', their_name, 'input', their_input, 'cached', their_cached,
             'output', their_output, 'netPico', their_net::text, 'taxPico', their_tax::text) end,
           case when our_model is not null then jsonb_build_object('model', our_model, 'input', our_input, 'cached', our_cached,
             'output', our_output, 'netPico', our_net::text, 'taxPico', null) end,
           impact, tax_impact
      from found
  `)
}

/** Differences that the agreement lets pass, the smallest first, until what they are together would be more than it lets pass. */
export async function resolveWithinTolerance(
  tx: Transaction,
  { statement, absPico, bps }: { statement: string; absPico: bigint; bps: number },
): Promise<number> {
  const [row] = await tx.rows<{ resolved: bigint }>(sql`
    with bound as materialized (
      select greatest(${absPico}::numeric, trunc(coalesce(sum(amount), 0) * ${bps}::integer / 10000)) as most
        from settlement.usage where statement = ${statement}
    ), small as materialized (
      select number, sum(abs(impact) + abs(tax_impact)) over (order by abs(impact) + abs(tax_impact), number) as together
        from settlement.discrepancy
       where statement = ${statement} and class in ('quantity', 'price', 'tax', 'cutoff', 'model_mapping')
         and ours is not null
         and abs(impact) + abs(tax_impact) <= greatest(${absPico}::numeric, trunc((ours ->> 'netPico')::numeric * ${bps}::integer / 10000))
    ), resolved as (
      update settlement.discrepancy d set state = 'auto_resolved', agreed = d.impact, tax_agreed = d.tax_impact
        from small, bound
       where d.statement = ${statement} and d.number = small.number and small.together <= bound.most
      returning 1)
    select count(*) as resolved from resolved
  `)
  return Number(row?.resolved ?? 0)
}
