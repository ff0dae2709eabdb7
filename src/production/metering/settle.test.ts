import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_TOKENS, TOKEN_CLASSES, netOfTax, parseTokenPrices, rate, upperBound } from '#kernel'
import { settle } from './index.ts'
import type { EndedRequest } from './index.ts'

const sell = parseTokenPrices({
  uncachedInput: '2000000',
  cacheWrite: '2500000',
  cacheRead: '200000',
  output: '8000000',
  reasoning: '9000000',
})
const buy = parseTokenPrices({
  uncachedInput: '1000000',
  cacheWrite: '1000000',
  cacheRead: '100000',
  output: '4000000',
  reasoning: '4000000',
})
const sheetOf = (text: string) =>
  parseTokenPrices({ uncachedInput: text, cacheWrite: text, cacheRead: text, output: text, reasoning: text })
const ended = (over: Partial<EndedRequest>): EndedRequest => ({
  ending: 'completed',
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  sawOutput: true,
  hasText: () => true,
  recount: () => ({ input: 11, output: 6, method: 'test' }),
  isSampled: false,
  inputBound: 100,
  outputBound: 50,
  sell: () => sell,
  taxPercent: 6,
  buy: () => buy,
  means: [],
  ...over,
})

test('cached and reasoning tokens are counted once, in their own class', () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 8,
    total_tokens: 18,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 3 },
  }
  expect(settle(ended({ usage })).tokens).toEqual({
    uncachedInput: 6,
    cacheWrite: 0,
    cacheRead: 4,
    output: 5,
    reasoning: 3,
  })
})

test('a stream without usage is recounted, never free', () => {
  const settled = settle(ended({ usage: undefined }))
  expect(settled).toMatchObject({ basis: 'counted', reported: null, tokens: { uncachedInput: 11, output: 6 } })
  expect(settled.sell).toBe(11n * 2_000_000n + 6n * 8_000_000n)
})

test('a supplier that claims more than the request can have used is not believed', () => {
  for (const usage of [
    { prompt_tokens: 101, completion_tokens: 5 },
    { prompt_tokens: 10, completion_tokens: 51 },
    { prompt_tokens: 0, completion_tokens: 5 },
    { prompt_tokens: 10, completion_tokens: 0 },
    { prompt_tokens: 1e18, completion_tokens: 1 },
    { prompt_tokens: -1, completion_tokens: 1 },
    { prompt_tokens: '10', completion_tokens: 1 },
    { prompt_tokens: 1.5, completion_tokens: 1 },
    { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 2 } },
    [],
    'x',
  ]) {
    const settled = settle(ended({ usage }))
    expect(settled.basis, JSON.stringify(usage)).toBe('counted')
    expect(settled.note).toMatch(/supplier/)
  }
})

test('a failed or interrupted request costs the tenant nothing, what was generated is owed to the supplier', () => {
  for (const ending of ['failed', 'interrupted'] as const) {
    const settled = settle(ended({ ending, usage: undefined }))
    expect(settled).toMatchObject({ sell: 0n, tax: 0n, buy: 11n * 1_000_000n + 6n * 4_000_000n })
    expect(settle(ended({ ending, usage: undefined, sawOutput: false }))).toMatchObject({
      sell: 0n,
      buy: 0n,
      basis: 'none',
    })
  }
})

test('prices are those of the real number of input tokens, of all classes together', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } }
  const dearAbove = (bound: number) => (input: number) => (input > bound ? sell : buy)
  expect(settle(ended({ usage, sell: dearAbove(9) })).sell).toBe(6n * 2_000_000n + 4n * 200_000n + 5n * 8_000_000n)
  expect(settle(ended({ usage, sell: dearAbove(10) })).sell).toBe(6n * 1_000_000n + 4n * 100_000n + 5n * 4_000_000n)
})

test('units pay first, tax is on what the wallet pays, and our failure draws on nothing', () => {
  const means = [{ kind: 'units', held: 12n, weights: sheetOf('1'), classes: TOKEN_CLASSES }] as const
  const settled = settle(ended({ means }))
  expect(settled.shares).toEqual([{ amount: 12n, covered: { ...NO_TOKENS, uncachedInput: 10, output: 2 } }])
  expect(settled.sell).toBe(3n * 8_000_000n)
  expect(settled.tax).toBe(settled.sell - netOfTax(settled.sell, 6))
  expect(settle(ended({ means, ending: 'failed', usage: undefined }))).toMatchObject({
    sell: 0n,
    shares: [{ amount: 0n, covered: NO_TOKENS }],
  })
})

test('whatever a supplier reports and we count, the charge is within the hold and tax within the charge', () => {
  const anyCount = fc.oneof(fc.nat(200), fc.integer(), fc.double(), fc.string())
  const anyUsage = fc.oneof(
    fc.constant(undefined),
    fc.anything(),
    fc.record({
      prompt_tokens: anyCount,
      completion_tokens: anyCount,
      prompt_tokens_details: fc.record({ cached_tokens: anyCount }),
      completion_tokens_details: fc.record({ reasoning_tokens: anyCount }),
    }),
  )
  fc.assert(
    fc.property(
      anyUsage,
      fc.nat(300),
      fc.nat(300),
      fc.constantFrom('completed' as const, 'client_closed' as const, 'failed' as const),
      (usage, input, output, ending) => {
        const settled = settle(ended({ usage, ending, recount: () => ({ input, output, method: 'test' }) }))
        const bound = upperBound({ inputTokens: 100, outputTokens: 50 }, sell)
        expect(settled.sell <= bound).toBe(true)
        expect(settled.tax >= 0n && settled.tax <= settled.sell).toBe(true)
        expect(settled.sell).toBe(ending === 'failed' ? 0n : rate(settled.tokens, sell))
        expect(settled.buy).toBe(rate(settled.tokens, buy))
      },
    ),
  )
})
