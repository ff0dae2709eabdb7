import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LEAST_OUTPUT_TOKENS, affordable, finalUnitOf } from './final-unit.ts'

test('the answer is the longest that is covered, alike for every choice, and never shorter than the least', () => {
  const sizes = { choices: fc.integer({ min: 1, max: 8 }), cap: fc.integer({ min: 1, max: 20_000 }) }
  const prices = { input: fc.bigInt({ min: 0n, max: 10n ** 12n }), output: fc.bigInt({ min: 0n, max: 10n ** 9n }) }
  const budget = fc.bigInt({ min: 0n, max: 10n ** 13n })
  fc.assert(
    fc.property(fc.record({ ...sizes, ...prices, budget }), ({ choices, cap, input, output, budget: most }) => {
      const costOf = (outputBound: number) => input + BigInt(outputBound) * output
      const unit = finalUnitOf({ maxOutputTokens: undefined, choices }, cap, undefined, costOf)
      if (!unit) return cap <= LEAST_OUTPUT_TOKENS
      const bound = affordable(unit, most, costOf)
      if (bound === undefined) return costOf(LEAST_OUTPUT_TOKENS * choices) > most
      const isLongest = bound === cap * choices || costOf(bound + choices) > most
      return isLongest && costOf(bound) <= most && bound % choices === 0 && bound <= cap * choices
    }),
  )
})

test('a number of one\u2019s own is kept to, unless one says otherwise', () => {
  const unit = (maxOutputTokens: number | undefined, wish?: 'affordable' | 'exact') =>
    finalUnitOf({ maxOutputTokens, choices: 1 }, 1_000, wish, () => 0n) !== undefined
  expect([unit(undefined), unit(1_000), unit(1_000, 'affordable'), unit(undefined, 'exact')]).toEqual([
    true,
    false,
    true,
    false,
  ])
})
