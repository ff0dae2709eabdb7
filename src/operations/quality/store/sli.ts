import type { SlaTerm } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { MinuteRow } from '../sli/model/minute.ts'
import type { Leg } from '../sli/model/observation.ts'
import type { SliSums } from '../sli/model/report.ts'
import type { DeclaredTerms } from '../sli/model/terms.ts'

/** Adds to minutes. What a minute is judged by is decided by its first request and stays. */
export async function addMinutes(tx: Transaction, rows: readonly MinuteRow[]): Promise<void> {
  if (rows.length === 0) return
  const column = <Name extends keyof MinuteRow>(name: Name): MinuteRow[Name][] => rows.map((row) => row[name])
  await tx.rows(sql`
    insert into quality.sli_minute as old (leg, party, minute_ms, service, tier, agreed_rpm, ttft_limit_ms, tpot_limit_ms, requests, failed,
      excluded, ttft_valid, ttft_good, tpot_valid, tpot_good, net, tax)
    select * from unnest(${column('leg')}::text[], ${column('party')}::text[], ${column('minuteMs')}::bigint[], ${column('service')}::text[],
      ${column('tier')}::text[], ${column('agreedRpm')}::bigint[], ${column('ttftLimitMs')}::bigint[], ${column('tpotLimitMs')}::bigint[],
      ${column('requests')}::bigint[], ${column('failed')}::bigint[], ${column('excluded')}::bigint[], ${column('ttftValid')}::bigint[],
      ${column('ttftGood')}::bigint[], ${column('tpotValid')}::bigint[], ${column('tpotGood')}::bigint[], ${column('netPico')}::numeric[],
      ${column('taxPico')}::numeric[])
    on conflict (leg, party, minute_ms, service, tier) do update set
      requests = old.requests + excluded.requests, failed = old.failed + excluded.failed, excluded = old.excluded + excluded.excluded,
      ttft_valid = old.ttft_valid + excluded.ttft_valid, ttft_good = old.ttft_good + excluded.ttft_good,
      tpot_valid = old.tpot_valid + excluded.tpot_valid, tpot_good = old.tpot_good + excluded.tpot_good,
      net = old.net + excluded.net, tax = old.tax + excluded.tax
  `)
}

interface RawSums {
  leg: Leg
  party: string
  service: string
  tier: string
  requests: string
  failed: string
  excused: string
  excluded: string
  ttft_valid: string
  ttft_good: string
  tpot_valid: string
  tpot_good: string
  net: string
  tax: string
}

/** By service and tier of each party, from `fromMs` (inclusive) to `toMs` (exclusive). */
export async function sumMinutes(
  db: Queryable,
  query: { fromMs: number; toMs: number; leg?: Leg; party?: string },
): Promise<SliSums[]> {
  const { fromMs, toMs, leg, party } = query
  const rows = await db.rows<RawSums>(sql`
    select leg, party, service, tier, sum(requests) as requests, sum(failed) as failed, sum(excluded) as excluded,
      sum(greatest(0, least(failed, requests - coalesce(agreed_rpm, requests)))) as excused,
      sum(ttft_valid) as ttft_valid, sum(ttft_good) as ttft_good, sum(tpot_valid) as tpot_valid, sum(tpot_good) as tpot_good,
      sum(net) as net, sum(tax) as tax
      from quality.sli_minute
     where minute_ms >= ${fromMs}::bigint and minute_ms < ${toMs}::bigint
       and ${leg === undefined ? sql`true` : sql`leg = ${leg}`} and ${party === undefined ? sql`true` : sql`party = ${party}`}
     group by leg, party, service, tier order by leg, party, service, tier
  `)
  return rows.map((row) => ({
    leg: row.leg,
    party: row.party,
    service: row.service,
    tier: row.tier,
    requests: Number(row.requests),
    failed: Number(row.failed),
    excused: Number(row.excused),
    excluded: Number(row.excluded),
    ttftValid: Number(row.ttft_valid),
    ttftGood: Number(row.ttft_good),
    tpotValid: Number(row.tpot_valid),
    tpotGood: Number(row.tpot_good),
    netPico: integerFromNumeric(row.net),
    taxPico: integerFromNumeric(row.tax),
  }))
}

/** The beginnings of the spans of `spanMs` in which a party was seen, in their order. */
export async function spansSeen(
  db: Queryable,
  { leg, party, fromMs, toMs, spanMs }: { leg: Leg; party: string; fromMs: number; toMs: number; spanMs: number },
): Promise<number[]> {
  const rows = await db.rows<{ start_ms: bigint }>(sql`
    select distinct minute_ms - minute_ms % ${spanMs}::bigint as start_ms from quality.sli_minute
     where leg = ${leg} and party = ${party} and minute_ms >= ${fromMs}::bigint and minute_ms < ${toMs}::bigint order by 1
  `)
  return rows.map((row) => Number(row.start_ms))
}

/** Who was seen in a span of time. */
export async function partiesSeen(db: Queryable, { fromMs, toMs }: { fromMs: number; toMs: number }) {
  return db.rows<{ leg: Leg; party: string }>(sql`
    select distinct leg, party from quality.sli_minute
     where minute_ms >= ${fromMs}::bigint and minute_ms < ${toMs}::bigint order by leg, party
  `)
}

export async function addTerms(tx: Transaction, terms: DeclaredTerms): Promise<void> {
  await tx.rows(sql`
    insert into quality.sla_terms (leg, party, service, tier, measures, requests_per_minute, valid_from_ms)
    values (${terms.leg}, ${terms.party}, ${terms.service}, ${terms.tier}, ${JSON.stringify(terms.measures)}::jsonb,
      ${terms.requestsPerMinute}::bigint, ${terms.validFromMs}::bigint)
  `)
}

/** In the order in which they were declared. */
export async function readTerms(db: Queryable): Promise<DeclaredTerms[]> {
  const rows = await db.rows<{
    leg: Leg
    party: string | null
    service: string | null
    tier: string | null
    measures: SlaTerm[]
    requests_per_minute: bigint | null
    valid_from_ms: bigint
  }>(sql`select * from quality.sla_terms order by seq`)
  return rows.map(({ requests_per_minute: rate, valid_from_ms: from, leg, party, service, tier, measures }) => ({
    leg,
    party,
    service,
    tier,
    measures,
    requestsPerMinute: rate === null ? null : Number(rate),
    validFromMs: Number(from),
  }))
}
