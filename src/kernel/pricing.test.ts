import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCalendars } from './calendar.ts'
import { dearestBound, dearestPrices, isShadowed, parsePriceSheet, pricesFor, scalePrices, tiersOf } from './pricing.ts'
import type { SheetTerms, Tier, VariantCondition } from './pricing.ts'
import { parseTokenPrices, rate } from './rating.ts'
import { TOKEN_CLASSES } from './tokens.ts'
import type { TokenClass } from './tokens.ts'

const flat = (price: number | bigint): Record<TokenClass, string> => ({
  uncachedInput: `${price}`,
  cacheWrite: `${price}`,
  cacheRead: `${price}`,
  output: `${price}`,
  reasoning: `${price}`,
})
const at = (text: string) => Date.parse(`${text}+08:00`)
const office = {
  calendar: 'cn',
  utcOffsetMinutes: 480,
  days: 'weekdays',
  hours: [
    { fromMinute: 540, toMinute: 720 },
    { fromMinute: 840, toMinute: 1080 },
  ],
} as const
const calendars = parseCalendars([{ id: 'cn', holidays: ['2026-10-01'], workedWeekendDays: ['2026-10-10'] }])

const TIERS: readonly Tier[] = ['priority', 'standard', 'flex', 'batch']
const anyTier = fc.constantFrom(...TIERS)
const anyPrice = fc.bigInt({ min: 0n, max: 10n ** 12n }).map(String)
const anyPrices: fc.Arbitrary<Record<TokenClass, string>> = fc.record({
  uncachedInput: anyPrice,
  cacheWrite: anyPrice,
  cacheRead: anyPrice,
  output: anyPrice,
  reasoning: anyPrice,
})
const anyCondition: fc.Arbitrary<VariantCondition> = fc.record(
  {
    tier: anyTier,
    period: fc.constantFrom('peak', 'off_peak'),
    inputTokensAbove: fc.integer({ min: 0, max: 50 }),
  },
  { requiredKeys: [] },
)
const anySheet: fc.Arbitrary<SheetTerms> = fc.record(
  {
    prices: anyPrices,
    peak: fc.constant(office),
    variants: fc.array(fc.record({ when: anyCondition, prices: anyPrices }), { maxLength: 8 }),
  },
  { requiredKeys: ['prices'] },
)
const anyInstant = fc.integer({ min: at('2026-09-20T00:00'), max: at('2026-10-20T00:00') })
const anyCount = fc.integer({ min: 0, max: 30 })
const anyTokens = fc.record({
  uncachedInput: anyCount,
  cacheWrite: anyCount,
  cacheRead: anyCount,
  output: anyCount,
  reasoning: anyCount,
})

