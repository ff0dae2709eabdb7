import { expect, test } from 'vitest'
import { createLimits } from './limit.ts'
import { createRateWindows } from './rate-window.ts'
import { createSchedulerTable, openSchedulerTable } from './shared-table.ts'

const setUp = () => {
  const shared = openSchedulerTable(createSchedulerTable(4, 1), 0)
  return { shared, limits: createLimits(shared), rates: createRateWindows(shared) }
}

test('a refusal cuts the limit to nine tenths of what was under way, once a second; successes add one per limit', () => {
  const { shared, limits } = setUp()
  expect(limits.of(0, 100)).toBe(100)
  for (let i = 0; i < 50; i++) shared.enter(0, 0)
  limits.rejected(0, 100, undefined, 10_000)
  expect(limits.of(0, 100)).toBe(45)
  limits.rejected(0, 100, undefined, 10_999)
  expect(limits.of(0, 100)).toBe(45)
  limits.succeeded(0, 100)
  expect(limits.of(0, 100)).toBeCloseTo(45 + 1 / 45, 12)
  for (let i = 0; i < 30; i++) shared.leave(0)
  // 20 of 45 are less than 0.6.
  limits.succeeded(0, 100)
  expect(limits.of(0, 100)).toBeCloseTo(45 + 1 / 45, 12)
})

test('Retry-After is kept, up to a minute', () => {
  const { limits } = setUp()
  limits.rejected(0, 100, 7_000, 10_000)
  expect(limits.busyUntilMs(0)).toBe(17_000)
  limits.rejected(0, 100, 3_000, 10_000)
  expect(limits.busyUntilMs(0)).toBe(17_000)
  limits.rejected(0, 100, 3_600_000, 10_000)
  expect(limits.busyUntilMs(0)).toBe(70_000)
})

test('a cluster that grows slow is given less, and no more while it is half empty', () => {
  const { shared, limits } = setUp()
  for (let i = 0; i < 80; i++) shared.enter(0, 0)
  limits.measured(0, 100, 1)
  // Equal latencies: g = 1, L' = 0.8 · 100 + 0.2 · (100 + 4), but never above the contract.
  expect(limits.of(0, 100)).toBe(100)
  for (let i = 0; i < 60; i++) limits.measured(0, 100, 4)
  expect(limits.of(0, 100)).toBeLessThan(80)
  const low = limits.of(0, 100)
  for (let i = 0; i < 60; i++) shared.leave(0)
  for (let i = 0; i < 60; i++) limits.measured(0, 100, 1)
  expect(limits.of(0, 100)).toBeLessThanOrEqual(Math.max(low, 41))
})

test('no minute has more requests or tokens than the contract allows, over any sixty seconds', () => {
  const { rates } = setUp()
  const perMinute = { requests: 10, tokens: 6_400 }
  let sent = 0
  for (let now = 0; now < 60_000; now += 1_000)
    if (rates.hasRoom(0, perMinute, 64, now)) {
      rates.count(0, 64, now)
      sent++
    }
  expect(sent).toBe(10)
  // A second into the next minute, 59/60 of the ten still count.
  expect(rates.hasRoom(0, perMinute, 64, 61_000)).toBe(false)
  expect(rates.hasRoom(0, perMinute, 64, 66_000)).toBe(true)
  expect(rates.hasRoom(0, { requests: 100, tokens: 639 }, 64, 60_000)).toBe(false)
  expect(rates.hasRoom(0, perMinute, 1_000_000, 200_000)).toBe(true)
})
