import type { UsageRecord } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Statement } from '#platform/postgres'
import type { RecordColumns } from '../ingest/model.ts'
import { TTFT_BUCKETS } from '../ingest/rollup.ts'
import type { Usage } from '../model.ts'

export interface StoredRecord {
  readonly id: string
  readonly contentHash: string
  readonly columns: RecordColumns
  readonly record: UsageRecord
}

interface Raw {
  id: string
  content_hash: string
  slice: string | null
  tenant: string
  key: string
  service: string
  supplier: string
  ending: string
  completed_at_ms: bigint
  uncached_input: bigint
  cache_write: bigint
  cache_read: bigint
  output: bigint
  reasoning: bigint
  ttft_bucket: number | null
  paced_tokens: bigint
  paced_ms: bigint
  sell: string
  tax: string
  buy: string
  record: UsageRecord
}

export async function recordsAfter(db: Queryable, page: { id: string; limit: number }): Promise<StoredRecord[]> {
  const rows = await db.rows<Raw>(sql`
    select id, encode(content_hash, 'hex') as content_hash, slice, tenant, key, service, supplier, ending, completed_at_ms, uncached_input,
      cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record
      from charging.usage_record where id > ${page.id} order by id limit ${page.limit}
  `)
  return rows.map((row) => ({
    id: row.id,
    contentHash: row.content_hash,
    record: row.record,
    columns: {
      slice: row.slice,
      tenant: row.tenant,
      key: row.key,
      service: row.service,
      supplier: row.supplier,
      ending: row.ending,
      completedAtMs: Number(row.completed_at_ms),
      uncachedInput: Number(row.uncached_input),
      cacheWrite: Number(row.cache_write),
      cacheRead: Number(row.cache_read),
      output: Number(row.output),
      reasoning: Number(row.reasoning),
      ttftBucket: row.ttft_bucket,
      pacedTokens: Number(row.paced_tokens),
      pacedMs: Number(row.paced_ms),
      sellPico: integerFromNumeric(row.sell),
      taxPico: integerFromNumeric(row.tax),
      buyPico: integerFromNumeric(row.buy),
    },
  }))
}

/** What the records behind each posting come to, by the parties whose accounts they move. */
export async function usageBehind(
  db: Queryable,
  postingIds: readonly string[],
): Promise<Map<string, (Usage & { records: number })[]>> {
  const rows = await db.rows<{
    posting_id: string
    tenant: string
    service: string
    supplier: string
    billed: boolean
    records: bigint
    sell: string
    tax: string
    buy: string
  }>(sql`
    select posting_id, tenant, service, supplier, ending in ('completed', 'client_closed') as billed,
           count(*) as records, sum(sell) as sell, sum(tax) as tax, sum(buy) as buy
      from charging.usage_record where posting_id = any(${postingIds}::text[])
     group by 1, 2, 3, 4, 5
  `)
  const found = new Map<string, (Usage & { records: number })[]>()
  for (const row of rows) {
    const list = found.get(row.posting_id) ?? []
    found.set(row.posting_id, list)
    list.push({
      tenant: row.tenant,
      service: row.service,
      supplier: row.supplier,
      billed: row.billed,
      records: Number(row.records),
      sellPico: integerFromNumeric(row.sell),
      taxPico: integerFromNumeric(row.tax),
      buyPico: integerFromNumeric(row.buy),
    })
  }
  return found
}

export async function hashesBehind(db: Queryable, postingIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await db.rows<{ posting_id: string; hashes: string[] }>(sql`
    select posting_id, array_agg(encode(content_hash, 'hex')) as hashes from charging.usage_record
     where posting_id = any(${postingIds}::text[]) group by posting_id
  `)
  return new Map(rows.map((row) => [row.posting_id, row.hashes]))
}