test('a hold covers whatever a request within its bounds is charged, whichever variant decides in the end', () => {
  fc.assert(
    fc.property(
      anySheet,
      anyTier,
      anyInstant,
      anyTokens,
      anyCount,
      anyCount,
      (terms, tier, atMs, tokens, more, longer) => {
        const sheet = parsePriceSheet(terms)
        const inputTokens = tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead
        const charged = pricesFor(sheet, { tier, atMs, inputTokens }, calendars)
        const moment = { tier, atMs, inputTokens: inputTokens + more }
        const held = dearestBound(
          sheet,
          { ...moment, outputTokens: tokens.output + tokens.reasoning + longer },
          calendars,
        )
        const dearest = dearestPrices(sheet, moment, calendars)
        if (!charged || held === undefined || !dearest) throw new Error('a sheet of known calendars has prices')
        expect(rate(tokens, charged.prices) <= held).toBe(true)
        for (const name of TOKEN_CLASSES) expect(charged.prices[name] <= dearest[name]).toBe(true)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a hold is no larger than some request within its bounds may cost', () => {
  fc.assert(
    fc.property(
      anySheet,
      anyTier,
      anyInstant,
      fc.integer({ min: 0, max: 60 }),
      anyCount,
      (terms, tier, atMs, inputBound, outputTokens) => {
        const sheet = parsePriceSheet(terms)
        const most = Array.from({ length: inputBound + 1 }, (_, inputTokens) => {
          const prices = pricesFor(sheet, { tier, atMs, inputTokens }, calendars)?.prices
          if (!prices) throw new Error('a sheet of known calendars has prices')
          const inputs = [prices.uncachedInput, prices.cacheWrite, prices.cacheRead]
          const outputs = [prices.output, prices.reasoning]
          const dearest = (list: readonly bigint[]) => list.reduce((a, b) => (a > b ? a : b), 0n)
          return BigInt(inputTokens) * dearest(inputs) + BigInt(outputTokens) * dearest(outputs)
        }).reduce((a, b) => (a > b ? a : b), 0n)
        expect(dearestBound(sheet, { tier, atMs, inputTokens: inputBound, outputTokens }, calendars)).toBe(most)
      },
    ),
  )
})

test('the first variant that fits decides; where none does, the sheet’s own prices hold', () => {
  const sheet = parsePriceSheet({
    prices: flat(1),
    peak: office,
    variants: [
      { when: { tier: 'priority' }, prices: flat(20) },
      { when: { period: 'peak', inputTokensAbove: 100 }, prices: flat(8) },
      { when: { inputTokensAbove: 100 }, prices: flat(4) },
      { when: { period: 'peak' }, prices: flat(2) },
    ],
  })
  const peak = at('2026-11-26T09:30')
  const off = at('2026-11-26T12:30')
  const variant = (tier: Tier, atMs: number, inputTokens: number) =>
    pricesFor(sheet, { tier, atMs, inputTokens }, calendars)?.variant
  expect(variant('priority', peak, 500)).toBe(0)
  expect(variant('standard', peak, 101)).toBe(1)
  expect(variant('standard', off, 101)).toBe(2)
  expect(variant('standard', peak, 100)).toBe(3)
  expect(variant('standard', off, 100)).toBeNull()
  expect(pricesFor(sheet, { tier: 'standard', atMs: off, inputTokens: 0 }, calendars)?.prices.output).toBe(1n)
})

// domain.md §2 (DeepSeek, V4-Pro) and §8, vector 9: ¥0.15/0.30 cache hit, 4.5/9 miss, 13.5/27 output off-peak/peak
test('golden: a day of a price with peak hours', () => {
  const perMillion = (hit: string, miss: string, output: string) => ({
    uncachedInput: miss,
    cacheWrite: miss,
    cacheRead: hit,
    output,
    reasoning: output,
  })
  const sheet = parsePriceSheet({
    prices: perMillion('150000', '4500000', '13500000'),
    peak: office,
    variants: [{ when: { period: 'peak' }, prices: perMillion('300000', '9000000', '27000000') }],
  })
  const tokens = { uncachedInput: 1_000_000, cacheWrite: 0, cacheRead: 1_000_000, output: 1_000_000, reasoning: 0 }
  const yuan = (text: string) => {
    const prices = pricesFor(sheet, { tier: 'standard', atMs: at(text), inputTokens: 2_000_000 }, calendars)?.prices
    return prices && rate(tokens, prices)
  }
  expect(yuan('2026-11-26T09:30'), 'Thursday morning').toBe(36_300_000_000_000n)
  for (const off of ['2026-11-26T12:30', '2026-11-28T10:00', '2026-10-01T10:00'])
    expect(yuan(off), off).toBe(18_150_000_000_000n)
})

test('a sheet whose calendar is not known has no prices, at no hour', () => {
  const sheet = parsePriceSheet({ prices: flat(1), peak: { ...office, calendar: 'mars' } })
  const moment = { tier: 'standard', atMs: at('2026-11-28T03:00'), inputTokens: 1 } as const
  expect(pricesFor(sheet, moment, calendars)).toBeUndefined()
  expect(dearestPrices(sheet, moment, calendars)).toBeUndefined()
  expect(dearestBound(sheet, { ...moment, outputTokens: 1 }, calendars)).toBeUndefined()
})

test('a variant is shadowed if and only if another one before it fits wherever it does', () => {
  fc.assert(
    fc.property(anyCondition, fc.array(anyCondition, { maxLength: 1 }), (when, earlier) => {
      const sheet = parsePriceSheet({
        prices: flat(0),
        peak: office,
        variants: [...earlier, when].map((each) => ({ when: each, prices: flat(1) })),
      })
      const isDecisive = TIERS.some((tier) =>
        [at('2026-11-26T09:30'), at('2026-11-28T09:30')].some((atMs) =>
          Array.from({ length: 60 }, (_, inputTokens) => pricesFor(sheet, { tier, atMs, inputTokens }, calendars)).some(
            (decided) => decided?.variant === earlier.length,
          ),
        ),
      )
      expect(isShadowed(when, earlier)).toBe(!isDecisive)
    }),
  )
})

test('a sheet sells the standard tier and those that it names', () => {
  expect(tiersOf({})).toEqual(new Set(['standard']))
  expect(tiersOf({ variants: [{ when: { tier: 'flex' }, prices: flat(1) }] })).toEqual(new Set(['standard', 'flex']))
})

test('a multiplier scales the table of prices once, half to even to a pico per token', () => {
  const scaled = scalePrices(parseTokenPrices({ ...flat(3), output: '5', reasoning: '2000000' }), '0.5')
  expect(scaled).toMatchObject({ uncachedInput: 2n, output: 2n, reasoning: 1_000_000n })
  expect(() => scalePrices(parseTokenPrices(flat(1)), '-1')).toThrow(RangeError)
})
