import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Definition } from '../definitions/model.ts'

/** Amounts in the bucket's own unit: pico-yuan, or millionths of a conversion table's unit. */
export interface Bucket {
  readonly id: string
  readonly tenant: string
  readonly kind: 'wallet' | 'tokens' | 'throughput' | 'cap'
  readonly unit: string
  readonly posted: bigint
  readonly escrowed: bigint
  readonly creditLimit: bigint
  /** What the limit comes down to as credit is repaid; below `creditLimit` only while more than that is in use. */
  readonly creditAgreed: bigint
  /** The two sources of what is agreed. */
  readonly creditDeclared: bigint
  readonly creditOrdered: bigint
  readonly mode: 'strict' | 'available'
  readonly overrun: bigint
  /** Of earlier overruns, what nobody has paid or will. */
  readonly writtenOff: bigint
  readonly giftPriority: number
  readonly paidPriority: number
  /** The period that it is of; null for wallets and lots of tokens. */
  readonly period: { readonly fromMs: number; readonly toMs: number } | null
}

/** What another slice may take: credit counts. */
export function availableOf({ posted, escrowed, creditLimit }: Bucket): bigint {
  return posted + creditLimit - escrowed
}

interface Raw {
  id: string
  tenant: string
  kind: Bucket['kind']
  unit: string
  posted: string
  escrowed: string
  credit_limit: string
  credit_agreed: string
  credit_declared: string
  credit_ordered: string
  mode: Bucket['mode']
  overrun: string
  written_off: string
  gift_priority: number
  paid_priority: number
  valid_from_ms: bigint | null
  valid_to_ms: bigint | null
}

const columns = sql`id, tenant, kind, unit, posted, escrowed, credit_limit, credit_agreed, credit_declared, credit_ordered, mode, overrun, written_off, gift_priority, paid_priority,
  valid_from_ms, valid_to_ms`

function toBucket(row: Raw): Bucket {
  return {
    id: row.id,
    tenant: row.tenant,
    kind: row.kind,
    unit: row.unit,
    posted: integerFromNumeric(row.posted),
    escrowed: integerFromNumeric(row.escrowed),
    creditLimit: integerFromNumeric(row.credit_limit),
    creditAgreed: integerFromNumeric(row.credit_agreed),
    creditDeclared: integerFromNumeric(row.credit_declared),
    creditOrdered: integerFromNumeric(row.credit_ordered),
    mode: row.mode,
    overrun: integerFromNumeric(row.overrun),
    writtenOff: integerFromNumeric(row.written_off),
    giftPriority: row.gift_priority,
    paidPriority: row.paid_priority,
    period:
      row.valid_from_ms === null || row.valid_to_ms === null
        ? null
        : { fromMs: Number(row.valid_from_ms), toMs: Number(row.valid_to_ms) },
  }
}

/** Locks buckets in the order of their ids, as everybody does, so two transactions never wait for each other. */
export async function lockBuckets(tx: Transaction, ids: readonly string[]): Promise<Bucket[]> {
  return (
    await tx.rows<Raw>(
      sql`select ${columns} from charging.bucket where id = any(${ids}::text[]) order by id for update`,
    )
  ).map(toBucket)
}

export async function findBucket(db: Queryable, id: string): Promise<Bucket | undefined> {
  const [row] = await db.rows<Raw>(sql`select ${columns} from charging.bucket where id = ${id}`)
  return row && toBucket(row)
}

/** In the order of their names, so that two transactions that open the same ones never wait for each other. */
export async function openWallets(tx: Transaction, tenants: readonly string[]): Promise<void> {
  await tx.rows(sql`
    insert into charging.bucket (id, tenant, kind, unit)
    select 'wallet:' || tenant, tenant, 'wallet', 'CNY' from unnest(${tenants.toSorted()}::text[]) as fresh (tenant)
    on conflict do nothing
  `)
}

