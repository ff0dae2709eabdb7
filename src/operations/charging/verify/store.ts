import type { UsageRecord } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Statement } from '#platform/postgres'
import type { BurnColumns } from '../ingest/burn.ts'
import { canonicalJson } from '../ingest/fingerprint.ts'
import type { RecordColumns } from '../ingest/model.ts'
import { TTFT_BUCKETS } from '../ingest/rollup.ts'
import { burnSelection, toBurn } from '../ingest/store.ts'
import type { RawBurn } from '../ingest/store.ts'
import type { Usage } from '../model.ts'

export interface StoredRecord {
  readonly id: string
  readonly contentHash: string
  readonly columns: RecordColumns
  readonly burn: BurnColumns
  readonly record: UsageRecord
}

interface Raw extends RawBurn {
  id: string
  content_hash: string
  slice: string | null
  tenant: string
  payer: string | null
  tier: string | null
  draws: unknown
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
      cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record, payer, tier, draws,
      ${burnSelection}
      from charging.usage_record where id > ${page.id} order by id limit ${page.limit}
  `)
  return rows.map((row) => ({
    id: row.id,
    contentHash: row.content_hash,
    record: row.record,
    burn: toBurn(row),
    columns: {
      slice: row.slice,
      tenant: row.tenant,
      payer: row.payer,
      tier: row.tier,
      draws: row.draws === null ? null : canonicalJson(row.draws),
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
    payer: string
    service: string
    supplier: string
    billed: boolean
    records: bigint
    sell: string
    gift: string
    credit: string
    overrun: string
    tax: string
    buy: string
  }>(sql`
    select posting_id, coalesce(payer, tenant) as payer, service, supplier, ending in ('completed', 'client_closed') as billed,
           count(*) as records, sum(sell) as sell, coalesce(sum(gift), 0) as gift, coalesce(sum(credit), 0) as credit,
           coalesce(sum(overrun), 0) as overrun, sum(coalesce(booked_tax, tax)) as tax, sum(buy) as buy
      from charging.usage_record where posting_id = any(${postingIds}::text[])
     group by 1, 2, 3, 4, 5
  `)
  const usage = rows.map((row) => ({
    postingId: row.posting_id,
    payer: row.payer,
    service: row.service,
    supplier: row.supplier,
    billed: row.billed,
    records: Number(row.records),
    sellPico: integerFromNumeric(row.sell),
    giftPico: integerFromNumeric(row.gift),
    creditPico: integerFromNumeric(row.credit),
    overrunPico: integerFromNumeric(row.overrun),
    taxPico: integerFromNumeric(row.tax),
    buyPico: integerFromNumeric(row.buy),
  }))
  return Map.groupBy(usage, (each) => each.postingId)
}

/** How much the records behind each posting burned of lots of tokens. */
export async function tokensBehind(
  db: Queryable,
  postingIds: readonly string[],
): Promise<Map<string, { lot: string; amount: bigint }[]>> {
  const rows = await db.rows<{ posting_id: string; lot: string; amount: string }>(sql`
    select u.posting_id, p.lot, sum(p.amount) as amount
      from charging.usage_record u
     cross join lateral unnest(u.lots, u.lot_amounts) as p (lot, amount)
      join charging.lot l on l.id = p.lot
     where u.posting_id = any(${postingIds}::text[]) and u.draws is not null and starts_with(l.bucket, 'tokens:')
     group by 1, 2
  `)
  const burns = rows.map((row) => ({ postingId: row.posting_id, lot: row.lot, amount: integerFromNumeric(row.amount) }))
  return Map.groupBy(burns, (each) => each.postingId)
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

/** By tenant, what fees defer that are earned over time, and for packages, which their lots earn, nothing. */
export async function feesDeferred(db: Queryable): Promise<Map<string, bigint>> {
  const rows = await db.rows<{ tenant: string; deferred: string }>(sql`
    select tenant, sum(net - refunded_net - recognised) as deferred from charging.fee where from_ms is not null group by tenant
  `)
  return new Map(rows.map((row) => [row.tenant, integerFromNumeric(row.deferred)]))
}

/** Fees that are not what was booked for them. */
export async function wrongFees(
  db: Queryable,
): Promise<{ reference: string; stored: string; booked: string | null }[]> {
  return db.rows(sql`
    with booked as (
      select about as reference,
             sum((detail ->> 'net')::numeric + (detail ->> 'tax')::numeric) filter (where kind = 'fee') as amount,
             coalesce(sum((detail ->> 'paid')::numeric + (detail ->> 'credit')::numeric) filter (where kind = 'fee_refund'), 0) as refunded,
             coalesce(sum((detail ->> 'amount')::numeric) filter (where kind = 'recognition'), 0)
               - coalesce(sum((detail ->> 'earned')::numeric) filter (where kind = 'fee_refund'), 0) as recognised
        from charging.booking where kind in ('fee', 'fee_refund', 'recognition') group by about
    )
    select coalesce(f.reference, b.reference) as reference,
           concat_ws(' ', f.amount, f.refunded, f.recognised) as stored, concat_ws(' ', b.amount, b.refunded, b.recognised) as booked
      from charging.fee f full join booked b on b.reference = f.reference
     where f.reference is null or b.reference is null or f.amount <> b.amount or f.refunded <> b.refunded
        or (f.from_ms is not null and f.recognised <> b.recognised)
     order by 1 limit 100
  `)
}

export async function countFees(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from charging.fee`)
  return Number(row?.count)
}

