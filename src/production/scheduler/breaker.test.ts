import { expect, test } from 'vitest'
import { createBreakers } from './breaker.ts'
import type { Breakers } from './breaker.ts'
import type { Health } from './model.ts'
import { createSchedulerTable, openSchedulerTable } from './shared-table.ts'

const HALF = () => 0.5
const setUp = (random: () => number = HALF) => createBreakers(openSchedulerTable(createSchedulerTable(4, 1), 0), random)

function attempt(breakers: Breakers, health: Health, nowMs: number): void {
  const isProbe = breakers.began(0, nowMs)
  breakers.ended(0, health, { beganMs: nowMs, isProbe }, nowMs)
}

test('five failures in a row open it for 5 s; then one, then three, then a tenth of the traffic up to all in 30 s', () => {
  const breakers = setUp()
  for (let i = 0; i < 4; i++) attempt(breakers, 'failed', 0)
  expect(breakers.allows(0, 0)).toBe(true)
  attempt(breakers, 'failed', 0)
  expect(breakers.state(0)).toBe('open')
  expect(breakers.allows(0, 4_999)).toBe(false)
  expect(breakers.allows(0, 5_000)).toBe(true)
  const probe = breakers.began(0, 5_000)
  expect(probe).toBe(true)
  expect(breakers.allows(0, 5_000)).toBe(false)
  breakers.ended(0, 'well', { beganMs: 5_000, isProbe: probe }, 5_100)
  expect(breakers.state(0)).toBe('half_open')
  for (let i = 0; i < 3; i++) expect(breakers.began(0, 5_200)).toBe(true)
  expect(breakers.allows(0, 5_200)).toBe(false)
  for (let i = 0; i < 3; i++) breakers.ended(0, 'well', { beganMs: 5_200, isProbe: true }, 6_000)
  expect(breakers.state(0)).toBe('ramp')
  // 10 % at once, 55 % after 15 s, all after 30 s; the draw is one half.
  expect(breakers.allows(0, 6_000)).toBe(false)
  expect(breakers.allows(0, 6_000 + 15_000)).toBe(true)
  expect(breakers.allows(0, 6_000 + 30_000)).toBe(true)
  attempt(breakers, 'well', 36_000)
  expect(breakers.state(0)).toBe('closed')
})

test('each opening is twice as long as the one before, 20 % more or less, and never above five minutes', () => {
  for (const [draw, factor] of [
    [0, 0.8],
    [0.5, 1],
    [0.999999, 1.2],
  ] as const) {
    const breakers = setUp(() => draw)
    for (let i = 0; i < 5; i++) attempt(breakers, 'failed', 0)
    let now = 0
    for (const openMs of [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      expect(breakers.allows(0, now + factor * openMs * 0.999)).toBe(false)
      now += factor * openMs
      now = Math.ceil(now)
      expect(breakers.allows(0, now)).toBe(true)
      attempt(breakers, 'failed', now)
    }
  }
})

test('half of twenty attempts in ten seconds open it, though none failed five times in a row', () => {
  const breakers = setUp()
  for (let i = 0; i < 19; i++) attempt(breakers, i % 2 ? 'failed' : 'well', i * 100)
  expect(breakers.state(0)).toBe('closed')
  attempt(breakers, 'failed', 2_000)
  expect(breakers.state(0)).toBe('open')
})

test('failures that are long past do not add up with new ones', () => {
  const breakers = setUp()
  for (let i = 0; i < 18; i++) attempt(breakers, i % 2 ? 'failed' : 'well', 0)
  for (let i = 0; i < 6; i++) attempt(breakers, i % 2 ? 'failed' : 'well', 20_000)
  expect(breakers.state(0)).toBe('closed')
})

test('a stream that breaks off is half a failure', () => {
  const breakers = setUp()
  for (let i = 0; i < 400; i++) attempt(breakers, 'well', 0)
  for (let i = 0; i < 9; i++) attempt(breakers, 'broke_off', 0)
  expect(breakers.state(0)).toBe('closed')
  attempt(breakers, 'broke_off', 0)
  expect(breakers.state(0)).toBe('open')
})

test('refused credentials are an alarm, not an illness: left alone for a minute after three, then asked again', () => {
  const breakers = setUp()
  for (let i = 0; i < 2; i++) attempt(breakers, 'misconfigured', 0)
  expect(breakers.isMisconfigured(0, 0)).toBe(false)
  attempt(breakers, 'misconfigured', 0)
  expect(breakers.state(0)).toBe('closed')
  expect(breakers.isMisconfigured(0, 59_999)).toBe(true)
  expect(breakers.isMisconfigured(0, 60_000)).toBe(false)
})

test('one that is used while it is open, for want of others, and serves, is on its way back', () => {
  const breakers = setUp()
  for (let i = 0; i < 5; i++) attempt(breakers, 'failed', 1_000)
  // This one began before it opened and says nothing of how it fares now.
  breakers.ended(0, 'well', { beganMs: 500, isProbe: false }, 1_100)
  expect(breakers.state(0)).toBe('open')
  attempt(breakers, 'well', 1_200)
  expect(breakers.state(0)).toBe('half_open')
})
