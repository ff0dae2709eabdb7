import type { UsageRecord } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { BurnColumns } from '../ingest/burn.ts'
import { burnSelection, toBurn } from '../ingest/store.ts'
import type { RawBurn } from '../ingest/store.ts'

export interface Correction {
  readonly usageId: string
  readonly version: number
  readonly kind: 'rerate' | 'refund'
  readonly booking: string
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly sellSheet: string
  /** False: the tokens that the record drew from lots were given back. */
  readonly drawsKept: boolean
  readonly burn: BurnColumns
  readonly reason: string
  readonly by: string
  readonly madeAtMs: number
}

interface Raw extends RawBurn {
  usage_id: string
  version: number
  kind: Correction['kind']
  booking: string
  sell: string
  tax: string
  sell_sheet: string
  draws_kept: boolean
  reason: string
  decided_by: string
  made_at_ms: bigint
}

const columns = sql`usage_id, version, kind, booking, sell, tax, sell_sheet, draws_kept, reason, decided_by, made_at_ms, ${burnSelection}`

function toCorrection(row: Raw): Correction {
  return {
    usageId: row.usage_id,
    version: row.version,
    kind: row.kind,
    booking: row.booking,
    sellPico: integerFromNumeric(row.sell),
    taxPico: integerFromNumeric(row.tax),
    sellSheet: row.sell_sheet,
    drawsKept: row.draws_kept,
    burn: toBurn(row),
    reason: row.reason,
    by: row.decided_by,
    madeAtMs: Number(row.made_at_ms),
  }
}

export async function correctionsOf(db: Queryable, usageIds: readonly string[]): Promise<Correction[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.correction where usage_id = any(${usageIds}::text[]) order by usage_id, version
    `)
  ).map(toCorrection)
}

/** Of a tenant's requests, newest first. */
export async function newestCorrections(db: Queryable, tenant: string, limit: number): Promise<Correction[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.correction
       where tenant = ${tenant} order by made_at_ms desc, usage_id, version desc limit ${limit}
    `)
  ).map(toCorrection)
}

export async function insertCorrection(
  tx: Transaction,
  correction: Correction & { readonly tenant: string },
): Promise<void> {
  const { burn } = correction
  await tx.rows(sql`
    insert into charging.correction (usage_id, tenant, version, kind, booking, sell, tax, sell_sheet, draws_kept, lots, lot_amounts, gift, credit,
      overrun, booked_tax, reason, decided_by, made_at_ms)
    values (${correction.usageId}, ${correction.tenant}, ${correction.version}, ${correction.kind}, ${correction.booking}, ${correction.sellPico}::numeric,
      ${correction.taxPico}::numeric, ${correction.sellSheet}, ${correction.drawsKept}, ${burn.lots}::text[], ${burn.lotAmounts}::numeric[],
      ${burn.giftPico}::numeric, ${burn.creditPico}::numeric, ${burn.overrunPico}::numeric, ${burn.bookedTaxPico}::numeric,
      ${correction.reason}, ${correction.by}, ${correction.madeAtMs}::bigint)
  `)
}

export interface RecordedUsage {
  readonly record: UsageRecord
  readonly burn: BurnColumns
}

export async function recordedUsage(db: Queryable, ids: readonly string[]): Promise<RecordedUsage[]> {
  const rows = await db.rows<RawBurn & { record: UsageRecord }>(sql`
    select record, ${burnSelection} from charging.usage_record where id = any(${ids}::text[]) order by id
  `)
  return rows.map((row) => ({ record: row.record, burn: toBurn(row) }))
}

/** Which requests: by when they were completed, start inclusive and end exclusive. */
export interface UsageFilter {
  readonly tenant?: string
  readonly service?: string
  /** The sheet that they were recorded with. */
  readonly sheet?: string
  readonly fromMs: number
  readonly toMs: number
}

export async function usageIdsAfter(
  db: Queryable,
  { tenant, service, sheet, fromMs, toMs }: UsageFilter,
  page: { id: string; limit: number },
): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select id from charging.usage_record
     where id > ${page.id} and completed_at_ms >= ${fromMs}::bigint and completed_at_ms < ${toMs}::bigint
       and ${tenant === undefined ? sql`true` : sql`tenant = ${tenant}`} and ${service === undefined ? sql`true` : sql`service = ${service}`}
       and ${sheet === undefined ? sql`true` : sql`record ->> 'sellSheet' = ${sheet}`}
     order by id limit ${page.limit}
  `)
  return rows.map((row) => row.id)
}

export async function correctedIdsAfter(db: Queryable, page: { id: string; limit: number }): Promise<string[]> {
  const rows = await db.rows<{ usage_id: string }>(sql`
    select distinct usage_id from charging.correction where usage_id > ${page.id} order by usage_id limit ${page.limit}
  `)
  return rows.map((row) => row.usage_id)
}
