import { expect, test } from 'vitest'
import { createScheduler } from './index.ts'
import type { Ask, Endpoint, Result } from './index.ts'

const endpoint = (supplierId: string, over: Partial<Endpoint> = {}): Endpoint => ({
  supplierId,
  model: 'm',
  priority: 0,
  hasCredentials: true,
  costsAt: () => ({ input: 1, cachedInput: 1, output: 1 }),
  ...over,
})

const ask = (over: Partial<Ask> = {}): Ask => ({
  service: 's',
  slaClass: 'standard',
  strategy: 'balanced',
  tenant: 't',
  inputTokens: 100,
  expectedOutputTokens: 100,
  prefixKey: undefined,
  needs: [],
  regions: undefined,
  nowMs: 0,
  acceptedAtMs: 0,
  tried: [],
  ...over,
})

function setUp(...endpoints: Endpoint[]) {
  const scheduler = createScheduler()
  scheduler.adopt({
    services: [{ id: 's', sla: [], regions: undefined, endpoints }],
    links: [],
    commitments: [],
    lots: [],
  })
  const choose = (over: Partial<Ask> = {}) => {
    const { order, candidates } = scheduler.choose(ask(over))
    return { order: order.map(({ supplierId }) => supplierId), verdicts: candidates.map(({ verdict }) => verdict) }
  }
  const attempt = (one: Endpoint, outcome: Result['outcome'], nowMs: number) =>
    scheduler.ended(scheduler.began(one, { ...ask(), nowMs }), {
      outcome,
      status: null,
      retryAfterMs: undefined,
      nowMs,
    })
  return { scheduler, choose, attempt }
}

test('a deployment without credentials or price is never used, and explain says why', () => {
  const { choose } = setUp(
    endpoint('a', { hasCredentials: false }),
    endpoint('b', { costsAt: () => undefined }),
    endpoint('c'),
  )
  expect(choose()).toEqual({ order: ['c'], verdicts: ['no_credentials', 'no_price', 'eligible'] })
})

test('priorities come first, price decides inside one', () => {
  const at = (price: number) => ({ costsAt: () => ({ input: price, cachedInput: price, output: price }) })
  const { choose } = setUp(endpoint('a', at(9)), endpoint('b', at(3)), endpoint('c', { priority: 1, ...at(1) }))
  expect(choose().order).toEqual(['b', 'a', 'c'])
})

test('the last feasible supplier is used even when its breaker is open', () => {
  const [a, b] = [endpoint('a'), endpoint('b')]
  const { choose, attempt } = setUp(a, b)
  for (let i = 0; i < 5; i++) attempt(a, 'status_5xx', 0)
  expect(choose()).toEqual({ order: ['b'], verdicts: ['breaker_open', 'eligible'] })
  for (let i = 0; i < 5; i++) attempt(b, 'status_5xx', 0)
  expect(choose().order).toEqual(['a', 'b'])
})

test('what was tried is not given again', () => {
  const [a, b] = [endpoint('a'), endpoint('b')]
  expect(setUp(a, b).choose({ tried: [a] }).order).toEqual(['b'])
})
