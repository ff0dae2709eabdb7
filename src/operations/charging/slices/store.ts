import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface SliceRow {
  readonly id: string
  readonly gateway: string
  /** Null: granted before journals had names. */
  readonly journal: string | null
  readonly epoch: number
  readonly bucket: string
  readonly amount: bigint
  readonly settled: bigint
  readonly records: number
  readonly tight: boolean
  /** `reclaimed`: given back by itself, because its bucket is to be available rather than strict. */
  readonly state: 'open' | 'closed' | 'released' | 'reclaimed'
  readonly grantedAtMs: number
  readonly validUntilMs: number
}

interface Raw {
  id: string
  gateway: string
  journal: string | null
  epoch: bigint
  bucket: string
  amount: string
  settled: string
  records: bigint
  tight: boolean
  state: SliceRow['state']
  granted_at_ms: bigint
  valid_until_ms: bigint
}

const columns = sql`id, gateway, journal, epoch, bucket, amount, settled, records, tight, state, granted_at_ms, valid_until_ms`

function toSlice(row: Raw): SliceRow {
  return {
    id: row.id,
    gateway: row.gateway,
    journal: row.journal,
    epoch: Number(row.epoch),
    bucket: row.bucket,
    amount: integerFromNumeric(row.amount),
    settled: integerFromNumeric(row.settled),
    records: Number(row.records),
    tight: row.tight,
    state: row.state,
    grantedAtMs: Number(row.granted_at_ms),
    validUntilMs: Number(row.valid_until_ms),
  }
}

export async function bumpEpoch(tx: Transaction, gateway: string, journal: string): Promise<number> {
  const [row] = await tx.rows<{ epoch: bigint }>(sql`
    insert into charging.gateway as g (id, epoch, journal) values (${gateway}, 1, ${journal})
    on conflict (id) do update set epoch = g.epoch + 1, journal = excluded.journal returning epoch
  `)
  return Number(row?.epoch)
}

/** Slices from before journals had names belong to the first that comes; after that there are none of this gateway. */
export async function claimNamelessSlices(tx: Transaction, gateway: string, journal: string): Promise<void> {
  await tx.rows(sql`
    update charging.slice set journal = ${journal} where gateway = ${gateway} and state = 'open' and journal is null
  `)
}

/** Shared, so that grants run side by side; a new registration waits for them, and they see it or come before it. */
export async function lockRegistrations(
  tx: Transaction,
  gateways: readonly string[],
): Promise<ReadonlyMap<string, { epoch: number; journal: string | null }>> {
  const rows = await tx.rows<{ id: string; epoch: bigint; journal: string | null }>(
    sql`select id, epoch, journal from charging.gateway where id = any(${gateways}::text[]) order by id for share`,
  )
  return new Map(rows.map(({ id, epoch, journal }) => [id, { epoch: Number(epoch), journal }]))
}

