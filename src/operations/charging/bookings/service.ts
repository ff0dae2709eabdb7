import { post, postingId } from '#ledger'
import type { Transaction } from '#platform/postgres'
import { bookingEntries } from './booking.ts'
import type { Booking } from './booking.ts'
import { insertBookings, insertMoves } from './store.ts'
import type { Move } from './store.ts'

export interface BookRequest {
  /** The name of the event, once. */
  readonly key: string
  readonly booking: Booking
  readonly memo: string
  readonly nowMs: number
  readonly about?: string
  readonly moves?: readonly Move[]
}

/** Files what happened, and posts it. Comes last in a transaction, because the posting holds up everybody who posts. */
export async function book(tx: Transaction, request: BookRequest): Promise<{ postingId: string }> {
  const { key, booking, memo, nowMs, about = null, moves = [] } = request
  const id = postingId(key)
  await insertBookings(tx, [{ key, booking, about, postingId: id, bookedAtMs: nowMs }])
  await insertMoves(tx, key, moves)
  await post(tx, {
    key,
    kind: booking.kind,
    memo,
    bookedAtMs: nowMs,
    entries: bookingEntries(booking),
    evidence: null,
    facts: 1,
  })
  return { postingId: id }
}
