import { expect, test } from 'vitest'
import { createErrorRates } from './error-rate.ts'
import { createTpotEstimates } from './estimate-tpot.ts'
import { createTtftEstimates } from './estimate-ttft.ts'
import { createExpectedOutputs } from './expected-output.ts'
import { createLane } from './lane.ts'
import { createLineFits } from './line-fit.ts'
import { missProbability } from './miss.ts'
import { normalCdf } from './normal.ts'
import { createPeakLatencies } from './peak-ewma.ts'
import { sizeClassOf } from './size-class.ts'

test('the normal distribution agrees with its table', () => {
  expect(normalCdf(0)).toBeCloseTo(0.5, 6)
  expect(normalCdf(1)).toBeCloseTo(0.8413447, 5)
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 5)
  expect(normalCdf(-2.326348)).toBeCloseTo(0.01, 5)
})

test('sizes are split where the reference splits them', () => {
  expect([0, 512, 513, 2048, 8192, 8193, 32_768, 32_769].map(sizeClassOf)).toEqual([0, 0, 1, 1, 2, 3, 3, 4])
})

test('a line is found through its points, and one wild point does not tilt it', () => {
  const fits = createLineFits(1, 0)
  for (let x = 0; x < 50; x++) fits.learn(0, x, 100 + 2 * x)
  expect(fits.slope(0)).toBeCloseTo(2, 6)
  expect(fits.at(0, 10)).toBeCloseTo(120, 4)
  // Counted as three times the 200 that were expected, so it moves the line no further than 600 would.
  const sane = createLineFits(1, 0)
  for (let x = 0; x < 50; x++) sane.learn(0, x, 100 + 2 * x)
  fits.learn(0, 50, 1e9)
  sane.learn(0, 50, 600)
  expect(fits.at(0, 50)).toBeCloseTo(sane.at(0, 50), 6)
})

test('a first sample is believed; then bad news moves the mean by 15 %, good news by 8 %', () => {
  const ttft = createTtftEstimates(1)
  ttft.expect(0, 800)
  expect(Math.exp(ttft.lnMs(0, 0, 0))).toBeCloseTo(800, 6)
  for (let i = 0; i < 40; i++) ttft.learn(0, 0, 0, 100)
  expect(Math.exp(ttft.lnMs(0, 0, 0))).toBeCloseTo(100, 6)
  ttft.learn(0, 0, 0, 200)
  // ln 100 + 0.15 · ln 2
  expect(ttft.lnMs(0, 0, 0)).toBeCloseTo(4.60517 + 0.15 * 0.693147, 4)
  ttft.learn(0, 0, 0, 100)
  expect(ttft.lnMs(0, 0, 0)).toBeCloseTo(4.60517 + 0.92 * 0.15 * 0.693147, 4)
  // A size that was never seen is taken for the endpoint's usual one.
  expect(ttft.lnMs(0, 4, 0)).toBeCloseTo(ttft.lnMs(0, 0, 0), 9)
})

test('waiting tokens add their milliseconds to the first token', () => {
  const ttft = createTtftEstimates(1)
  for (let i = 0; i < 400; i++) {
    const tokens = (i % 10) * 2_000
    ttft.learn(0, sizeClassOf(tokens), tokens, 50 + tokens * 0.1)
  }
  expect(ttft.tau(0)).toBeCloseTo(0.1, 2)
  expect(Math.exp(ttft.lnMs(0, 3, 20_000))).toBeGreaterThan(1_800)
  expect(Math.exp(ttft.lnMs(0, 3, 20_000))).toBeLessThan(2_300)
})

test('one that is still waited for can only raise the estimate', () => {
  const ttft = createTtftEstimates(1)
  for (let i = 0; i < 40; i++) ttft.learn(0, 0, 0, 1_000)
  ttft.learnAtLeast(0, 0, 0, 500)
  expect(Math.exp(ttft.lnMs(0, 0, 0))).toBeCloseTo(1_000, 6)
  ttft.learnAtLeast(0, 0, 0, 4_000)
  expect(Math.exp(ttft.lnMs(0, 0, 0))).toBeGreaterThan(1_000)
})

test('an engine that decodes more side by side is expected to be slower', () => {
  const tpot = createTpotEstimates(1)
  for (let i = 0; i < 200; i++) tpot.learn(0, i % 20, 20 + (i % 20))
  // 20 + n; the slope is held back a little while the spread is small.
  expect(Math.abs(tpot.ms(0, 0) - 20)).toBeLessThan(1.5)
  expect(Math.abs(tpot.ms(0, 30) - 50)).toBeLessThan(3)
})

test('nothing known fails in 1 of 100; 10 failures of 20 make 11 of 120, and half of them are forgotten in 30 s', () => {
  const errors = createErrorRates(1)
  expect(errors.rate(0)).toBe(0.01)
  for (let i = 0; i < 20; i++) errors.learn(0, i % 2)
  expect(errors.rate(0)).toBeCloseTo(11 / 120, 12)
  errors.decay(30_000)
  expect(errors.rate(0)).toBeCloseTo(6 / 110, 12)
})

test('a peak counts at once and is forgotten over ten seconds', () => {
  const peaks = createPeakLatencies(1)
  peaks.learn(0, 100, 0)
  peaks.learn(0, 900, 1)
  expect(peaks.cost(0, 0)).toBe(900)
  expect(peaks.cost(0, 2)).toBe(2_700)
  peaks.learn(0, 100, 10_001)
  // 900/e + 100 (1 − 1/e)
  expect(peaks.cost(0, 0)).toBeCloseTo(900 / Math.E + 100 * (1 - 1 / Math.E), 6)
})

test('answers are as long as the tenant had them before', () => {
  const outputs = createExpectedOutputs()
  expect(outputs.tokens('t', 's')).toBeCloseTo(256, 9)
  outputs.learn('t', 's', 1_000)
  outputs.learn('t', 's', 10)
  // exp(ln 1000 + 0.05 · ln(1/100))
  expect(outputs.tokens('t', 's')).toBeCloseTo(1_000 * 100 ** -0.05, 6)
})

test('a miss is a late first token, a slow pace or a failure: 1 − Π(1 − p)', () => {
  const estimates = { ttft: createTtftEstimates(1), tpot: createTpotEstimates(1), errors: createErrorRates(1) }
  const lane = createLane('s', {
    class: 'standard',
    ttftMs: 1_000,
    tpotMs: 1_000,
    attainmentPpm: 990_000,
    missPico: '1',
  })
  // The same sample over and over leaves the variance at its least: σ = 0.15, and an SLO one σ above the estimate.
  for (let i = 0; i < 500; i++) estimates.ttft.learn(0, 0, 0, 1_000 * Math.exp(-0.15))
  for (let i = 0; i < 500; i++) estimates.tpot.learn(0, 1, 1)
  const load = { uncachedTokens: 0, tokensAhead: 0, inFlight: 1 }
  expect(missProbability(estimates, 0, load, lane)).toBeCloseTo(1 - 0.99 * 0.8413447, 4)
  expect(missProbability(estimates, 0, load, undefined)).toBeCloseTo(0.01, 12)
})