/** The slices that these grants have made before. */
export async function slicesOfGrants(
  tx: Transaction,
  grants: readonly { readonly gateway: string; readonly epoch: number; readonly seq: number }[],
): Promise<SliceRow[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.slice
       where (gateway, epoch, seq) in (
         select * from unnest(${grants.map(({ gateway }) => gateway)}::text[], ${grants.map(({ epoch }) => epoch)}::bigint[],
           ${grants.map(({ seq }) => seq)}::bigint[]))
    `)
  ).map(toSlice)
}

/** A slice and the number of the grant that made it. */
export interface NewSlice extends SliceRow {
  readonly seq: number
}

/** How many of them are new: the others' numbers were taken meanwhile. */
export async function insertSlices(tx: Transaction, slices: readonly NewSlice[]): Promise<number> {
  const column = <Name extends keyof NewSlice>(name: Name): NewSlice[Name][] => slices.map((slice) => slice[name])
  const rows = await tx.rows(sql`
    insert into charging.slice (id, gateway, journal, epoch, seq, bucket, amount, tight, granted_at_ms, valid_until_ms)
    select * from unnest(${column('id')}::text[], ${column('gateway')}::text[], ${column('journal')}::text[], ${column('epoch')}::bigint[],
      ${column('seq')}::bigint[], ${column('bucket')}::text[], ${column('amount')}::numeric[], ${column('tight')}::boolean[],
      ${column('grantedAtMs')}::bigint[], ${column('validUntilMs')}::bigint[])
    on conflict (gateway, epoch, seq) do nothing returning id
  `)
  return rows.length
}

export async function findSlice(db: Queryable, id: string): Promise<SliceRow | undefined> {
  const [row] = await db.rows<Raw>(sql`select ${columns} from charging.slice where id = ${id}`)
  return row && toSlice(row)
}

/** In the order of their ids, after the buckets: the order in which everybody locks. */
export async function lockSlices(tx: Transaction, ids: readonly string[]): Promise<SliceRow[]> {
  return (
    await tx.rows<Raw>(sql`select ${columns} from charging.slice where id = any(${ids}::text[]) order by id for update`)
  ).map(toSlice)
}

export async function settleSlices(
  tx: Transaction,
  moves: readonly { readonly id: string; readonly settled: bigint; readonly records: number }[],
): Promise<void> {
  await tx.rows(sql`
    update charging.slice s set settled = s.settled + m.settled, records = s.records + m.records
      from unnest(${moves.map((move) => move.id)}::text[], ${moves.map((move) => move.settled)}::numeric[],
        ${moves.map((move) => move.records)}::bigint[]) as m (id, settled, records)
     where s.id = m.id
  `)
}

export async function endSlice(
  tx: Transaction,
  end: {
    id: string
    state: 'closed' | 'released' | 'reclaimed'
    nowMs: number
    /** The operator who decided it, for `released`. */
    by?: string
    reason?: string
  },
): Promise<void> {
  await tx.rows(sql`
    update charging.slice
       set state = ${end.state}, closed_at_ms = ${end.nowMs}::bigint, released_by = ${end.by ?? null}, released_reason = ${end.reason ?? null}
     where id = ${end.id}
  `)
}

export async function openSlicesOf(db: Queryable, gateway: string, journal: string): Promise<SliceRow[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.slice
       where gateway = ${gateway} and state = 'open' and journal = ${journal} order by epoch, seq
    `)
  ).map(toSlice)
}

/** Oldest first, of all gateways, with whose bucket it is of and in which unit. */
export async function allOpenSlices(
  db: Queryable,
  limit: number,
): Promise<(SliceRow & { readonly tenant: string; readonly unit: string })[]> {
  const rows = await db.rows<Raw & { tenant: string; unit: string }>(sql`
    select s.*, b.tenant, b.unit
      from (select ${columns} from charging.slice where state = 'open' order by granted_at_ms, id limit ${limit}) s
      join charging.bucket b on b.id = s.bucket
     order by s.granted_at_ms, s.id
  `)
  return rows.map((row) => ({ ...toSlice(row), tenant: row.tenant, unit: row.unit }))
}

export async function gatewayJournals(db: Queryable): Promise<Map<string, string | null>> {
  const rows = await db.rows<{ id: string; journal: string | null }>(sql`select id, journal from charging.gateway`)
  return new Map(rows.map((row) => [row.id, row.journal]))
}

/**
 * Slices that may be given back by themselves: of wallets that are to be available, and of periods that are over and forfeit what is
 * left of them.
 */
export async function reclaimableSlices(db: Queryable, validUntilMs: number, limit: number): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select s.id from charging.slice s join charging.bucket b on b.id = s.bucket
     where s.state = 'open' and s.valid_until_ms <= ${validUntilMs}::bigint
       and ((b.kind = 'wallet' and b.mode = 'available') or (b.definition is not null and b.valid_to_ms <= ${validUntilMs}::bigint))
     order by s.id limit ${limit}
  `)
  return rows.map((row) => row.id)
}
