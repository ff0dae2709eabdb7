import { expect, test } from 'vitest'
import type { SlaTerm } from '#contract'
import { BURN_RULES, alertsAt, burnOf } from './burn.ts'
import { excusedOf } from './minute.ts'
import { judge, reportLine } from './report.ts'
import type { SliSums } from './report.ts'
import { termsAt } from './terms.ts'
import type { DeclaredTerms } from './terms.ts'

const SUMS: SliSums = {
  ...{ leg: 'customer', party: 'acme', service: 'chat', tier: 'standard' },
  ...{ requests: 0, failed: 0, excused: 0, excluded: 0, ttftValid: 0, ttftGood: 0, tpotValid: 0, tpotGood: 0 },
  netPico: 0n,
  taxPico: 0n,
}
const AVAILABILITY: SlaTerm = {
  measure: 'availability',
  targetPpm: 999_000,
  limitMs: null,
  // As cloud providers word it: below 99.9 % a tenth, below 99 % a quarter, below 95 % everything.
  steps: [
    { belowPpm: 999_000, penaltyPpm: 100_000 },
    { belowPpm: 990_000, penaltyPpm: 250_000 },
    { belowPpm: 950_000, penaltyPpm: 1_000_000 },
  ],
}

test.each([
  // requests, failed, agreed, excused
  [10, 3, 12, 0],
  [12, 12, 12, 0],
  [20, 10, 12, 8],
  [20, 5, 12, 5],
  [20, 0, 12, 0],
  [20, 10, null, 0],
])(
  'golden: of %i requests %i failed at an agreed rate of %s: %i are the own fault',
  (requests, failed, agreedRpm, excused) => {
    expect(excusedOf({ requests, failed, agreedRpm })).toBe(excused)
  },
)

test.each([
  [1000, 1, 999_000, 0],
  [10_000, 11, 998_900, 100_000],
  [100, 1, 990_000, 100_000],
  [1000, 11, 989_000, 250_000],
  [1000, 51, 949_000, 1_000_000],
  [0, 0, 1_000_000, 0],
])('golden: of %i requests %i failed: %i ppm attained, %i ppm due', (requests, failed, attainmentPpm, penaltyPpm) => {
  expect(judge({ ...SUMS, requests, failed }, AVAILABILITY)).toMatchObject({ attainmentPpm, penaltyPpm })
})

test('the worst measure decides, and a credit is that part of the month to the pico', () => {
  const ttft: SlaTerm = {
    measure: 'ttft',
    targetPpm: 950_000,
    limitMs: 500,
    steps: [{ belowPpm: 950_000, penaltyPpm: 50_000 }],
  }
  const sums = {
    ...SUMS,
    requests: 1000,
    failed: 5,
    ttftValid: 100,
    ttftGood: 90,
    netPico: 1_000_000_000_001n,
    taxPico: 60_000_000_005n,
  }
  const terms = { measures: [AVAILABILITY, ttft], requestsPerMinute: null }
  // Half to even: 6000000000.5 is rounded down.
  expect(reportLine(sums, terms)).toMatchObject({
    penaltyPpm: 100_000,
    creditNetPico: 100_000_000_000n,
    creditTaxPico: 6_000_000_000n,
  })
  expect(reportLine(sums, undefined)).toMatchObject({ penaltyPpm: 0, creditNetPico: 0n })
})

test('the narrowest terms hold, the party before the service, and of equals the newest that has begun', () => {
  const declared = (change: Partial<DeclaredTerms>): DeclaredTerms => ({
    ...{
      leg: 'customer',
      party: null,
      service: null,
      tier: null,
      measures: [],
      requestsPerMinute: null,
      validFromMs: 0,
    },
    ...change,
  })
  const all = [
    declared({ requestsPerMinute: 1 }),
    declared({ service: 'chat', tier: 'standard', requestsPerMinute: 2 }),
    declared({ party: 'acme', requestsPerMinute: 3 }),
    declared({ party: 'acme', requestsPerMinute: 4, validFromMs: 10 }),
    declared({ party: 'acme', requestsPerMinute: 5, validFromMs: 99 }),
    declared({ leg: 'supplier', party: 'acme', requestsPerMinute: 6 }),
  ]
  const at = (party: string, service: string, atMs: number) =>
    termsAt(all, { leg: 'customer', party, service, tier: 'standard' }, atMs)?.requestsPerMinute
  expect([at('acme', 'chat', 5), at('acme', 'chat', 10), at('zeta', 'chat', 10), at('zeta', 'other', 10)]).toEqual([
    3, 4, 2, 1,
  ])
})

test('golden: 1.44 % of failures burns a budget of 0.1 % 14.4 times too fast; both windows must', () => {
  const [fast] = BURN_RULES
  if (!fast) throw new Error('no rule')
  const of = (requests: number, failed: number) => ({ ...SUMS, requests, failed })
  expect(burnOf(of(10_000, 144), AVAILABILITY)).toBeCloseTo(14.4, 9)
  expect(alertsAt(fast, AVAILABILITY, of(10_000, 150), of(100, 2))).toBeCloseTo(15, 9)
  expect(alertsAt(fast, AVAILABILITY, of(10_000, 150), of(100, 1))).toBeUndefined()
  expect(alertsAt(fast, AVAILABILITY, of(10_000, 100), of(100, 2))).toBeUndefined()
  expect(burnOf(of(0, 0), AVAILABILITY)).toBe(0)
})
