import type { UsageRecord } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Statement } from '#platform/postgres'
import type { BurnColumns } from '../ingest/burn.ts'
import { burnSelection, toBurn } from '../ingest/store.ts'
import type { RawBurn } from '../ingest/store.ts'
import { TTFT_BUCKETS } from '../ingest/rollup.ts'
import { rollupRanges } from './model.ts'
import type { RollupRange } from './model.ts'

export type UsageBy = 'service' | 'tenant' | 'supplier' | 'key' | 'hour'

const groupings: Readonly<Record<UsageBy, Statement>> = {
  service: sql`u.service`,
  tenant: sql`u.tenant`,
  supplier: sql`u.supplier`,
  key: sql`u.key`,
  hour: sql`to_char(to_timestamp(u.start_ms / 3600000 * 3600) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')`,
}

export interface UsageSum {
  readonly group: string
  readonly requests: number
  readonly failed: number
  readonly tokens: UsageRecord['tokens']
  readonly sellPico: bigint
  readonly buyPico: bigint
}

interface SumRow {
  group: string
  requests: string
  failed: string
  uncached_input: string
  cache_write: string
  cache_read: string
  output: string
  reasoning: string
  sell: string
  buy: string
}

const sums = sql`
  sum(u.requests) as requests, sum(u.failed) as failed, sum(u.uncached_input) as uncached_input, sum(u.cache_write) as cache_write,
  sum(u.cache_read) as cache_read, sum(u.output) as output, sum(u.reasoning) as reasoning, sum(u.sell) as sell, sum(u.buy) as buy
`

function toSum(row: SumRow): UsageSum {
  return {
    group: row.group,
    requests: Number(row.requests),
    failed: Number(row.failed),
    tokens: {
      uncachedInput: Number(row.uncached_input),
      cacheWrite: Number(row.cache_write),
      cacheRead: Number(row.cache_read),
      output: Number(row.output),
      reasoning: Number(row.reasoning),
    },
    sellPico: integerFromNumeric(row.sell),
    buyPico: integerFromNumeric(row.buy),
  }
}

const only = (tenant: string | undefined): Statement => (tenant === undefined ? sql`true` : sql`u.tenant = ${tenant}`)

export async function usageSums(
  db: Queryable,
  query: { by: UsageBy; ranges: readonly RollupRange[]; tenant: string | undefined },
): Promise<UsageSum[]> {
  const { by, ranges, tenant } = query
  const rows = await db.rows<SumRow>(sql`
    select ${groupings[by]} as "group", ${sums}
      from unnest(${ranges.map((range) => range.span)}::text[], ${ranges.map((range) => range.fromMs)}::bigint[],
        ${ranges.map((range) => range.toMs)}::bigint[]) as range (span, from_ms, to_ms)
      join charging.usage_rollup u on u.span = range.span and u.start_ms >= range.from_ms and u.start_ms < range.to_ms
     where ${only(tenant)}
     group by 1 order by 1
  `)
  return rows.map(toSum)
}

export interface MinuteSum extends UsageSum {
  readonly minuteMs: number
  readonly ttft: readonly number[]
  readonly pacedTokens: number
  readonly pacedMs: number
}

/** Bucket by bucket: an aggregate of arrays would make one anew for every roll-up. */
const histogramSums = Array.from({ length: TTFT_BUCKETS }, (_, bucket) => bucket + 1).reduce<Statement>(
  (list, bucket) => sql`${list}, sum(u.ttft[${bucket}::integer])::bigint`,
  sql`null`,
)

export async function minuteSums(
  db: Queryable,
  query: { fromMs: number; toMs: number; tenant: string | undefined },
): Promise<MinuteSum[]> {
  const rows = await db.rows<SumRow & { start_ms: bigint; ttft: bigint[]; paced_tokens: string; paced_ms: string }>(sql`
    select '' as "group", u.start_ms, ${sums}, array_remove(array[${histogramSums}]::bigint[], null) as ttft, sum(u.paced_tokens) as paced_tokens, sum(u.paced_ms) as paced_ms
      from charging.usage_rollup u
     where u.span = 'minute' and u.start_ms >= ${query.fromMs}::bigint and u.start_ms < ${query.toMs}::bigint and ${only(query.tenant)}
     group by u.start_ms order by u.start_ms
  `)
  return rows.map((row) => ({
    ...toSum(row),
    minuteMs: Number(row.start_ms),
    ttft: row.ttft.map(Number),
    pacedTokens: Number(row.paced_tokens),
    pacedMs: Number(row.paced_ms),
  }))
}

export interface DeliveredQuery {
  readonly supplier: string
  readonly services: readonly string[]
  /** Inclusive. */
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

/** By hours and, at the two ends, by minutes. */
export async function deliveredTokens(db: Queryable, { supplier, services, ...span }: DeliveredQuery): Promise<number> {
  const ranges = rollupRanges(span)
  const [row] = await db.rows<{ tokens: string | null }>(sql`
    select sum(u.uncached_input + u.cache_write + u.cache_read + u.output + u.reasoning) as tokens
      from unnest(${ranges.map((range) => range.span)}::text[], ${ranges.map((range) => range.fromMs)}::bigint[],
        ${ranges.map((range) => range.toMs)}::bigint[]) as range (span, from_ms, to_ms)
      join charging.usage_rollup u on u.span = range.span and u.start_ms >= range.from_ms and u.start_ms < range.to_ms
     where u.supplier = ${supplier} and u.service = any(${services}::text[])
  `)
  return Number(row?.tokens ?? 0)
}

/** Newest first: ids sort by the time at which requests were accepted. */
export async function newestRecords(
  db: Queryable,
  page: { tenant: string | undefined; limit: number; beforeId: string | undefined },
): Promise<UsageRecord[]> {
  const rows = await db.rows<{ record: UsageRecord }>(sql`
    select u.record from charging.usage_record u
     where ${only(page.tenant)} and ${page.beforeId === undefined ? sql`true` : sql`u.id < ${page.beforeId}`}
     order by u.id desc limit ${page.limit}
  `)
  return rows.map((row) => row.record)
}

export async function recordById(
  db: Queryable,
  id: string,
): Promise<{ record: UsageRecord; burn: BurnColumns; postingId: string } | undefined> {
  const [row] = await db.rows<RawBurn & { record: UsageRecord; posting_id: string }>(
    sql`select record, posting_id, ${burnSelection} from charging.usage_record where id = ${id}`,
  )
  return row && { record: row.record, burn: toBurn(row), postingId: row.posting_id }
}
