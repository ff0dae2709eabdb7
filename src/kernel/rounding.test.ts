import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatUnits, parseUnits, parseYuan, pico } from './money.ts'
import {
  PICO_PER_FEN,
  divideHalfEven,
  divideHalfUp,
  fenToPico,
  nextDocumentFen,
  prorate,
  roundToFen,
  splitByWeight,
  stepPart,
} from './rounding.ts'
import { grossOfTax, netOfTax, taxInGross, taxOnNet } from './tax.ts'

const anyAmount = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n })
const anyPositive = fc.bigInt({ min: 1n, max: 10n ** 20n })
const anyTax = fc.integer({ min: 0, max: 100 })
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)
const abs = (value: bigint) => (value < 0n ? -value : value)

test('both roundings go to the nearest, and differ only in the middle', () => {
  fc.assert(
    fc.property(anyAmount, anyPositive, (numerator, denominator) => {
      for (const divide of [divideHalfUp, divideHalfEven]) {
        const rounded = divide(numerator, denominator)
        expect(abs(rounded * denominator - numerator) * 2n <= denominator).toBe(true)
        expect(divide(-numerator, denominator)).toBe(-rounded)
      }
    }),
  )
  const halves = [-5n, -3n, -1n, 1n, 3n, 5n]
  expect(halves.map((half) => divideHalfUp(half, 2n))).toEqual([-3n, -2n, -1n, 1n, 2n, 3n])
  expect(halves.map((half) => divideHalfEven(half, 2n))).toEqual([-2n, -2n, 0n, 0n, 2n, 2n])
  expect(() => divideHalfUp(1n, 0n)).toThrow(RangeError)
})

test('half a fen is rounded up, and a credit note mirrors it', () => {
  expect(roundToFen(parseYuan('0.005'))).toBe(1n)
  expect(roundToFen(parseYuan('-0.005'))).toBe(-1n)
  expect(roundToFen(parseYuan('0.004999999999'))).toBe(0n)
  expect(roundToFen(fenToPico(12_345n))).toBe(12_345n)
})

test('a series of documents is never off by more than half a fen, however many there are', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 10n ** 13n }), { maxLength: 200 }), (amounts) => {
      let total = 0n
      const documents = amounts.map((amount) => {
        const before = total
        total += amount
        return nextDocumentFen(before, total)
      })
      expect(abs(sum(documents) * PICO_PER_FEN - total) * 2n <= PICO_PER_FEN).toBe(true)
    }),
  )
})

test('the parts of a counter’s steps sum to the whole, however it is cut into steps', () => {
  fc.assert(
    fc.property(anyAmount, fc.array(anyPositive, { minLength: 1, maxLength: 50 }), (whole, steps) => {
      const of = sum(steps)
      let counted = 0n
      const parts = steps.map((step) => {
        const before = counted
        counted += step
        return stepPart(whole, { before, after: counted, of })
      })
      expect(sum(parts)).toBe(whole)
      if (whole >= 0n) expect(parts.every((part) => part >= 0n)).toBe(true)
    }),
  )
  expect(() => stepPart(1n, { before: 2n, after: 1n, of: 3n })).toThrow(RangeError)
  expect(() => stepPart(1n, { before: 0n, after: 4n, of: 3n })).toThrow(RangeError)
})

test('a split by weights sums to the whole, and each part is its exact share rounded up or down', () => {
  const anyParts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(anyAmount, anyParts, (whole, weights) => {
      fc.pre(sum(weights) > 0n)
      const shares = splitByWeight(
        whole,
        weights.map((weight, index) => ({ id: `lot_${index}`, weight })),
      )
      expect(sum(shares)).toBe(whole)
      for (const [index, share] of shares.entries())
        expect(abs(share * sum(weights) - whole * (weights[index] ?? 0n)) < sum(weights)).toBe(true)
    }),
  )
})

test('where remainders are equal, the lower id gets the smallest unit, in whatever order the parts come', () => {
  const split = (ids: readonly string[]) =>
    new Map(
      splitByWeight(
        2n,
        ids.map((id) => ({ id, weight: 1n })),
      ).map((share, index) => [ids[index], share]),
    )
  for (const ids of [
    ['a', 'b', 'c'],
    ['c', 'b', 'a'],
  ])
    expect(split(ids)).toEqual(
      new Map([
        ['a', 1n],
        ['b', 1n],
        ['c', 0n],
      ]),
    )
  expect(() => splitByWeight(1n, [{ id: 'a', weight: 0n }])).toThrow(RangeError)
  expect(() => splitByWeight(1n, [{ id: 'a', weight: -1n }])).toThrow(RangeError)
})

test('what has passed of a term grows with time, from nothing to all of it', () => {
  const term = { fromMs: 1_000, toMs: 4_000 }
  expect(prorate(pico(10n), term, 0)).toBe(0n)
  expect(prorate(pico(10n), term, 2_000)).toBe(3n)
  expect(prorate(pico(10n), term, 4_000)).toBe(10n)
  expect(prorate(pico(10n), term, 9_000)).toBe(10n)
  expect(() => prorate(pico(10n), { fromMs: 1, toMs: 1 }, 1)).toThrow(RangeError)
  const anyTime = fc.integer({ min: 0, max: 5_000 })
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), anyTime, anyTime, (amount, a, b) => {
      const [earlier, later] = a < b ? [a, b] : [b, a]
      expect(prorate(pico(amount), term, earlier) <= prorate(pico(amount), term, later)).toBe(true)
    }),
  )
})

// domain.md §8, vector 1
test('golden: a net price of 16,451,000,000.00 with 6 % tax is 17,438,060,000.00', () => {
  const net = parseYuan('16451000000.00')
  const gross = parseYuan('17438060000.00')
  expect(grossOfTax(net, 6)).toBe(gross)
  expect(netOfTax(gross, 6)).toBe(net)
  expect(taxOnNet(roundToFen(net), 6)).toEqual(taxInGross(roundToFen(gross), 6))
  expect(taxInGross(roundToFen(gross), 6).taxFen).toBe(98_706_000_000n)
})

test('a net amount of whole fen survives the way to gross and back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), anyTax, (fen, taxPercent) => {
      expect(netOfTax(grossOfTax(fenToPico(fen), taxPercent), taxPercent)).toBe(fenToPico(fen))
      for (const line of [taxOnNet(fen, taxPercent), taxInGross(fen, taxPercent)])
        expect(line.netFen + line.taxFen).toBe(line.grossFen)
      expect(taxInGross(taxOnNet(fen, taxPercent).grossFen, taxPercent)).toEqual(taxOnNet(fen, taxPercent))
    }),
  )
  expect(() => netOfTax(pico(1n), 6.5)).toThrow(RangeError)
})

test('units are written and read to the millionth', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n - 1n }), (millionths) => {
      expect(parseUnits(formatUnits(millionths))).toBe(millionths)
    }),
  )
  expect(parseUnits('2.5')).toBe(2_500_000n)
  for (const wrong of ['-1', '0.0000001', '1e3', '', '.5']) expect(() => parseUnits(wrong)).toThrow(RangeError)
})