/** By id, without periods that are over. */
export async function bucketsOf(db: Queryable, tenant: string, nowMs: number): Promise<Bucket[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.bucket
       where tenant = ${tenant} and (valid_to_ms is null or valid_to_ms > ${nowMs}::bigint) order by id
    `)
  ).map(toBucket)
}

export async function openTokens(
  tx: Transaction,
  names: readonly { readonly tenant: string; readonly table: string }[],
): Promise<void> {
  await tx.rows(sql`
    insert into charging.bucket (id, tenant, kind, unit)
    select distinct 'tokens:' || tenant || '/' || unit as id, tenant, 'tokens', unit
      from unnest(${names.map((name) => name.tenant)}::text[], ${names.map((name) => name.table)}::text[]) as fresh (tenant, unit)
     order by id
    on conflict do nothing
  `)
}

/** Wallets and buckets of tokens. */
export async function lockAccountBuckets(tx: Transaction, tenants: readonly string[]): Promise<Bucket[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.bucket
       where tenant = any(${tenants}::text[]) and kind in ('wallet', 'tokens') order by id for update
    `)
  ).map(toBucket)
}

export async function setAccount(
  tx: Transaction,
  terms: Pick<
    Bucket,
    'id' | 'creditLimit' | 'creditDeclared' | 'creditOrdered' | 'mode' | 'giftPriority' | 'paidPriority'
  >,
): Promise<void> {
  await tx.rows(sql`
    update charging.bucket
       set credit_limit = ${terms.creditLimit}::numeric, credit_agreed = ${terms.creditDeclared}::numeric + ${terms.creditOrdered}::numeric,
           credit_declared = ${terms.creditDeclared}::numeric, credit_ordered = ${terms.creditOrdered}::numeric, mode = ${terms.mode}, gift_priority = ${terms.giftPriority},
           paid_priority = ${terms.paidPriority}
     where id = ${terms.id}
  `)
}

export interface BucketMove {
  readonly id: string
  readonly posted: bigint
  readonly escrowed: bigint
  readonly overrun?: bigint
}

/** A limit that was brought down while credit was in use follows what is still used, until it is what was agreed. */
export async function moveBuckets(tx: Transaction, moves: readonly BucketMove[]): Promise<void> {
  if (moves.length === 0) return
  await tx.rows(sql`
    update charging.bucket b set posted = b.posted + m.posted, escrowed = b.escrowed + m.escrowed, overrun = b.overrun + m.overrun,
           credit_limit = greatest(b.credit_agreed, least(b.credit_limit, b.escrowed + m.escrowed - b.posted - m.posted))
      from unnest(${moves.map((move) => move.id)}::text[], ${moves.map((move) => move.posted)}::numeric[],
        ${moves.map((move) => move.escrowed)}::numeric[], ${moves.map((move) => move.overrun ?? 0n)}::numeric[])
        as m (id, posted, escrowed, overrun)
     where b.id = m.id
  `)
}

/** Of what was written off, a correction has found that it was never owed. */
export async function moveWrittenOff(tx: Transaction, id: string, change: bigint): Promise<void> {
  if (change === 0n) return
  await tx.rows(sql`update charging.bucket set written_off = written_off + ${change}::numeric where id = ${id}`)
}

/** Rounding to fen may take a tenant that is at its limit a little beyond: the limit gives way, because the invoice stands. */
export async function moveReceivable(
  tx: Transaction,
  { id, credit, overrun, writtenOff }: { id: string; credit: bigint; overrun: bigint; writtenOff: bigint },
): Promise<void> {
  await tx.rows(sql`
    update charging.bucket
       set posted = posted - ${credit}::numeric, overrun = overrun + ${overrun}::numeric, written_off = written_off + ${writtenOff}::numeric,
           credit_limit = greatest(credit_agreed, escrowed - posted + ${credit}::numeric)
     where id = ${id}
  `)
}

