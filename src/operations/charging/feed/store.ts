import type { UsageRecord } from '#contract'
import { chinaDate, dateOfDay } from '#kernel'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'
import { bookingsBehind } from '../bookings/store.ts'
import type { BookingRow } from '../bookings/store.ts'
import type { BookedRecord, FeeFact, RecordQuery, UsageCell, WrittenUsage } from './model.ts'

interface CellRow {
  posting_id: string
  payer: string
  day: bigint
  tenant: string
  service: string
  sheet: string
  requests: bigint
  tokens: string
  sell: string
  gift: string
  credit: string
  tax: string
  buy: string
}

/** The usage behind postings by what it is billed by: records, and what corrections changed of earlier ones. In a fixed order. */
export async function usageCells(db: Queryable, postingIds: readonly string[]): Promise<UsageCell[]> {
  return [...(await recordCells(db, postingIds)), ...(await correctionCells(db, postingIds))]
}

async function recordCells(db: Queryable, postingIds: readonly string[]): Promise<UsageCell[]> {
  if (postingIds.length === 0) return []
  const rows = await db.rows<CellRow>(sql`
    select u.posting_id, coalesce(u.payer, u.tenant) as payer, (u.completed_at_ms + 28800000) / 86400000 as day, u.tenant, u.service,
      u.record ->> 'sellSheet' as sheet, count(*) as requests,
      sum(u.uncached_input + u.cache_write + u.cache_read + u.output + u.reasoning) as tokens, sum(u.sell) as sell,
      sum(coalesce(u.gift, 0)) as gift, sum(coalesce(u.credit, 0)) as credit, sum(coalesce(u.booked_tax, u.tax)) as tax,
      sum(u.buy + case when u.attempt_costs is null then 0 else (
        select sum(c."buyPico") from jsonb_to_recordset(u.attempt_costs) as c ("buyPico" numeric)) end) as buy
      from charging.usage_record u
     where u.posting_id = any(${postingIds}::text[])
     group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
  `)
  return rows.map((row) => ({
    postingId: row.posting_id,
    payer: row.payer,
    day: dateOfDay(Number(row.day)),
    tenant: row.tenant,
    service: row.service,
    sheet: row.sheet,
    requests: Number(row.requests),
    tokens: integerFromNumeric(row.tokens),
    sellPico: integerFromNumeric(row.sell),
    giftPico: integerFromNumeric(row.gift),
    creditPico: integerFromNumeric(row.credit),
    taxPico: integerFromNumeric(row.tax),
    buyPico: integerFromNumeric(row.buy),
  }))
}

/** What the records themselves say, beside the columns that everything else is summed from. */
export async function usageAsWritten(db: Queryable, postingIds: readonly string[]): Promise<WrittenUsage[]> {
  if (postingIds.length === 0) return []
  const rows = await db.rows<
    Pick<CellRow, 'posting_id' | 'day' | 'service' | 'requests' | 'tokens' | 'sell' | 'buy'>
  >(sql`
    select u.posting_id, ((u.record ->> 'completedAtMs')::bigint + 28800000) / 86400000 as day, u.record ->> 'service' as service,
      count(*) as requests, sum(t.tokens) as tokens, sum((u.record ->> 'sellPico')::numeric) as sell,
      sum((u.record ->> 'buyPico')::numeric + a.buy) as buy
      from charging.usage_record u
      cross join lateral (select sum(value::numeric) as tokens from json_each_text(u.record -> 'tokens')) t
      cross join lateral (
        select coalesce(sum((value ->> 'buyPico')::numeric), 0) as buy from json_array_elements(u.record -> 'attempts')) a
     where u.posting_id = any(${postingIds}::text[])
     group by 1, 2, 3 order by 1, 2, 3
  `)
  return rows.map((row) => ({
    postingId: row.posting_id,
    day: dateOfDay(Number(row.day)),
    service: row.service,
    requests: Number(row.requests),
    tokens: integerFromNumeric(row.tokens),
    sellPico: integerFromNumeric(row.sell),
    buyPico: integerFromNumeric(row.buy),
  }))
}

/** Records behind postings, by id, a page at a time. */
export async function bookedRecords(db: Queryable, query: RecordQuery): Promise<BookedRecord[]> {
  if (query.postingIds.length === 0) return []
  const { payer, service, sheet, after } = query
  const rows = await db.rows<{
    record: UsageRecord
    posting_id: string
    gift: string
    credit: string
    tax: string
  }>(sql`
    select u.record, u.posting_id, coalesce(u.gift, 0) as gift, coalesce(u.credit, 0) as credit, coalesce(u.booked_tax, u.tax) as tax
      from charging.usage_record u
     where u.posting_id = any(${query.postingIds}::text[])
       and u.completed_at_ms >= ${query.fromMs}::bigint and u.completed_at_ms < ${query.toMs}::bigint
       and ${payer === undefined ? sql`true` : sql`coalesce(u.payer, u.tenant) = ${payer}`}
       and ${service === undefined ? sql`true` : sql`u.service = ${service}`}
       and ${sheet === undefined ? sql`true` : sql`u.record ->> 'sellSheet' = ${sheet}`}
       and ${after === undefined ? sql`true` : sql`u.id > ${after}`}
     order by u.id limit ${query.limit}
  `)
  return rows.map((row) => ({
    record: row.record,
    postingId: row.posting_id,
    correction: null,
    sellPico: BigInt(row.record.sellPico),
    giftPico: integerFromNumeric(row.gift),
    creditPico: integerFromNumeric(row.credit),
    taxPico: integerFromNumeric(row.tax),
  }))
}

