import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Charge, ChargeSums } from '../model/lines.ts'
import type { ChargeMove, TaxedCell } from './model.ts'

export async function lockProgress(tx: Transaction): Promise<number> {
  const [row] = await tx.rows<{ seq: bigint }>(sql`select seq from billing.progress for update`)
  if (!row) throw new Error('billing.progress has no row')
  return Number(row.seq)
}

export async function readProgress(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ seq: bigint }>(sql`select seq from billing.progress`)
  return Number(row?.seq ?? 0)
}

export async function moveProgress(tx: Transaction, seq: number): Promise<void> {
  await tx.rows(sql`update billing.progress set seq = ${seq}::bigint`)
}

export async function addDays(tx: Transaction, cells: readonly TaxedCell[]): Promise<void> {
  const column = <Name extends keyof TaxedCell>(name: Name): TaxedCell[Name][] => cells.map((cell) => cell[name])
  await tx.rows(sql`
    insert into billing.usage_day as old (payer, day, tenant, service, sheet, tax_percent, requests, tokens, sell, gift, credit, tax, buy)
    select * from unnest(${column('payer')}::text[], ${column('day')}::text[], ${column('tenant')}::text[], ${column('service')}::text[],
      ${column('sheet')}::text[], ${column('taxPercent')}::integer[], ${column('requests')}::bigint[], ${column('tokens')}::numeric[],
      ${column('sellPico')}::numeric[], ${column('giftPico')}::numeric[], ${column('creditPico')}::numeric[], ${column('taxPico')}::numeric[],
      ${column('buyPico')}::numeric[])
    on conflict (payer, day, tenant, service, sheet, tax_percent) do update set requests = old.requests + excluded.requests,
      tokens = old.tokens + excluded.tokens, sell = old.sell + excluded.sell, gift = old.gift + excluded.gift,
      credit = old.credit + excluded.credit, tax = old.tax + excluded.tax, buy = old.buy + excluded.buy
  `)
}

export interface UsagePosting {
  readonly payer: string
  readonly day: string
  readonly seq: number
  readonly postingId: string
}

export async function addUsagePostings(tx: Transaction, rows: readonly UsagePosting[]): Promise<void> {
  const column = <Name extends keyof UsagePosting>(name: Name): UsagePosting[Name][] => rows.map((row) => row[name])
  await tx.rows(sql`
    insert into billing.usage_posting (payer, day, seq, posting_id)
    select * from unnest(${column('payer')}::text[], ${column('day')}::text[], ${column('seq')}::bigint[], ${column('postingId')}::text[])
  `)
}

export async function addCharges(tx: Transaction, moves: readonly ChargeMove[]): Promise<void> {
  const charge = <Name extends keyof Charge>(name: Name): Charge[Name][] => moves.map((move) => move.charge[name])
  const sum = <Name extends keyof ChargeSums>(name: Name): ChargeSums[Name][] => moves.map((move) => move.sums[name])
  await tx.rows(sql`
    insert into billing.charge as old (id, tenant, kind, period, description, service, sheet, tax_percent, gross, credit, tax, requests, tokens)
    select * from unnest(${charge('id')}::text[], ${charge('tenant')}::text[], ${charge('kind')}::text[], ${charge('period')}::text[],
      ${charge('description')}::text[], ${charge('service')}::text[], ${charge('sheet')}::text[], ${charge('taxPercent')}::integer[],
      ${sum('grossPico')}::numeric[], ${sum('creditPico')}::numeric[], ${sum('taxPico')}::numeric[], ${sum('requests')}::bigint[],
      ${sum('tokens')}::numeric[])
    on conflict (id) do update set gross = old.gross + excluded.gross, credit = old.credit + excluded.credit, tax = old.tax + excluded.tax,
      requests = old.requests + excluded.requests, tokens = old.tokens + excluded.tokens
  `)
}

export interface ChargeRow {
  id: string
  tenant: string
  kind: Charge['kind']
  period: string
  description: string
  service: string | null
  sheet: string | null
  tax_percent: number
  gross: string
  credit: string
  tax: string
  requests: bigint
  tokens: string
}

export function toCharge(row: ChargeRow): Charge {
  const { id, tenant, kind, period, description, service, sheet } = row
  return { id, tenant, kind, period, description, service, sheet, taxPercent: row.tax_percent }
}

export function toSums(row: Pick<ChargeRow, 'gross' | 'credit' | 'tax' | 'requests' | 'tokens'>): ChargeSums {
  return {
    grossPico: integerFromNumeric(row.gross),
    creditPico: integerFromNumeric(row.credit),
    taxPico: integerFromNumeric(row.tax),
    requests: Number(row.requests),
    tokens: integerFromNumeric(row.tokens),
  }
}

interface DayRow {
  payer: string
  day: string
  tenant: string
  service: string
  sheet: string
  tax_percent: number
  requests: bigint
  tokens: string
  sell: string
  gift: string
  credit: string
  tax: string
  buy: string
}

export async function daysOf(db: Queryable, day: string): Promise<Omit<TaxedCell, 'postingId'>[]> {
  const rows = await db.rows<DayRow>(sql`
    select payer, day, tenant, service, sheet, tax_percent, requests, tokens, sell, gift, credit, tax, buy from billing.usage_day
     where day = ${day} order by service, payer, tenant, sheet, tax_percent
  `)
  return rows.map((row) => ({
    payer: row.payer,
    day: row.day,
    tenant: row.tenant,
    service: row.service,
    sheet: row.sheet,
    taxPercent: row.tax_percent,
    requests: Number(row.requests),
    tokens: integerFromNumeric(row.tokens),
    sellPico: integerFromNumeric(row.sell),
    giftPico: integerFromNumeric(row.gift),
    creditPico: integerFromNumeric(row.credit),
    taxPico: integerFromNumeric(row.tax),
    buyPico: integerFromNumeric(row.buy),
  }))
}

/** The postings that hold usage of a payer in some days, in the order of the chain. */
export async function postingsOf(
  db: Queryable,
  query: { payer: string; fromDay: string; toDay: string; afterSeq: number; throughSeq: number; limit: number },
): Promise<{ seq: number; postingId: string }[]> {
  const rows = await db.rows<{ seq: bigint; posting_id: string }>(sql`
    select distinct seq, posting_id from billing.usage_posting
     where payer = ${query.payer} and day >= ${query.fromDay} and day <= ${query.toDay}
       and seq > ${query.afterSeq}::bigint and seq <= ${query.throughSeq}::bigint
     order by seq limit ${query.limit}
  `)
  return rows.map((row) => ({ seq: Number(row.seq), postingId: row.posting_id }))
}

export async function postingsOfDay(
  db: Queryable,
  query: { day: string; afterSeq: number; limit: number },
): Promise<{ seq: number; postingId: string }[]> {
  const rows = await db.rows<{ seq: bigint; posting_id: string }>(sql`
    select distinct seq, posting_id from billing.usage_posting where day = ${query.day} and seq > ${query.afterSeq}::bigint
     order by seq limit ${query.limit}
  `)
  return rows.map((row) => ({ seq: Number(row.seq), postingId: row.posting_id }))
}
