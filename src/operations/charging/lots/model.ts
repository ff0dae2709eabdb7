import { hash } from 'node:crypto'
import { divideHalfEven } from '#kernel'

export type LotSource = 'paid' | 'gift' | 'sla' | 'package'

/** What a wallet or a bucket of tokens is made of. Amounts in the bucket's unit. */
export interface Lot {
  readonly id: string
  readonly bucket: string
  readonly source: LotSource
  readonly granted: bigint
  readonly remaining: bigint
  readonly priority: number
  readonly validFromMs: number
  readonly expiresAtMs: number | null
  /** Pico-yuan of deferred revenue that it was sold for, and how much of that has left it. */
  readonly net: bigint
  readonly recognised: bigint
}

/** Sorts by time, so that of lots with the same priority and expiry the older one burns first. */
export function lotId(reference: string, nowMs: number): string {
  return `lot_${nowMs.toString(36).padStart(9, '0')}_${hash('sha256', reference, 'hex').slice(0, 12)}`
}

/** Priority first, then what expires sooner, then the older one. */
export function burnOrder(a: Lot, b: Lot): number {
  if (a.priority !== b.priority) return a.priority - b.priority
  const [left, right] = [a.expiresAtMs ?? Infinity, b.expiresAtMs ?? Infinity]
  if (left !== right) return left < right ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** What is taken from one lot. */
export interface Piece {
  readonly lot: Lot
  readonly amount: bigint
}

/** The lots of one bucket in burn order, and what is left of each while a batch burns them. */
export interface Purse {
  readonly lots: readonly Lot[]
  readonly left: bigint[]
  /** Lots before this one are used up. */
  first: number
}

export function openPurse(lots: readonly Lot[]): Purse {
  const sorted = lots.toSorted(burnOrder)
  return { lots: sorted, left: sorted.map((lot) => lot.remaining), first: 0 }
}

/**
 * Takes up to `amount` from the lots that were valid at that time, in burn order. What they lack comes from the others: a gateway
 * was promised it when its slice was granted, and an expiry meanwhile does not take that back. The rest, if any, is not in lots.
 */
export function burn(purse: Purse, amount: bigint, atMs: number): Piece[] {
  const pieces: Piece[] = []
  const valid = take(purse, amount, pieces, (lot) => isValid(lot, atMs))
  if (valid > 0n) take(purse, valid, pieces, (lot) => !isValid(lot, atMs))
  return pieces
}

function isValid(lot: Lot, atMs: number): boolean {
  return lot.validFromMs <= atMs && (lot.expiresAtMs === null || atMs < lot.expiresAtMs)
}

/** Returns what is still missing. */
function take(purse: Purse, amount: bigint, pieces: Piece[], fits: (lot: Lot) => boolean): bigint {
  const { lots, left } = purse
  while (purse.first < lots.length && left[purse.first] === 0n) purse.first += 1
  let missing = amount
  for (let index = purse.first; index < lots.length && missing > 0n; index++) {
    const [lot, rest] = [lots[index], left[index] ?? 0n]
    if (!lot || rest === 0n || !fits(lot)) continue
    const part = rest < missing ? rest : missing
    left[index] = rest - part
    missing -= part
    pieces.push({ lot, amount: part })
  }
  return missing
}

/** How much of a lot's deferred revenue has left it once this much of the lot is left: a function of what is left alone. */
export function recognisedAt(lot: Pick<Lot, 'net' | 'granted'>, remaining: bigint): bigint {
  return divideHalfEven(lot.net * (lot.granted - remaining), lot.granted)
}
