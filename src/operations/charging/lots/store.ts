import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Lot, LotSource } from './model.ts'

export type LotState = 'pending' | 'active' | 'expired' | 'refunded'

export interface LotRow extends Lot {
  readonly reference: string
  readonly state: LotState
  readonly createdAtMs: number
}

interface Raw {
  id: string
  bucket: string
  source: LotSource
  reference: string
  granted: string
  remaining: string
  priority: number
  valid_from_ms: bigint
  expires_at_ms: bigint | null
  net: string
  recognised: string
  state: LotState
  created_at_ms: bigint
}

const columns = sql`id, bucket, source, reference, granted, remaining, priority, valid_from_ms, expires_at_ms, net, recognised, state,
  created_at_ms`

function toLot(row: Raw): LotRow {
  return {
    id: row.id,
    bucket: row.bucket,
    source: row.source,
    reference: row.reference,
    granted: integerFromNumeric(row.granted),
    remaining: integerFromNumeric(row.remaining),
    priority: row.priority,
    validFromMs: Number(row.valid_from_ms),
    expiresAtMs: row.expires_at_ms === null ? null : Number(row.expires_at_ms),
    net: integerFromNumeric(row.net),
    recognised: integerFromNumeric(row.recognised),
    state: row.state,
    createdAtMs: Number(row.created_at_ms),
  }
}

/** What can be burned of these buckets. Lots change only under the lock of their bucket, so they need none of their own. */
export async function activeLots(tx: Transaction, buckets: readonly string[]): Promise<LotRow[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.lot where bucket = any(${buckets}::text[]) and remaining > 0 and state = 'active'
    `)
  ).map(toLot)
}

export async function lotsById(db: Queryable, ids: readonly string[]): Promise<LotRow[]> {
  if (ids.length === 0) return []
  return (await db.rows<Raw>(sql`select ${columns} from charging.lot where id = any(${ids}::text[])`)).map(toLot)
}

export async function findLot(
  db: Queryable,
  name: { readonly id: string } | { readonly reference: string },
): Promise<LotRow | undefined> {
  const which = 'id' in name ? sql`id = ${name.id}` : sql`reference = ${name.reference}`
  const [row] = await db.rows<Raw>(sql`select ${columns} from charging.lot where ${which}`)
  return row && toLot(row)
}

/** Newest first. */
export async function lotsOf(db: Queryable, tenant: string, limit: number): Promise<LotRow[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.lot
       where bucket in (select b.id from charging.bucket b where b.tenant = ${tenant} and b.kind in ('wallet', 'tokens'))
       order by created_at_ms desc, id desc limit ${limit}
    `)
  ).map(toLot)
}

/** Lots with something left whose state does not fit the time any more. */
const turning = (nowMs: number) => sql`remaining > 0
  and ((state = 'pending' and valid_from_ms <= ${nowMs}::bigint) or (state in ('pending', 'active') and expires_at_ms <= ${nowMs}::bigint))`

/** In the order of their ids, those after one. */
export async function bucketsWithTurningLots(
  db: Queryable,
  nowMs: number,
  page: { readonly after: string; readonly limit: number },
): Promise<string[]> {
  const rows = await db.rows<{ bucket: string }>(sql`
    select distinct bucket from charging.lot where ${turning(nowMs)} and bucket > ${page.after} order by bucket limit ${page.limit}
  `)
  return rows.map((row) => row.bucket)
}

export async function turningLots(
  tx: Transaction,
  bucket: string,
  nowMs: number,
  page: { readonly after: string; readonly limit: number },
): Promise<LotRow[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.lot where bucket = ${bucket} and ${turning(nowMs)} and id > ${page.after} order by id limit ${page.limit}
    `)
  ).map(toLot)
}

export async function changeLot(
  tx: Transaction,
  lot: Pick<LotRow, 'id' | 'remaining' | 'recognised' | 'state' | 'expiresAtMs'>,
): Promise<void> {
  await tx.rows(sql`
    update charging.lot
       set remaining = ${lot.remaining}::numeric, recognised = ${lot.recognised}::numeric, state = ${lot.state},
           expires_at_ms = ${lot.expiresAtMs}::bigint
     where id = ${lot.id}
  `)
}

export async function insertLot(tx: Transaction, lot: LotRow): Promise<void> {
  await tx.rows(sql`
    insert into charging.lot (id, bucket, source, reference, granted, remaining, priority, valid_from_ms, expires_at_ms, net, recognised,
      state, created_at_ms)
    values (${lot.id}, ${lot.bucket}, ${lot.source}, ${lot.reference}, ${lot.granted}::numeric, ${lot.remaining}::numeric, ${lot.priority},
      ${lot.validFromMs}::bigint, ${lot.expiresAtMs}::bigint, ${lot.net}::numeric, ${lot.recognised}::numeric, ${lot.state},
      ${lot.createdAtMs}::bigint)
  `)
}

export interface LotMove {
  readonly id: string
  /** Change of what is left. */
  readonly remaining: bigint
  readonly recognised: bigint
}

export async function moveLots(tx: Transaction, moves: readonly LotMove[]): Promise<void> {
  if (moves.length === 0) return
  await tx.rows(sql`
    update charging.lot l
       set remaining = l.remaining + m.remaining, recognised = l.recognised + m.recognised,
           -- What is given back to a lot that has expired is there again until the next look at the clock.
           state = case when m.remaining > 0 and l.state <> 'pending' then 'active' else l.state end
      from unnest(${moves.map((move) => move.id)}::text[], ${moves.map((move) => move.remaining)}::numeric[],
        ${moves.map((move) => move.recognised)}::numeric[]) as m (id, remaining, recognised)
     where l.id = m.id
  `)
}

/** What is left in the lots of a bucket that can be burned now. */
export interface Funds {
  readonly paid: bigint
  readonly gift: bigint
  readonly lots: number
  readonly nextExpiryMs: number | null
}

/** By bucket. */
export async function fundsOf(db: Queryable, tenant?: string): Promise<Map<string, Funds>> {
  const rows = await db.rows<{ bucket: string; paid: string; gift: string; lots: bigint; expiry: bigint | null }>(sql`
    select l.bucket, coalesce(sum(l.remaining) filter (where l.source = 'paid'), 0) as paid,
           coalesce(sum(l.remaining) filter (where l.source in ('gift', 'sla')), 0) as gift, count(*) as lots, min(l.expires_at_ms) as expiry
      from charging.lot l join charging.bucket b on b.id = l.bucket
     where l.remaining > 0 and l.state = 'active' and ${tenant === undefined ? sql`true` : sql`b.tenant = ${tenant}`}
     group by l.bucket
  `)
  return new Map(
    rows.map((row) => [
      row.bucket,
      {
        paid: integerFromNumeric(row.paid),
        gift: integerFromNumeric(row.gift),
        lots: Number(row.lots),
        nextExpiryMs: row.expiry === null ? null : Number(row.expiry),
      },
    ]),
  )
}
