import { expect, test } from 'vitest'
import type { Commitment } from '#contract'
import {
  countTokens,
  createCommitment,
  deliveredTokens,
  isCapReached,
  reliefOf,
  renewCommitment,
  steer,
  urgencyOf,
} from './commitments.ts'

const HOUR = 3_600_000
const MONTH = 720 * HOUR

const commitment = (terms: Commitment['terms'], over: Partial<Commitment> = {}) => {
  const state = createCommitment({
    id: 'c',
    supplier: 's',
    services: ['x'],
    fromMs: 0,
    toMs: MONTH,
    terms,
    delivered: 0,
    countedToMs: 0,
    ...over,
  })
  state.group = [state]
  return state
}

test('one hour behind a month of take-or-pay takes 75 % of the price off within an hour, two hours ahead gives it back', () => {
  const state = commitment({ kind: 'take_or_pay', tokens: 720_000 })
  // An hour in, a thousand tokens should be there and none is.
  steer(state, HOUR, HOUR)
  expect(reliefOf(state, 10, HOUR)).toBeCloseTo(0.75, 12)
  steer(state, HOUR, HOUR)
  expect(reliefOf(state, 10, HOUR)).toBe(1)
  countTokens(state, 3_000, HOUR)
  steer(state, HOUR, HOUR)
  expect(reliefOf(state, 10, HOUR)).toBe(0)
})

test('take-or-pay that is used up, or over, takes nothing off', () => {
  const state = commitment({ kind: 'take_or_pay', tokens: 1_000 }, { toMs: 10 * HOUR })
  steer(state, HOUR, 5 * HOUR)
  expect(reliefOf(state, 1, 5 * HOUR)).toBe(1)
  expect(reliefOf(state, 1, 10 * HOUR)).toBe(0)
  countTokens(state, 1_000, 5 * HOUR)
  expect(reliefOf(state, 1, 5 * HOUR)).toBe(0)
})

test('a reserved rate is free for as much of the request as the minute has room for', () => {
  const state = commitment({ kind: 'reserved_rate', tokensPerMinute: 1_000 })
  expect(reliefOf(state, 400, 0)).toBe(1)
  countTokens(state, 800, 0)
  expect(reliefOf(state, 400, 30_000)).toBe(0.5)
  countTokens(state, 400, 30_000)
  expect(reliefOf(state, 400, 59_999)).toBe(0)
  expect(reliefOf(state, 400, 60_000)).toBe(1)
})

test('nothing passes a cap, and what runs ahead of it is made dearer', () => {
  const state = commitment({ kind: 'cap', tokens: 720_000 })
  expect(isCapReached(state, 720_000, 0)).toBe(false)
  expect(isCapReached(state, 720_001, 0)).toBe(true)
  countTokens(state, 2_000, HOUR)
  steer(state, HOUR, HOUR)
  expect(reliefOf(state, 1, HOUR)).toBeCloseTo(-0.75, 12)
})

test('half a lot behind its share a supplier is free, three quarters behind it comes first, above its maximum it waits', () => {
  const terms = (minPpm: number, maxPpm: number) =>
    ({ kind: 'share', group: 'g', minPpm, maxPpm, lotTokens: 1_000 }) as const
  const a = commitment(terms(500_000, 600_000))
  const b = commitment(terms(400_000, 500_000), { supplier: 'b' })
  const group = [a, b]
  a.group = group
  b.group = group
  countTokens(b, 500, 0)
  // a should have 250 of 500: a quarter of a lot behind.
  expect(reliefOf(a, 1, 0)).toBe(0.5)
  expect(urgencyOf(a, 0)).toBe(0)
  countTokens(b, 1_000, 0)
  // 750 behind.
  expect(reliefOf(a, 1, 0)).toBe(1)
  expect(urgencyOf(a, 0)).toBe(-1)
  // b has 1500, its maximum is 750.
  expect(reliefOf(b, 1, 0)).toBe(-1)
  expect(urgencyOf(b, 0)).toBe(1)
})

test('what the books have counted meanwhile is not counted twice, and others are taken to use as much', () => {
  const state = commitment({ kind: 'cap', tokens: 1_000_000 })
  countTokens(state, 100, 0)
  countTokens(state, 60, 60_000)
  countTokens(state, 40, 120_000)
  expect(deliveredTokens(state)).toBe(200)
  // Counted to the middle of the second minute: half of its 60 are still ours to add.
  renewCommitment(state, { ...state.terms, delivered: 130, countedToMs: 90_000 })
  expect(deliveredTokens(state)).toBe(200)
  state.writers = 4
  expect(deliveredTokens(state)).toBe(130 + 4 * 70)
})
