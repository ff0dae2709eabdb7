import { expect, test } from 'vitest'
import { createSampler } from './sampler.ts'

test('few requests are all sampled, many up to the bound per second', () => {
  let now = 0
  const isSampled = createSampler({ perSecond: 3, nowMs: () => now })
  expect([isSampled(), isSampled(), isSampled(), isSampled()]).toEqual([true, true, true, false])
  now = 999
  expect(isSampled()).toBe(false)
  now = 1000
  expect(isSampled()).toBe(true)
})
