import { expect, test } from 'vitest'
import { createBreakers, plan } from './index.ts'

const deployment = (supplierId: string, over: object = {}) => ({
  supplierId,
  model: 'm',
  breaker: supplierId,
  priority: 0,
  hasCredentials: true,
  hasPriceAt: () => true,
  ...over,
})

test('a deployment without credentials or price is never used, and explain says why', () => {
  const { order, candidates } = plan(
    [deployment('a', { hasCredentials: false }), deployment('b', { hasPriceAt: () => false }), deployment('c')],
    0,
    () => true,
  )
  expect(order.map((d) => d.supplierId)).toEqual(['c'])
  expect(candidates.map((c) => c.verdict)).toEqual(['no_credentials', 'no_price', 'eligible'])
})

test('the last feasible supplier is used even when its breaker is open', () => {
  expect(plan([deployment('a'), deployment('b')], 0, () => false).order).toHaveLength(2)
  expect(plan([deployment('a'), deployment('b')], 0, (id) => id === 'b').order.map((d) => d.supplierId)).toEqual(['b'])
})

test('five failures in a row open a breaker, one probe at a time closes it again', () => {
  let now = 0
  const breakers = createBreakers(() => now)
  for (let i = 0; i < 4; i++) breakers.ended('a', 'badly')
  expect(breakers.allows('a')).toBe(true)
  breakers.ended('a', 'badly')
  expect(breakers.allows('a')).toBe(false)
  now = 1_000
  expect(breakers.allows('a')).toBe(true)
  breakers.began('a')
  expect(breakers.allows('a')).toBe(false)
  breakers.ended('a', 'badly')
  now = 2_999
  expect(breakers.allows('a')).toBe(false)
  now = 3_000
  breakers.began('a')
  breakers.ended('a', 'neutral')
  expect(breakers.allows('a')).toBe(true)
  breakers.ended('a', 'well')
  breakers.began('a')
  expect(breakers.allows('a')).toBe(true)
})
