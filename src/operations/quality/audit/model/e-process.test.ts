import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inflatedRequests, honestRequests } from '../../../../../sim/audit/suppliers.ts'
import { BETS, CLIP, FLAG_AT, betOnMean, deviationOf, isFlagged, logWealth } from './e-process.ts'
import { isExcess, payableTokens, slackOf } from './payment.ts'
import { NOTHING_SEEN, USUAL_SETTINGS, flaggedBy, see } from './stream.ts'
import type { AuditState, TokenClaim } from './stream.ts'

/** Requests until a flag, or undefined within `most`. */
function untilFlag(claims: Iterable<TokenClaim>, most: number, only?: 'mean'): number | undefined {
  let state: AuditState = NOTHING_SEEN
  for (const claim of claims) {
    state = see(state, claim, USUAL_SETTINGS.output)
    if (only === 'mean' ? isFlagged(state.meanWealth) : flaggedBy(state)) return state.seen
    if (state.seen === most) return undefined
  }
  return undefined
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN

test('golden: a constant inflation of 2 % is flagged after 565 requests, as the closed form says', () => {
  // The boldest bet decides: 5 bets share the wealth, so it must reach 5,000 by factors of 1 + 0.4 × 0.019 / 0.5.
  const closedForm = Math.ceil(Math.log(FLAG_AT * BETS.length) / Math.log1p((0.4 * 0.019) / CLIP))
  expect(closedForm).toBe(565)
  let wealth: readonly number[] = BETS.map(() => 0)
  let requests = 0
  while (logWealth(wealth) < Math.log(FLAG_AT)) {
    wealth = betOnMean(wealth, 0.02, 0.001)
    requests += 1
  }
  // The other bets have won a little too.
  expect(requests).toBeGreaterThan(closedForm - 15)
  expect(requests).toBeLessThanOrEqual(closedForm)
})

test('the mean alone flags 2 % with a median of about 600 requests and 5 % within 300; both tests together are no slower', () => {
  const flags = (percent: number, only?: 'mean') =>
    Array.from({ length: 15 }, (_, seed) => untilFlag(inflatedRequests({ seed, percent }), 5000, only) ?? Infinity)
  expect(median(flags(2, 'mean'))).toBeGreaterThan(450)
  expect(median(flags(2, 'mean'))).toBeLessThan(700)
  expect(median(flags(5, 'mean'))).toBeLessThan(300)
  expect(median(flags(2))).toBeLessThanOrEqual(median(flags(2, 'mean')))
})

test('an honest supplier is not flagged in 50,000 requests (three of the seeds of npm run sim:audit)', () => {
  for (const seed of [1, 2, 3]) expect(untilFlag(honestRequests({ seed }), 50_000)).toBeUndefined()
})

test('a supplier that adds 30 % to every fiftieth request is caught by the test of excesses', () => {
  const flags = Array.from({ length: 9 }, (_, seed) =>
    untilFlag(inflatedRequests({ seed, percent: 30, share: 0.02 }), 20_000),
  )
  expect(flags.every((each) => each !== undefined)).toBe(true)
  expect(median(flags.map((each) => each ?? Infinity))).toBeLessThan(2000)
})

test('a fair bet gains nothing on average: the mean of what one step makes of wealth is at most what it was', () => {
  // Deviations with a mean of at most tau, anything else about them.
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }), (raw) => {
      const clipped = raw.map((each) => Math.max(-CLIP, Math.min(CLIP, each)))
      const mean = clipped.reduce((sum, each) => sum + each, 0) / clipped.length
      const honest = clipped.map((each) => Math.max(-CLIP, each - Math.max(0, mean - 0.001)))
      if (honest.reduce((sum, each) => sum + each, 0) / honest.length > 0.001 + 1e-12) return
      for (const at of BETS.keys()) {
        const gain = honest.reduce(
          (sum, each) =>
            sum +
            Math.exp(
              betOnMean(
                BETS.map(() => 0),
                each,
                0.001,
              )[at] ?? 0,
            ),
          0,
        )
        expect(gain / honest.length).toBeLessThanOrEqual(1 + 1e-9)
      }
    }),
  )
})

test('golden: deviations are parts of our count, clipped; tolerance is the larger of four tokens and half a percent', () => {
  expect(deviationOf({ reported: 102, counted: 100, fixedTokens: 0 })).toBeCloseTo(0.02, 12)
  expect(deviationOf({ reported: 101, counted: 100, fixedTokens: 1 })).toBe(0)
  expect(deviationOf({ reported: 900, counted: 100, fixedTokens: 0 })).toBe(0.5)
  expect(deviationOf({ reported: 7, counted: 0, fixedTokens: 0 })).toBe(0.5)
  const { slack } = USUAL_SETTINGS.output
  expect([slackOf(100, slack), slackOf(800, slack), slackOf(2000, slack)]).toEqual([4, 4, 10])
  expect(isExcess({ reported: 104, counted: 100, slack })).toBe(false)
  expect(isExcess({ reported: 105, counted: 100, slack })).toBe(true)
  expect(payableTokens({ reported: 104, counted: 100, slack })).toBe(104)
  expect(payableTokens({ reported: 150, counted: 100, slack })).toBe(104)
  expect(payableTokens({ reported: 90, counted: 100, slack })).toBe(90)
})