export async function countBuckets(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from charging.bucket`)
  return Number(row?.count)
}

export async function wrongEscrows(db: Queryable): Promise<{ id: string; escrowed: string; open: string }[]> {
  return db.rows(sql`
    select b.id, b.escrowed, coalesce(s.open, 0) as open
      from charging.bucket b
      left join (select bucket, sum(amount - settled) as open from charging.slice where state = 'open' group by bucket) s on s.bucket = b.id
     where b.escrowed <> coalesce(s.open, 0)
     order by 1 limit 100
  `)
}

/** What records took from slices: from that of the wallet and, by their draws, from others. */
const spent = sql`
  select slice, sell as amount, 'wallet:' || coalesce(payer, tenant) as bucket, record ->> 'gateway' as gateway
    from charging.usage_record where slice is not null
   union all
  select d.slice, d.amount, d.bucket, record ->> 'gateway'
    from charging.usage_record, jsonb_to_recordset(draws) as d (slice text, bucket text, amount numeric) where draws is not null
`

export async function wrongSlices(
  db: Queryable,
): Promise<{ id: string; settled: string; records: bigint; sold: string; found: bigint; strangers: bigint }[]> {
  return db.rows(sql`
    with spent as (${spent})
    select coalesce(s.id, u.slice) as id, coalesce(s.settled, 0) as settled, coalesce(s.records, 0) as records,
           coalesce(u.sold, 0) as sold, coalesce(u.found, 0) as found, coalesce(t.strangers, 0) as strangers
      from charging.slice s
      full join (select slice, sum(amount) as sold, count(*) as found from spent group by slice) u on u.slice = s.id
      left join (select p.slice, count(*) as strangers from spent p join charging.slice o on o.id = p.slice
                  where o.bucket <> p.bucket or o.gateway <> p.gateway group by p.slice) t on t.slice = s.id
     where s.id is null or s.settled <> coalesce(u.sold, 0) or s.records <> coalesce(u.found, 0) or t.strangers > 0
     order by 1 limit 100
  `)
}

export async function countLots(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from charging.lot`)
  return Number(row?.count)
}

/** Lots that are not what was granted less what records burned and bookings took. */
export async function wrongLots(
  db: Queryable,
): Promise<{ id: string; granted: string | null; remaining: string | null; burned: string; moved: string }[]> {
  return db.rows(sql`
    select coalesce(l.id, u.lot) as id, l.granted, l.remaining, coalesce(u.burned, 0) as burned, coalesce(m.moved, 0) as moved
      from charging.lot l
      full join (select p.lot, sum(p.amount) as burned from charging.usage_record, unnest(lots, lot_amounts) as p (lot, amount) group by p.lot) u
        on u.lot = l.id
      left join (select lot, sum(amount) as moved from charging.lot_move group by lot) m on m.lot = l.id
     where l.id is null or l.remaining <> l.granted - coalesce(u.burned, 0) + coalesce(m.moved, 0)
     order by 1 limit 100
  `)
}

/** Lots whose recognised revenue is not the share of their price that is gone, rounded half to even. */
export async function wrongRecognition(
  db: Queryable,
): Promise<{ id: string; net: string; recognised: string; due: string }[]> {
  return db.rows(sql`
    select id, net, recognised, due
      from (
        select id, net, recognised,
               div(net * (granted - remaining), granted)
                 + case when 2 * mod(net * (granted - remaining), granted) > granted
                          or (2 * mod(net * (granted - remaining), granted) = granted and mod(div(net * (granted - remaining), granted), 2) = 1)
                        then 1 else 0 end as due
          from charging.lot where net > 0 or recognised > 0
      ) l
     where recognised <> due
     order by 1 limit 100
  `)
}

/** Buckets with what their lots have left that can be burned, and what is not in the bucket yet. */
export async function lotSums(
  db: Queryable,
): Promise<{ bucket: string; source: string; active: bigint; pending: bigint; recognised: bigint; net: bigint }[]> {
  const rows = await db.rows<{
    bucket: string
    source: string
    active: string
    pending: string
    recognised: string
    net: string
  }>(sql`
    select bucket, source, coalesce(sum(remaining) filter (where state <> 'pending'), 0) as active,
           coalesce(sum(remaining) filter (where state = 'pending'), 0) as pending, sum(recognised) as recognised, sum(net) as net
      from charging.lot group by 1, 2
  `)
  return rows.map((row) => ({
    bucket: row.bucket,
    source: row.source,
    active: integerFromNumeric(row.active),
    pending: integerFromNumeric(row.pending),
    recognised: integerFromNumeric(row.recognised),
    net: integerFromNumeric(row.net),
  }))
}

/** Buckets of periods that are not what they were filled with less what records drew. */
export async function wrongPeriods(
  db: Queryable,
): Promise<{ id: string; granted: string; posted: string; drawn: string }[]> {
  return db.rows(sql`
    select b.id, b.granted, b.posted, coalesce(d.drawn, 0) as drawn
      from charging.bucket b
      left join (select d.bucket, sum(d.amount) as drawn
                   from charging.usage_record, jsonb_to_recordset(draws) as d (bucket text, amount numeric) where draws is not null
                  group by d.bucket) d on d.bucket = b.id
     where b.definition is not null and b.posted <> b.granted - coalesce(d.drawn, 0)
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
