import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'
import type { BurnColumns } from '../ingest/burn.ts'
import { canonicalJson } from '../ingest/fingerprint.ts'
import type { RecordColumns } from '../ingest/model.ts'
import { TTFT_BUCKETS } from '../ingest/rollup.ts'
import type { Usage } from '../model.ts'

export interface StoredRecord {
  readonly id: string
  readonly contentHash: string
  readonly burn: BurnColumns
  /** The record as the text that is kept. Rows from before 0020 say the same in another order. */
  readonly text: string
  /** The columns that repeat it, in one text; see `columnsText`. */
  readonly columns: string
  /** Canonical JSON. */
  readonly draws: string | null
  readonly attemptCosts: string | null
}

interface Raw {
  id: string
  content_hash: string
  text: string
  columns: string
  draws: unknown
  attempt_costs: unknown
  lots: string | null
  lot_amounts: string | null
  gift: string | null
  credit: string | null
  overrun: string | null
  booked_tax: string | null
}

/** One text for all columns: to tell thirty values apart for each of ten million rows would take most of the time. */
const columnsSelection = sql`concat_ws(',', quote_nullable(slice), quote_literal(tenant), quote_nullable(payer), quote_nullable(tier),
  quote_literal(key), quote_literal(service), quote_literal(supplier), quote_literal(ending), completed_at_ms, uncached_input, cache_write,
  cache_read, output, reasoning, coalesce(ttft_bucket, -1), paced_tokens, paced_ms, sell, tax, buy)`

