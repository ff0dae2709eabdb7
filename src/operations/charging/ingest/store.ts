import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, SqlScalar, Transaction } from '#platform/postgres'
import type { BurnColumns } from './burn.ts'
import type { Arrival } from './fingerprint.ts'
import type { RecordColumns } from './model.ts'
import type { Cell } from './rollup.ts'

/** The columns of a record's row that say what it burned, as text that no driver rounds. */
export const burnSelection = sql`lots, lot_amounts::text[] as lot_amounts, gift, credit, overrun, booked_tax`

export interface RawBurn {
  lots: string[] | null
  lot_amounts: string[] | null
  gift: string | null
  credit: string | null
  overrun: string | null
  booked_tax: string | null
}

export function toBurn(row: RawBurn): BurnColumns {
  const amount = (text: string | null) => (text === null ? null : integerFromNumeric(text))
  return {
    lots: row.lots,
    lotAmounts: row.lot_amounts && row.lot_amounts.map(integerFromNumeric),
    giftPico: amount(row.gift),
    creditPico: amount(row.credit),
    overrunPico: amount(row.overrun),
    bookedTaxPico: amount(row.booked_tax),
  }
}

export async function knownHashes(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ id: string; content_hash: string }>(sql`
    select id, encode(content_hash, 'hex') as content_hash from charging.usage_record where id = any(${ids}::text[])
  `)
  return new Map(rows.map((row) => [row.id, row.content_hash]))
}

/**
 * Inserts records in the order of their ids and returns how many were new. The records travel as lines, because JSON text never
 * holds a line feed and an array literal would escape every quote.
 */
export async function insertRecords(
  tx: Transaction,
  rows: readonly { readonly arrival: Arrival; readonly columns: RecordColumns; readonly burn: BurnColumns }[],
  postingId: string,
): Promise<number> {
  const burn = <Name extends keyof BurnColumns>(name: Name): BurnColumns[Name][] => rows.map((row) => row.burn[name])
  // Most batches have none of these, and unnest fills up what is missing with nulls: a column of nulls need not travel.
  const sparse = <Value extends SqlScalar>(values: readonly Value[]): readonly Value[] | null =>
    values.some((value) => value !== null) ? values : null
  // unnest takes lists apart, so lists in a column travel as text. Ids of lots and numbers need no quotes.
  const lists = (name: 'lots' | 'lotAmounts') => burn(name).map((list) => list && `{${list.join(',')}}`)
  const column = <Name extends keyof RecordColumns>(name: Name): RecordColumns[Name][] =>
    rows.map((row) => row.columns[name])
  const inserted = await tx.rows(sql`
    insert into charging.usage_record (id, content_hash, posting_id, slice, tenant, key, service, supplier, ending, completed_at_ms,
      uncached_input, cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record,
      payer, tier, draws, lots, lot_amounts, gift, credit, overrun, booked_tax)
    select id, decode(content_hash, 'hex'), ${postingId}, slice, tenant, key, service, supplier, ending, completed_at_ms,
      uncached_input, cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record::jsonb,
      payer, tier, draws::jsonb, lots::text[], lot_amounts::numeric[], gift, credit, overrun, booked_tax
      from unnest(${rows.map((row) => row.arrival.record.id)}::text[], ${rows.map((row) => row.arrival.contentHash)}::text[],
        ${column('slice')}::text[], ${column('tenant')}::text[], ${column('key')}::text[], ${column('service')}::text[],
        ${column('supplier')}::text[], ${column('ending')}::text[], ${column('completedAtMs')}::bigint[],
        ${column('uncachedInput')}::bigint[], ${column('cacheWrite')}::bigint[], ${column('cacheRead')}::bigint[],
        ${column('output')}::bigint[], ${column('reasoning')}::bigint[], ${column('ttftBucket')}::smallint[],
        ${column('pacedTokens')}::bigint[], ${column('pacedMs')}::bigint[], ${column('sellPico')}::numeric[],
        ${column('taxPico')}::numeric[], ${column('buyPico')}::numeric[], string_to_array(${rows.map((row) => row.arrival.text).join('\n')}, E'\\n'),
        ${sparse(column('payer'))}::text[], ${sparse(column('tier'))}::text[], ${sparse(column('draws'))}::text[], ${sparse(lists('lots'))}::text[],
        ${sparse(lists('lotAmounts'))}::text[], ${sparse(burn('giftPico'))}::numeric[], ${sparse(burn('creditPico'))}::numeric[],
        ${sparse(burn('overrunPico'))}::numeric[], ${sparse(burn('bookedTaxPico'))}::numeric[])
      as fresh (id, content_hash, slice, tenant, key, service, supplier, ending, completed_at_ms, uncached_input, cache_write, cache_read,
        output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record, payer, tier, draws, lots, lot_amounts, gift, credit,
        overrun, booked_tax)
    on conflict (id) do nothing
    returning 1
  `)
  return inserted.length
}

export async function addToRollups(tx: Transaction, cells: readonly Cell[]): Promise<void> {
  const column = <Name extends keyof Cell>(name: Name): Cell[Name][] => cells.map((cell) => cell[name])
  await tx.rows(sql`
    insert into charging.usage_rollup as old (span, start_ms, tenant, service, supplier, key, requests, failed, uncached_input, cache_write,
      cache_read, output, reasoning, paced_tokens, paced_ms, ttft, sell, buy)
    select span, start_ms, tenant, service, supplier, key, requests, failed, uncached_input, cache_write,
      cache_read, output, reasoning, paced_tokens, paced_ms, ttft::bigint[], sell, buy
      from unnest(${column('span')}::text[], ${column('startMs')}::bigint[], ${column('tenant')}::text[], ${column('service')}::text[],
        ${column('supplier')}::text[], ${column('key')}::text[], ${column('requests')}::bigint[], ${column('failed')}::bigint[],
        ${column('uncachedInput')}::bigint[], ${column('cacheWrite')}::bigint[], ${column('cacheRead')}::bigint[],
        ${column('output')}::bigint[], ${column('reasoning')}::bigint[], ${column('pacedTokens')}::bigint[],
        ${column('pacedMs')}::bigint[], ${column('ttft').map((counts) => `{${counts.join(',')}}`)}::text[],
        ${column('sellPico')}::numeric[], ${column('buyPico')}::numeric[])
      as fresh (span, start_ms, tenant, service, supplier, key, requests, failed, uncached_input, cache_write, cache_read, output,
        reasoning, paced_tokens, paced_ms, ttft, sell, buy)
    on conflict (span, start_ms, tenant, service, supplier, key) do update set
      requests = old.requests + excluded.requests, failed = old.failed + excluded.failed,
      uncached_input = old.uncached_input + excluded.uncached_input, cache_write = old.cache_write + excluded.cache_write,
      cache_read = old.cache_read + excluded.cache_read, output = old.output + excluded.output,
      reasoning = old.reasoning + excluded.reasoning, paced_tokens = old.paced_tokens + excluded.paced_tokens,
      paced_ms = old.paced_ms + excluded.paced_ms, ttft = charging.add_counts(old.ttft, excluded.ttft),
      sell = old.sell + excluded.sell, buy = old.buy + excluded.buy
  `)
}