export async function postingIdsAfter(
  db: Queryable,
  page: { id: string; limit: number },
): Promise<{ id: string; records: number }[]> {
  const rows = await db.rows<{ posting_id: string; records: bigint }>(sql`
    select posting_id, count(*) as records from charging.usage_record where posting_id > ${page.id}
     group by posting_id order by posting_id limit ${page.limit}
  `)
  return rows.map((row) => ({ id: row.posting_id, records: Number(row.records) }))
}

export async function countSlices(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from charging.slice`)
  return Number(row?.count)
}

export async function wrongEscrows(db: Queryable): Promise<{ tenant: string; escrowed: string; open: string }[]> {
  return db.rows(sql`
    select w.tenant, w.escrowed, coalesce(s.open, 0) as open
      from charging.wallet w
      left join (select tenant, sum(amount - settled) as open from charging.slice where state = 'open' group by tenant) s on s.tenant = w.tenant
     where w.escrowed <> coalesce(s.open, 0)
     order by 1 limit 100
  `)
}

export async function wrongSlices(
  db: Queryable,
): Promise<{ id: string; settled: string; records: bigint; sold: string; found: bigint; strangers: bigint }[]> {
  return db.rows(sql`
    select coalesce(s.id, u.slice) as id, coalesce(s.settled, 0) as settled, coalesce(s.records, 0) as records,
           coalesce(u.sold, 0) as sold, coalesce(u.found, 0) as found, coalesce(t.strangers, 0) as strangers
      from charging.slice s
      full join (select slice, sum(sell) as sold, count(*) as found from charging.usage_record where slice is not null group by slice) u on u.slice = s.id
      left join (select r.slice, count(*) as strangers from charging.usage_record r join charging.slice o on o.id = r.slice
                  where o.tenant <> r.tenant or o.gateway <> r.record ->> 'gateway' group by r.slice) t on t.slice = s.id
     where s.id is null or s.settled <> coalesce(u.sold, 0) or s.records <> coalesce(u.found, 0) or t.strangers > 0
     order by 1 limit 100
  `)
}

export async function countRollups(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from charging.usage_rollup`)
  return Number(row?.count)
}

const histogram = Array.from({ length: TTFT_BUCKETS }, (_, bucket) => bucket).reduce<Statement>(
  (list, bucket) => sql`${list}, count(*) filter (where ttft_bucket = ${bucket}::smallint)`,
  sql`0`,
)

/** Sums every record anew, by minute and by hour, and compares with the projection; the first element of the histogram is padding. */
export async function wrongRollups(
  db: Queryable,
): Promise<{ cell: string; stored: string | null; summed: string | null }[]> {
  return db.rows(sql`
    select concat_ws(' ', span, start_ms, tenant, service, supplier, key) as cell,
           r.sums::text || ' ' || r.ttft::text as stored, s.sums::text || ' ' || s.ttft::text as summed
      from (
        select span, completed_at_ms / width * width as start_ms, tenant, service, supplier, key,
               array[count(*), count(*) filter (where ending not in ('completed', 'client_closed')), sum(uncached_input), sum(cache_write),
                 sum(cache_read), sum(output), sum(reasoning), sum(paced_tokens), sum(paced_ms), sum(sell), sum(buy)]::numeric[] as sums,
               array[${histogram}]::bigint[] as ttft
          from charging.usage_record, (values ('minute', 60000::bigint), ('hour', 3600000)) as spans (span, width)
         group by 1, 2, 3, 4, 5, 6
      ) s
      full join (
        select span, start_ms, tenant, service, supplier, key,
               array[requests, failed, uncached_input, cache_write, cache_read, output, reasoning, paced_tokens, paced_ms, sell, buy]::numeric[] as sums,
               0::bigint || ttft as ttft
          from charging.usage_rollup
      ) r using (span, start_ms, tenant, service, supplier, key)
     where r.sums is distinct from s.sums or r.ttft is distinct from s.ttft
     order by 1 limit 100
  `)
}
