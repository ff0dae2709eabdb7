import { copyValue, integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { BurnColumns } from './burn.ts'
import type { Arrival } from './fingerprint.ts'
import type { AttemptCost, RecordColumns } from './model.ts'
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
 * Inserts records in the order of their ids. They are copied in, which costs PostgreSQL a third of an insert; one that is there
 * already breaks the primary key.
 */
export async function insertRecords(
  tx: Transaction,
  rows: readonly { readonly arrival: Arrival; readonly columns: RecordColumns; readonly burn: BurnColumns }[],
  postingId: string,
): Promise<void> {
  let lines = ''
  for (const row of rows) lines += `${lineOf(row, postingId)}\n`
  await tx.copy(
    sql`copy charging.usage_record (id, content_hash, posting_id, slice, tenant, key, service, supplier, ending, completed_at_ms,
      uncached_input, cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record,
      payer, tier, draws, lots, lot_amounts, gift, credit, overrun, booked_tax, attempt_costs) from stdin`,
    lines,
  )
}

/** Ids of lots and numbers need no quotes in an array. */
const list = (values: readonly (string | bigint)[] | null): string | null => values && `{${values.join(',')}}`

function lineOf(
  {
    arrival,
    columns,
    burn,
  }: { readonly arrival: Arrival; readonly columns: RecordColumns; readonly burn: BurnColumns },
  postingId: string,
): string {
  const { slice, tenant, key, service, supplier, ending, ttftBucket, payer, tier, draws } = columns
  const { giftPico, creditPico, overrunPico, bookedTaxPico } = burn
  return [
    copyValue(arrival.record.id),
    `\\\\x${arrival.contentHash}`,
    postingId,
    copyValue(slice),
    copyValue(tenant),
    copyValue(key),
    copyValue(service),
    copyValue(supplier),
    ending,
    columns.completedAtMs,
    columns.uncachedInput,
    columns.cacheWrite,
    columns.cacheRead,
    columns.output,
    columns.reasoning,
    copyValue(ttftBucket),
    columns.pacedTokens,
    columns.pacedMs,
    columns.sellPico,
    columns.taxPico,
    columns.buyPico,
    copyValue(arrival.text),
    copyValue(payer),
    copyValue(tier),
    copyValue(draws),
    copyValue(list(burn.lots)),
    copyValue(list(burn.lotAmounts)),
    copyValue(giftPico),
    copyValue(creditPico),
    copyValue(overrunPico),
    copyValue(bookedTaxPico),
    copyValue(columns.attemptCosts),
  ].join('\t')
}

/** What attempts that did not serve cost, by posting and supplier. */
export async function attemptCostsBehind(
  db: Queryable,
  postingIds: readonly string[],
): Promise<Map<string, (AttemptCost & { postingId: string })[]>> {
  const rows = await db.rows<{ posting_id: string; supplier: string; buy: string }>(sql`
    select posting_id, c.supplier, sum(c."buyPico") as buy
      from charging.usage_record, jsonb_to_recordset(attempt_costs) as c (supplier text, "buyPico" numeric)
     where posting_id = any(${postingIds}::text[]) and attempt_costs is not null
     group by 1, 2
  `)
  const costs = rows.map((row) => ({
    postingId: row.posting_id,
    supplier: row.supplier,
    buyPico: integerFromNumeric(row.buy),
  }))
  return Map.groupBy(costs, (each) => each.postingId)
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