type Corrected = BookedRecord & { readonly correction: string; readonly payer: string }

/** What corrections behind postings changed, each with the record that it is about. In the order of their names. */
async function correctionsBehind(db: Queryable, postingIds: readonly string[]): Promise<Corrected[]> {
  const rows = [...(await bookingsBehind(db, postingIds)).values()].flat()
  const corrections = rows.flatMap((row) =>
    row.booking.kind === 'correction' ? [{ ...row, booking: row.booking }] : [],
  )
  if (corrections.length === 0) return []
  const records = await db.rows<{ id: string; record: UsageRecord }>(sql`
    select id, record from charging.usage_record where id = any(${corrections.map(({ about }) => about ?? '')}::text[])
  `)
  const byId = new Map(records.map(({ id, record }) => [id, record]))
  return corrections
    .flatMap(({ key, about, postingId, booking }): Corrected[] => {
      const record = byId.get(about ?? '')
      if (!record) return []
      const change = (name: 'sell' | 'gift' | 'credit' | 'tax') => booking.after[name] - booking.before[name]
      const money = {
        sellPico: change('sell'),
        giftPico: change('gift'),
        creditPico: change('credit'),
        taxPico: change('tax'),
      }
      return [{ record, postingId, correction: key, payer: booking.tenant, ...money }]
    })
    .toSorted((a, b) => (a.correction < b.correction ? -1 : 1))
}

async function correctionCells(db: Queryable, postingIds: readonly string[]): Promise<UsageCell[]> {
  return (await correctionsBehind(db, postingIds)).map(cellOf)
}

/** A correction repeats neither the request nor its tokens. */
function cellOf({ record, postingId, payer, sellPico, giftPico, creditPico, taxPico }: Corrected): UsageCell {
  return {
    ...{ postingId, payer, sellPico, giftPico, creditPico, taxPico },
    day: chinaDate(record.completedAtMs),
    tenant: record.tenant,
    service: record.service,
    sheet: record.sellSheet,
    requests: 0,
    tokens: 0n,
    buyPico: 0n,
  }
}

/** Corrections behind postings that fit a query; its page begins after a correction's name. */
export async function bookedCorrections(db: Queryable, query: RecordQuery): Promise<BookedRecord[]> {
  const { payer, service, sheet, fromMs, toMs, after = '', limit } = query
  return (await correctionsBehind(db, query.postingIds))
    .filter(
      (each) =>
        each.correction > after &&
        (payer === undefined || each.payer === payer) &&
        (service === undefined || each.record.service === service) &&
        (sheet === undefined || each.record.sellSheet === sheet) &&
        each.record.completedAtMs >= fromMs &&
        each.record.completedAtMs < toMs,
    )
    .slice(0, limit)
}

/** Fees behind postings, and what was given back of them. */
export async function feesBehind(db: Queryable, postingIds: readonly string[]): Promise<FeeFact[]> {
  const rows = [...(await bookingsBehind(db, postingIds)).values()].flat()
  return rows.flatMap((row) => feeOf(row) ?? [])
}

function feeOf({ booking, about, postingId, bookedAtMs }: BookingRow): FeeFact | undefined {
  if ((booking.kind !== 'fee' && booking.kind !== 'fee_refund') || about === null) return undefined
  const sign = booking.kind === 'fee' ? 1n : -1n
  const { tenant, paid, credit, tax } = booking
  const money = { grossPico: sign * (paid + credit), creditPico: sign * credit, taxPico: sign * tax }
  return { postingId, reference: about, tenant, ...money, bookedAtMs }
}

/**
 * Records completed from `fromMs` (inclusive) to `toMs` (exclusive), by id, a page at a time, without who covers their price. Ask for
 * short spans: each page looks at all of its span that is left.
 */
export async function recordsCompleted(
  db: Queryable,
  { fromMs, toMs, after, limit }: { fromMs: number; toMs: number; after: string; limit: number },
): Promise<UsageRecord[]> {
  const rows = await db.rows<{ record: UsageRecord }>(sql`
    select record from charging.usage_record
     where completed_at_ms >= ${fromMs}::bigint and completed_at_ms < ${toMs}::bigint and id > ${after}
     order by id limit ${limit}::bigint
  `)
  return rows.map(({ record }) => record)
}
