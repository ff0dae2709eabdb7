import { pico } from './money.ts'
import type { Pico } from './money.ts'

/**
 * Where amounts must become coarser: on documents, in splits, over time. Requests are never rounded. Every rule is stated on whole
 * numbers, so it gives the same result on every machine, and the parts of a split always sum to the whole.
 */

export const PICO_PER_FEN = 10_000_000_000n

/** The nearest whole quotient, halves away from zero (四舍五入), so that a credit note mirrors its invoice. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  requirePositive(denominator)
  const sign = numerator < 0n ? -1n : 1n
  return sign * ((sign * numerator * 2n + denominator) / (denominator * 2n))
}

/** The nearest whole quotient, halves to the even neighbour: over many roundings neither side gains. */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  requirePositive(denominator)
  const sign = numerator < 0n ? -1n : 1n
  const magnitude = sign * numerator
  const floor = magnitude / denominator
  const twice = (magnitude % denominator) * 2n
  const isUp = twice > denominator || (twice === denominator && floor % 2n === 1n)
  return sign * (isUp ? floor + 1n : floor)
}

/** An amount in fen, as documents state it. */
export function roundToFen(amount: bigint): bigint {
  return divideHalfUp(amount, PICO_PER_FEN)
}

export function fenToPico(fen: bigint): Pico {
  return pico(fen * PICO_PER_FEN)
}

/**
 * What the next of a running series of documents states, in fen, where the sum grows from `before` to `after`: R(after) − R(before).
 * However many documents there are, their sum is off by at most half a fen.
 */
export function nextDocumentFen(before: bigint, after: bigint): bigint {
  return roundToFen(after) - roundToFen(before)
}

/**
 * The part of `whole` that belongs to the step from `before` to `after` of a counter that ends at `of`:
 * R(whole · after / of) − R(whole · before / of). The parts of all steps sum to the whole, however the steps are cut.
 */
export function stepPart(whole: bigint, { before, after, of }: { before: bigint; after: bigint; of: bigint }): bigint {
  if (before < 0n || before > after || after > of)
    throw new RangeError(`no step of a counter: ${before}, ${after}, ${of}`)
  return divideHalfUp(whole * after, of) - divideHalfUp(whole * before, of)
}

/**
 * The part of an amount that has passed at `atMs` of a term, by elapsed time: nothing before it, all of it after. What is left is
 * the amount less this, and a later value less an earlier one is the part between them.
 */
export function prorate(amount: Pico, term: { readonly fromMs: number; readonly toMs: number }, atMs: number): Pico {
  const lengthMs = term.toMs - term.fromMs
  if (!(lengthMs > 0)) throw new RangeError(`a term that does not last: ${term.fromMs} to ${term.toMs}`)
  const elapsedMs = Math.min(Math.max(atMs - term.fromMs, 0), lengthMs)
  return pico(stepPart(amount, { before: 0n, after: BigInt(elapsedMs), of: BigInt(lengthMs) }))
}

export interface Weighted {
  /** Decides who gets the smallest unit where remainders are equal: the lower id, by code point. */
  readonly id: string
  readonly weight: bigint
}

/**
 * Splits a whole number by weights with the method of the largest remainder: each part is its exact share rounded up or down, and
 * the parts sum to the whole. In the order of `parts`.
 */
export function splitByWeight(whole: bigint, parts: readonly Weighted[]): readonly bigint[] {
  const total = parts.reduce((sum, { weight }) => sum + requireWeight(weight), 0n)
  requirePositive(total)
  const sign = whole < 0n ? -1n : 1n
  const shares = parts.map(({ id, weight }, index) => {
    const exact = sign * whole * weight
    return { id, index, floor: exact / total, remainder: exact % total }
  })
  const left = sign * whole - shares.reduce((sum, { floor }) => sum + floor, 0n)
  const favoured = new Set(
    shares
      .toSorted((a, b) => compare(b.remainder, a.remainder) || compare(a.id, b.id) || a.index - b.index)
      .slice(0, Number(left))
      .map(({ index }) => index),
  )
  return shares.map(({ floor, index }) => sign * (favoured.has(index) ? floor + 1n : floor))
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function requireWeight(weight: bigint): bigint {
  if (weight < 0n) throw new RangeError(`a weight is never negative: ${weight}`)
  return weight
}

function requirePositive(divisor: bigint): void {
  if (divisor <= 0n) throw new RangeError(`nothing is divided by ${divisor}`)
}