/** What `columnsSelection` is for these values; something else for a text that PostgreSQL would write with escapes. */
export function columnsText(columns: RecordColumns): string {
  const { slice, tenant, payer, tier, key, service, supplier, ending } = columns
  const texts = [slice, tenant, payer, tier, key, service, supplier, ending].map((text) =>
    text === null ? 'NULL' : /['\\]/.test(text) ? '' : `'${text}'`,
  )
  return `${texts.join(',')},${columns.completedAtMs},${columns.uncachedInput},${columns.cacheWrite},${columns.cacheRead},${columns.output},${columns.reasoning},${columns.ttftBucket ?? -1},${columns.pacedTokens},${columns.pacedMs},${columns.sellPico},${columns.taxPico},${columns.buyPico}`
}

const amount = (text: string | null): bigint | null => (text === null ? null : integerFromNumeric(text))

export async function recordsAfter(db: Queryable, page: { id: string; limit: number }): Promise<StoredRecord[]> {
  const rows = await db.rows<Raw>(sql`
    select id, encode(content_hash, 'hex') as content_hash, record::text as text, ${columnsSelection} as columns, draws, attempt_costs,
      array_to_string(lots, ',', '') as lots, array_to_string(lot_amounts, ',', '') as lot_amounts, gift, credit, overrun, booked_tax
      from charging.usage_record where id > ${page.id} order by id limit ${page.limit}
  `)
  return rows.map((row) => ({
    id: row.id,
    contentHash: row.content_hash,
    text: row.text,
    columns: row.columns,
    draws: row.draws === null ? null : canonicalJson(row.draws),
    attemptCosts: row.attempt_costs === null ? null : canonicalJson(row.attempt_costs),
    burn: {
      lots: row.lots === null ? null : row.lots.split(','),
      lotAmounts: row.lot_amounts === null ? null : row.lot_amounts.split(',').map(integerFromNumeric),
      giftPico: amount(row.gift),
      creditPico: amount(row.credit),
      overrunPico: amount(row.overrun),
      bookedTaxPico: amount(row.booked_tax),
    },
  }))
}

/** One by one, to say which is wrong. */
export async function columnsOfRecord(
  db: Queryable,
  id: string,
): Promise<Omit<RecordColumns, 'draws' | 'attemptCosts'> | undefined> {
  const [row] = await db.rows<Record<string, string | number | bigint | null>>(sql`
    select slice, tenant, payer, tier, key, service, supplier, ending, completed_at_ms as "completedAtMs", uncached_input as "uncachedInput",
      cache_write as "cacheWrite", cache_read as "cacheRead", output, reasoning, ttft_bucket as "ttftBucket", paced_tokens as "pacedTokens",
      paced_ms as "pacedMs", sell as "sellPico", tax as "taxPico", buy as "buyPico"
      from charging.usage_record where id = ${id}
  `)
  const value = (name: string, each: string | number | bigint | null) =>
    typeof each === 'bigint' ? Number(each) : name.endsWith('Pico') ? integerFromNumeric(String(each)) : each
  return (
    row &&
    (Object.fromEntries(Object.entries(row).map(([name, each]) => [name, value(name, each)])) as unknown as Omit<
      RecordColumns,
      'draws' | 'attemptCosts'
    >)
  )
}

/** Until the end of the transaction: what is summed by parties, lots and minutes stays in memory where it fits. */
export async function widenMemory(tx: Transaction): Promise<void> {
  await tx.rows(sql`set local work_mem = '64MB'`)
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

/** What `evidenceOf` makes of the hashes of the records behind each posting, without fetching them. */
export async function evidenceBehind(db: Queryable, postingIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ posting_id: string; evidence: string }>(sql`
    select posting_id,
           encode(sha256(convert_to(string_agg(encode(content_hash, 'hex') || E'\\n', '' order by content_hash), 'UTF8')), 'hex') as evidence
      from charging.usage_record where posting_id = any(${postingIds}::text[]) group by posting_id
  `)
  return new Map(rows.map((row) => [row.posting_id, row.evidence]))
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

/** What records took from slices, by whose they say these are: from that of the wallet and, by their draws, from others. */
const spent = sql`
  select slice, 'wallet:' || coalesce(payer, tenant) as bucket, record ->> 'gateway' as gateway, sum(sell) as amount, count(*) as records
    from charging.usage_record where slice is not null group by 1, 2, 3
   union all
  select d.slice, d.bucket, record ->> 'gateway', sum(d.amount), count(*)
    from charging.usage_record, jsonb_to_recordset(draws) as d (slice text, bucket text, amount numeric) where draws is not null group by 1, 2, 3
`

export async function wrongSlices(
  db: Queryable,
): Promise<{ id: string; settled: string; records: bigint; sold: string; found: bigint; strangers: bigint }[]> {
  return db.rows(sql`
    with spent as materialized (${spent})
    select coalesce(s.id, u.slice) as id, coalesce(s.settled, 0) as settled, coalesce(s.records, 0) as records,
           coalesce(u.sold, 0) as sold, coalesce(u.found, 0) as found, coalesce(t.strangers, 0) as strangers
      from charging.slice s
      full join (select slice, sum(amount) as sold, sum(records)::bigint as found from spent group by slice) u on u.slice = s.id
      left join (select p.slice, sum(p.records)::bigint as strangers from spent p join charging.slice o on o.id = p.slice
                  where o.bucket <> p.bucket or o.gateway is distinct from p.gateway group by p.slice) t on t.slice = s.id
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

const buckets = Array.from({ length: TTFT_BUCKETS }, (_, bucket) => bucket)
const histogram = buckets.reduce<Statement>(
  (list, bucket) => sql`${list}, count(*) filter (where ttft_bucket = ${bucket}::smallint)`,
  sql`null::bigint`,
)
const histogramSums = buckets.reduce<Statement>(
  (list, bucket) => sql`${list}, sum(ttft[${bucket + 2}::integer])::bigint`,
  sql`null::bigint`,
)

/**
 * Sums every record anew by minute, these by hour, and compares with the projection; the first element of a histogram is padding.
 */
export async function wrongRollups(
  db: Queryable,
): Promise<{ cell: string; stored: string | null; summed: string | null }[]> {
  return db.rows(sql`
    with minute as materialized (
      select completed_at_ms / 60000 * 60000 as start_ms, tenant, service, supplier, key, count(*) as requests,
             count(*) filter (where ending not in ('completed', 'client_closed')) as failed, sum(uncached_input)::bigint as uncached_input,
             sum(cache_write)::bigint as cache_write, sum(cache_read)::bigint as cache_read, sum(output)::bigint as output,
             sum(reasoning)::bigint as reasoning, sum(paced_tokens)::bigint as paced_tokens, sum(paced_ms)::bigint as paced_ms,
             sum(sell) as sell, sum(buy) as buy, array[${histogram}] as ttft
        from charging.usage_record group by 1, 2, 3, 4, 5
    ), summed as (
      select 'minute' as span, start_ms, tenant, service, supplier, key,
             array[requests, failed, uncached_input, cache_write, cache_read, output, reasoning, paced_tokens, paced_ms, sell, buy]::numeric[] as sums,
             ttft
        from minute
       union all
      select 'hour', start_ms / 3600000 * 3600000, tenant, service, supplier, key,
             array[sum(requests), sum(failed), sum(uncached_input), sum(cache_write), sum(cache_read), sum(output), sum(reasoning),
               sum(paced_tokens), sum(paced_ms), sum(sell), sum(buy)]::numeric[],
             array[${histogramSums}]
        from minute group by 1, 2, 3, 4, 5, 6
    )
    select concat_ws(' ', span, start_ms, tenant, service, supplier, key) as cell,
           r.sums::text || ' ' || r.ttft::text as stored, s.sums::text || ' ' || s.ttft::text as summed
      from summed s
      full join (
        select span, start_ms, tenant, service, supplier, key,
               array[requests, failed, uncached_input, cache_write, cache_read, output, reasoning, paced_tokens, paced_ms, sell, buy]::numeric[] as sums,
               null::bigint || ttft as ttft
          from charging.usage_rollup
      ) r using (span, start_ms, tenant, service, supplier, key)
     where r.sums is distinct from s.sums or r.ttft is distinct from s.ttft
     order by 1 limit 100
  `)
}
