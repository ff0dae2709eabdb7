import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import { Booking } from './booking.ts'

export interface BookingRow {
  readonly key: string
  readonly booking: Booking
  readonly about: string | null
  readonly postingId: string
  readonly bookedAtMs: number
}

/** Amounts travel as decimal strings in jsonb. */
function detailOf(booking: Booking): string {
  return JSON.stringify(booking, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}

interface Raw {
  key: string
  about: string | null
  detail: unknown
  posting_id: string
  booked_at_ms: bigint
}

function toRow(row: Raw): BookingRow {
  return {
    key: row.key,
    booking: Booking.parse(row.detail),
    about: row.about,
    postingId: row.posting_id,
    bookedAtMs: Number(row.booked_at_ms),
  }
}

const columns = sql`key, about, detail, posting_id, booked_at_ms`

export async function findBooking(db: Queryable, key: string): Promise<BookingRow | undefined> {
  const [row] = await db.rows<Raw>(sql`select ${columns} from charging.booking where key = ${key}`)
  return row && toRow(row)
}

export async function insertBookings(tx: Transaction, rows: readonly BookingRow[]): Promise<void> {
  await tx.rows(sql`
    insert into charging.booking (key, kind, tenant, about, detail, posting_id, booked_at_ms)
    select key, kind, tenant, about, detail::jsonb, posting_id, booked_at_ms
      from unnest(${rows.map((row) => row.key)}::text[], ${rows.map((row) => row.booking.kind)}::text[],
        ${rows.map((row) => row.booking.tenant)}::text[], ${rows.map((row) => row.about)}::text[],
        ${rows.map((row) => detailOf(row.booking))}::text[], ${rows.map((row) => row.postingId)}::text[],
        ${rows.map((row) => row.bookedAtMs)}::bigint[]) as fresh (key, kind, tenant, about, detail, posting_id, booked_at_ms)
  `)
}

export interface Move {
  readonly lot: string
  /** Change of what is left. */
  readonly amount: bigint
}

/** In the order in which the lots burned. */
export async function insertMoves(tx: Transaction, booking: string, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return
  await tx.rows(sql`
    insert into charging.lot_move (booking, lot, amount, position)
    select ${booking}, lot, amount, position
      from unnest(${moves.map((move) => move.lot)}::text[], ${moves.map((move) => move.amount)}::numeric[]) with ordinality
        as fresh (lot, amount, position)
  `)
}

/** What a booking took from lots and what corrections of it have not given back, in the order in which it was taken. */
export async function outstandingMoves(tx: Transaction, key: string, about: string): Promise<Move[]> {
  const rows = await tx.rows<{ lot: string; amount: string }>(sql`
    select m.lot, sum(m.amount) as amount
      from charging.lot_move m
     where m.booking in (select ${key} union all select b.key from charging.booking b where b.about = ${about} and b.key <> ${key})
     group by m.lot
    having sum(m.amount) < 0
     order by min(m.position) filter (where m.booking = ${key})
  `)
  return rows.map((row) => ({ lot: row.lot, amount: integerFromNumeric(row.amount) }))
}

export async function bookingsBehind(db: Queryable, postingIds: readonly string[]): Promise<Map<string, BookingRow[]>> {
  const rows = await db.rows<Raw>(
    sql`select ${columns} from charging.booking where posting_id = any(${postingIds}::text[]) order by key`,
  )
  return Map.groupBy(rows.map(toRow), (row) => row.postingId)
}

export async function movesBehind(db: Queryable, bookings: readonly string[]): Promise<Map<string, Move[]>> {
  if (bookings.length === 0) return new Map()
  const rows = await db.rows<{ booking: string; lot: string; amount: string }>(sql`
    select booking, lot, amount from charging.lot_move where booking = any(${bookings}::text[]) order by booking, position
  `)
  const moves = rows.map((row) => ({ booking: row.booking, lot: row.lot, amount: integerFromNumeric(row.amount) }))
  return Map.groupBy(moves, (move) => move.booking)
}

/** A page of postings that bookings name. */
export async function bookedPostingsAfter(db: Queryable, page: { id: string; limit: number }): Promise<string[]> {
  const rows = await db.rows<{ posting_id: string }>(sql`
    select distinct posting_id from charging.booking where posting_id > ${page.id} order by posting_id limit ${page.limit}
  `)
  return rows.map((row) => row.posting_id)
}
