import type { Transaction } from '#platform/postgres'
import { availableOf } from '../bucket/store.ts'
import type { Bucket } from '../bucket/store.ts'
import type { Move } from '../bookings/store.ts'
import { burn, openPurse } from '../lots/model.ts'
import type { Piece } from '../lots/model.ts'
import { activeLots } from '../lots/store.ts'
import { insufficientBalance } from '../problems.ts'

/** The lots of paid money, and the credit, that this amount would be taken from. */
export async function payable(
  tx: Transaction,
  wallet: Bucket,
  amount: bigint,
  nowMs: number,
  { mayUseCredit = true } = {},
): Promise<{ pieces: Piece[]; credit: bigint }> {
  const lots = await activeLots(tx, [wallet.id])
  const inLots = lots.reduce((sum, lot) => sum + lot.remaining, 0n)
  const pieces = burn(openPurse(lots.filter(({ source }) => source === 'paid')), amount, nowMs)
  const paid = pieces.reduce((sum, piece) => sum + piece.amount, 0n)
  const creditInUse = inLots - wallet.posted
  const creditLeft = mayUseCredit && wallet.creditLimit > creditInUse ? wallet.creditLimit - creditInUse : 0n
  if (amount > availableOf(wallet) || amount - paid > creditLeft) {
    const most = paid + creditLeft
    const available = most < availableOf(wallet) ? most : availableOf(wallet)
    throw insufficientBalance({ needed: `${amount}`, available: `${available}` })
  }
  return { pieces, credit: amount - paid }
}

export function movesOf(pieces: readonly Piece[], sign: bigint): Move[] {
  return pieces.map(({ lot, amount }) => ({ lot: lot.id, amount: sign * amount }))
}

export function movesOfLots(pieces: readonly Piece[], sign: bigint) {
  return pieces.map(({ lot, amount }) => ({ id: lot.id, remaining: sign * amount, recognised: 0n }))
}