/** By tenant and, inside it, by id. */
export async function bucketsOfKind(db: Queryable, kind: Bucket['kind'], tenant?: string): Promise<Bucket[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.bucket
       where kind = ${kind} and ${tenant === undefined ? sql`true` : sql`tenant = ${tenant}`} order by tenant, id
    `)
  ).map(toBucket)
}

/** Where a page of periods ends: by their ends and, among equals, by their ids. */
export interface PeriodEnd {
  readonly endMs: number
  readonly id: string
}

/**
 * Of a page of periods that ended up to a time, in the order of their ends: deletes those that nobody used. Locks buckets before slices,
 * as everybody does; who holds one of them at the moment keeps it. `last`: where the next page begins, if there may be one.
 */
export async function deleteUnusedPeriods(
  tx: Transaction,
  page: {
    readonly after: PeriodEnd
    readonly toMs: number
    readonly limit: number
  },
): Promise<{ pruned: number; last: PeriodEnd | undefined }> {
  const { after, toMs, limit } = page
  const seen = await tx.rows<{ id: string; valid_to_ms: bigint }>(sql`
    select id, valid_to_ms from charging.bucket
     where definition is not null and (valid_to_ms, id) > (${after.endMs}::bigint, ${after.id}) and valid_to_ms <= ${toMs}::bigint
     order by valid_to_ms, id limit ${limit}
  `)
  const end = seen.at(-1)
  const last = seen.length === limit && end ? { endMs: Number(end.valid_to_ms), id: end.id } : undefined
  const locked = await tx.rows<{ id: string }>(sql`
    select b.id from charging.bucket b
     where b.id = any(${seen.map(({ id }) => id)}::text[]) and b.posted = b.granted and b.escrowed = 0
       and not exists (select 1 from charging.slice s where s.bucket = b.id and (s.state <> 'closed' or s.records > 0))
     order by b.id for update skip locked
  `)
  const ids = locked.map(({ id }) => id)
  await tx.rows(sql`delete from charging.slice where bucket = any(${ids}::text[])`)
  await tx.rows(sql`delete from charging.bucket where id = any(${ids}::text[])`)
  return { pruned: ids.length, last }
}

/** Fills the bucket of a period, unless somebody was first. */
export async function openPeriod(
  tx: Transaction,
  bucket: { id: string; definition: Definition; fromMs: number; toMs: number },
): Promise<void> {
  const { id, tenant, kind, unit, amount } = { ...bucket.definition, id: bucket.id }
  await tx.rows(sql`
    insert into charging.bucket (id, tenant, kind, unit, posted, granted, definition, valid_from_ms, valid_to_ms)
    values (${id}, ${tenant}, ${kind}, ${unit}, ${amount}::numeric, ${amount}::numeric, ${bucket.definition.id}, ${bucket.fromMs}::bigint,
      ${bucket.toMs}::bigint)
    on conflict do nothing
  `)
}

/** Buckets of a definition's periods that are not over. */
export async function lockPeriods(tx: Transaction, definition: string, nowMs: number): Promise<Bucket[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.bucket where definition = ${definition} and valid_to_ms > ${nowMs}::bigint order by id for update
    `)
  ).map(toBucket)
}

export async function refillPeriod(tx: Transaction, id: string, change: bigint): Promise<void> {
  await tx.rows(
    sql`update charging.bucket set posted = posted + ${change}::numeric, granted = granted + ${change}::numeric where id = ${id}`,
  )
}

export interface TopupRow {
  readonly reference: string
  readonly tenant: string
  readonly amountPico: bigint
  /** What of it settled an overrun. */
  readonly repaidPico: bigint
  readonly postingId: string
  readonly bookedAtMs: number
}

/** True if the reference is new. */
export async function insertTopup(tx: Transaction, topup: TopupRow): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into charging.topup (reference, tenant, amount, repaid, posting_id, booked_at_ms)
    values (${topup.reference}, ${topup.tenant}, ${topup.amountPico}::numeric, ${topup.repaidPico}::numeric, ${topup.postingId},
      ${topup.bookedAtMs}::bigint)
    on conflict (reference) do nothing returning reference
  `)
  return rows.length === 1
}

export async function topupsAfter(db: Queryable, page: { reference: string; limit: number }): Promise<TopupRow[]> {
  const rows = await db.rows<{
    reference: string
    tenant: string
    amount: string
    repaid: string
    posting_id: string
    booked_at_ms: bigint
  }>(sql`
    select reference, tenant, amount, repaid, posting_id, booked_at_ms from charging.topup
     where reference > ${page.reference} order by reference limit ${page.limit}
  `)
  return rows.map((row) => ({
    reference: row.reference,
    tenant: row.tenant,
    amountPico: integerFromNumeric(row.amount),
    repaidPico: integerFromNumeric(row.repaid),
    postingId: row.posting_id,
    bookedAtMs: Number(row.booked_at_ms),
  }))
}

export async function topupByReference(
  db: Queryable,
  reference: string,
): Promise<{ tenant: string; amountPico: bigint } | undefined> {
  const [row] = await db.rows<{ tenant: string; amount: string }>(
    sql`select tenant, amount from charging.topup where reference = ${reference}`,
  )
  return row && { tenant: row.tenant, amountPico: integerFromNumeric(row.amount) }
}
