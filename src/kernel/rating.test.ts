import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_TOKENS, TOKEN_CLASSES } from './tokens.ts'
import type { TokenClass, TokenCounts } from './tokens.ts'
import { parseTokenPrices, rate, upperBound } from './rating.ts'

const record = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<TokenClass, T>> =>
  fc.record({ uncachedInput: value, cacheWrite: value, cacheRead: value, output: value, reasoning: value })
const anyCounts = record(fc.integer({ min: 0, max: 100_000_000 }))
const anyPrices = record(fc.bigInt({ min: 0n, max: 10n ** 15n }).map(String)).map(parseTokenPrices)

function plus(a: TokenCounts, b: TokenCounts): TokenCounts {
  return Object.fromEntries(TOKEN_CLASSES.map((name) => [name, a[name] + b[name]])) as unknown as TokenCounts
}

test('rating is additive: splitting the tokens of a request never changes what they cost', () => {
  fc.assert(
    fc.property(anyCounts, anyCounts, anyPrices, (a, b, prices) => {
      expect(rate(plus(a, b), prices)).toBe(rate(a, prices) + rate(b, prices))
    }),
  )
})

test('the upper bound holds for every split of the tokens into classes', () => {
  fc.assert(
    fc.property(anyCounts, anyPrices, (tokens, prices) => {
      const inputTokens = tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead
      const outputTokens = tokens.output + tokens.reasoning
      expect(rate(tokens, prices) <= upperBound({ inputTokens, outputTokens }, prices)).toBe(true)
    }),
  )
})

test('one yuan per million tokens is one million pico per token, exactly', () => {
  const prices = parseTokenPrices({
    uncachedInput: '1000000',
    cacheWrite: '0',
    cacheRead: '0',
    output: '8000000',
    reasoning: '8000000',
  })
  expect(rate({ ...NO_TOKENS, uncachedInput: 3, output: 2 }, prices)).toBe(19_000_000n)
})

test('a negative, fractional or missing number is refused, not rounded', () => {
  const prices = parseTokenPrices({ uncachedInput: '1', cacheWrite: '1', cacheRead: '1', output: '1', reasoning: '1' })
  expect(() => rate({ ...NO_TOKENS, output: 0.5 }, prices)).toThrow(RangeError)
  expect(() => rate({ ...NO_TOKENS, output: -1 }, prices)).toThrow(RangeError)
  expect(() =>
    parseTokenPrices({ uncachedInput: '-1', cacheWrite: '1', cacheRead: '1', output: '1', reasoning: '1' }),
  ).toThrow(RangeError)
})
