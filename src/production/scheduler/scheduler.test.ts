import { expect, test } from 'vitest'
import type { SlaTarget } from '#contract'
import { createScheduler } from './index.ts'
import type { Ask, Endpoint, Market } from './index.ts'
import { ask, attempt, endpoint, market, priced } from './market-fixture.ts'

const HALF = () => 0.5

function setUp(
  endpoints: readonly Endpoint[],
  over: Partial<Market<Endpoint>['services'][number]> = {},
  more: Partial<Market<Endpoint>> = {},
  random: () => number = HALF,
) {
  const scheduler = createScheduler({ random, region: 'here' })
  scheduler.adopt(market(endpoints, over, more))
  const choose = (asked: Partial<Ask> = {}) => {
    const { order, candidates } = scheduler.choose(ask(asked))
    return { order: order.map(({ supplierId }) => supplierId), verdicts: candidates.map(({ verdict }) => verdict) }
  }
  const scores = (asked: Partial<Ask> = {}) => scheduler.choose(ask(asked)).candidates.map(({ score }) => score)
  return { scheduler, choose, scores }
}

const sla = (over: Partial<SlaTarget> = {}): SlaTarget => ({
  class: 'standard',
  ttftMs: 1_000,
  tpotMs: 1_000,
  attainmentPpm: 990_000,
  missPico: '10000',
  ...over,
})

test('every hard filter says why an endpoint may not serve', () => {
  const lot = { id: 'l', agreement: 'a', model: 'm', inputTokensPerMinute: 10, outputTokensPerMinute: 10 }
  const { choose } = setUp(
    [
      endpoint('keyless', { hasCredentials: false }),
      endpoint('unpriced', { costsAt: () => undefined }),
      endpoint('draining', { isDraining: true, region: 'cn-north' }),
      endpoint('abroad', { region: 'eu' }),
      endpoint('nowhere'),
      endpoint('unbought', { region: 'cn-north', needsLot: true }),
      endpoint('over', { region: 'cn-north', needsLot: true }),
      endpoint('bought', { region: 'cn-north', needsLot: true }),
      endpoint('small', { region: 'cn-north', contextTokens: 99 }),
      endpoint('plain', { region: 'cn-north', features: new Set(['streaming']) }),
      endpoint('capable', { region: 'cn-north', features: new Set(['streaming', 'tools']) }),
      endpoint('capped', { region: 'cn-north' }),
    ],
    { regions: ['cn-north', 'cn-south'] },
    {
      lots: [
        { ...lot, supplier: 'over', fromMs: 0, toMs: 1_000 },
        { ...lot, supplier: 'bought', fromMs: 0, toMs: 1_001 },
      ],
      commitments: [
        {
          id: 'c',
          supplier: 'capped',
          services: ['s'],
          fromMs: 0,
          toMs: 2_000,
          terms: { kind: 'cap', tokens: 199 },
          delivered: 0,
          countedToMs: 0,
        },
      ],
    },
  )
  const { order, verdicts } = choose({ nowMs: 1_000, needs: ['tools'], regions: ['cn-north', 'eu'] })
  expect(verdicts).toEqual([
    'no_credentials',
    'no_price',
    'draining',
    'region',
    'region',
    'no_lot',
    'no_lot',
    'eligible',
    'context',
    'feature',
    'eligible',
    'cap_reached',
  ])
  expect(order.toSorted()).toEqual(['bought', 'capable'])
})

test('priorities come first, price decides inside one', () => {
  const { choose } = setUp([
    endpoint('a', priced(9)),
    endpoint('b', priced(3)),
    endpoint('c', { priority: 1, ...priced(1) }),
  ])
  expect(choose().order).toEqual(['b', 'a', 'c'])
})

test('where each has a priority of its own nothing is weighed, and the answer is made once', () => {
  const { scheduler } = setUp([endpoint('a', priced(9)), endpoint('b', { priority: 1, ...priced(1) })])
  const choice = scheduler.choose(ask())
  expect(choice.order.map(({ supplierId }) => supplierId)).toEqual(['a', 'b'])
  expect(choice.candidates.some((candidate) => 'score' in candidate)).toBe(false)
  expect(scheduler.choose(ask({ inputTokens: 5 }))).toBe(choice)
})

test('the last feasible supplier is used even when its breaker is open', () => {
  const [a, b] = [endpoint('a'), endpoint('b', { priority: 1 })]
  const { scheduler, choose } = setUp([a, b])
  for (let i = 0; i < 5; i++) attempt(scheduler, a, { outcome: 'status_5xx' })
  expect(choose()).toEqual({ order: ['b'], verdicts: ['breaker_open', 'eligible'] })
  for (let i = 0; i < 5; i++) attempt(scheduler, b, { outcome: 'status_5xx' })
  expect(choose().order).toEqual(['a', 'b'])
  expect(choose({ tried: [a] }).order).toEqual(['b'])
})

test('a supplier that said when to come back is not asked before', () => {
  const [a, b] = [endpoint('a'), endpoint('b', { priority: 1 })]
  const { scheduler, choose } = setUp([a, b])
  attempt(scheduler, a, { outcome: 'status_429', retryAfterMs: 5_000 })
  expect(choose({ nowMs: 4_999 })).toEqual({ order: ['b'], verdicts: ['at_capacity', 'eligible'] })
  expect(choose({ nowMs: 5_000 }).order).toEqual(['a', 'b'])
  attempt(scheduler, b, { outcome: 'status_429', retryAfterMs: 3_000 })
  expect(choose({ nowMs: 1_000 }).order).toEqual([])
  expect(scheduler.outlook(ask({ nowMs: 1_000 })).waitMs).toBe(2_000)
})

test('the terms are those of the formula', () => {
  const near = endpoint('near', { region: 'here', costsAt: () => ({ input: 10, cachedInput: 1, output: 40 }) })
  const far = endpoint('far', { region: 'there', ...priced(2) })
  const { scores } = setUp(
    [near, far],
    {},
    {
      links: [{ from: 'there', to: 'here', rttMs: 30, mebibytePico: '1048576' }],
    },
  )
  const [nearScore, farScore] = scores()
  // 100 · 10 + 100 · 40; without a promise a failure (1 %) costs the price once more.
  expect(nearScore).toEqual({
    price: 5_000,
    commitment: 0,
    miss: 50,
    missProbability: 0.01,
    network: 0,
    affinity: -0,
    total: 5_050,
  })
  // 400 bytes to, 20 000 bytes from, at one pico-yuan each.
  expect(farScore).toMatchObject({ price: 400, network: 20_400, total: 400 + 4 + 20_400 })
})

test('what is cached there counts as cheaper, for the tenant who asked before and for nobody else', () => {
  const costs = { costsAt: () => ({ input: 10, cachedInput: 1, output: 10 }) }
  const [a, b] = [endpoint('a', costs), endpoint('b', costs)]
  const { scheduler, scores } = setUp([a, b])
  const running = scheduler.began(a, ask({ prefixKey: 'system prompt' }))
  scheduler.ended(running, { outcome: 'served', status: 200, retryAfterMs: undefined, nowMs: 0 })
  // Half of the input is expected to be read from the cache: 50 tokens at 9 less.
  expect(scores({ prefixKey: 'system prompt' }).map((score) => score?.affinity)).toEqual([-450, -0])
  expect(scores({ prefixKey: 'system prompt', tenant: 'u' }).map((score) => score?.affinity)).toEqual([-0, -0])
  expect(scores({ prefixKey: 'system prompt', nowMs: 300_001 }).map((score) => score?.affinity)).toEqual([-0, -0])
})

test('equals are drawn at random; with a prompt in common they are always the same one, until it has too much', () => {
  const endpoints = ['a', 'b', 'c'].map((id) => endpoint(id, { maxConcurrency: 30 }))
  let draw = 0
  const { scheduler, choose } = setUp(endpoints, {}, {}, () => (draw = (draw + 0.37) % 1))
  const drawn = new Set(Array.from({ length: 20 }, () => choose().order[0]))
  expect(drawn.size).toBe(3)
  const kept = choose({ prefixKey: 'p' }).order[0]
  for (let i = 0; i < 20; i++) expect(choose({ prefixKey: 'p' }).order[0]).toBe(kept)
  const chosen = endpoints.find(({ supplierId }) => supplierId === kept)
  // ⌈1.25 · (m + 1) / 3⌉ with m of its own: one with 2 of 2 is above its part.
  for (let i = 0; i < 2; i++) if (chosen) scheduler.began(chosen, ask())
  expect(choose({ prefixKey: 'p' }).order[0]).not.toBe(kept)
})

test('an endpoint that breaks the promise costs what a miss is worth, and the debt makes it dearer until another is taken', () => {
  const cheap = endpoint('cheap', priced(1))
  const quick = endpoint('quick', priced(10))
  const { scheduler, choose } = setUp([cheap, quick], { sla: [sla({ missPico: '1000' })] })
  for (let i = 0; i < 100; i++) {
    attempt(scheduler, cheap, { ttftMs: 1_150, nowMs: i * 10 })
    attempt(scheduler, quick, { ttftMs: 100, nowMs: i * 10 })
  }
  // 200 pico against 2 000, and a miss is worth 1 000.
  expect(choose({ nowMs: 1_000 }).order[0]).toBe('cheap')
  for (let now = 5_000; now <= 40_000; now += 5_000) {
    scheduler.tick(now)
    attempt(scheduler, cheap, { ttftMs: 1_150, nowMs: now })
  }
  expect(scheduler.view(40_000).lanes[0]?.missPrice).toBeGreaterThan(2_000)
  expect(choose({ nowMs: 40_000 }).order[0]).toBe('quick')
})

test('cost pays for speed only while the promise is broken; effect takes the fastest whatever it costs', () => {
  const cheap = endpoint('cheap', priced(1))
  const quick = endpoint('quick', priced(100))
  const { scheduler, choose } = setUp([cheap, quick], { sla: [sla({ missPico: '1000' })] })
  for (let i = 0; i < 50; i++) {
    attempt(scheduler, cheap, { ttftMs: 600, nowMs: i * 10 })
    attempt(scheduler, quick, { ttftMs: 100, nowMs: i * 10 })
  }
  expect(choose({ nowMs: 1_000, strategy: 'cost' }).order[0]).toBe('cheap')
  expect(choose({ nowMs: 1_000, strategy: 'balanced' }).order[0]).toBe('cheap')
  expect(choose({ nowMs: 1_000, strategy: 'effect' }).order[0]).toBe('quick')
})

test('a request that is still waited for when its promise is broken counts as a miss at once, and only once', () => {
  const one = endpoint('one')
  const { scheduler } = setUp([one], { sla: [sla()] })
  const running = scheduler.began(one, ask())
  scheduler.tick(900)
  expect(scheduler.view(900).lanes[0]?.reliability.reduce((sum, { samples }) => sum + samples, 0)).toBe(0)
  scheduler.tick(1_100)
  scheduler.tick(1_200)
  scheduler.firstToken(running, 1_300)
  scheduler.ended(running, { outcome: 'served', status: 200, retryAfterMs: undefined, nowMs: 1_400 })
  scheduler.settled(running, { inputTokens: 100, cachedInputTokens: 0, outputTokens: 10 })
  const [lane] = scheduler.view(1_500).lanes
  expect(lane?.reliability.reduce((sum, { samples }) => sum + samples, 0)).toBe(1)
  expect(lane).toMatchObject({ valid: 1, attainment: 0 })
})

test('what was learned survives a new snapshot; what is under way goes on with the endpoint of the old one', () => {
  const { scheduler } = setUp([endpoint('a')], { sla: [sla()] })
  const old = endpoint('a')
  for (let i = 0; i < 30; i++) attempt(scheduler, scheduler.choose(ask()).order[0] ?? old, { ttftMs: 700, nowMs: i })
  scheduler.adopt(market([endpoint('a'), endpoint('b')], { sla: [sla()] }))
  expect(scheduler.view(100).endpoints[0]?.ttftMs).toBeCloseTo(700, 3)
  expect(scheduler.view(100).lanes[0]?.valid).toBe(30)
  expect(() => scheduler.began(old, ask())).not.toThrow()
})

test('who was cast aside for being slow is tried out again when it has been silent, and comes back after a few good answers', () => {
  const [good, ill] = [endpoint('good', priced(2)), endpoint('ill', priced(1))]
  let luck = 0.5
  const { scheduler, choose } = setUp([good, ill], { sla: [sla()] }, {}, () => luck)
  let nowMs = 1_000_000
  const serve = (one: Endpoint, ttftMs: number): void => {
    nowMs += 5_000
    attempt(scheduler, one, { nowMs, ttftMs })
  }
  for (let i = 0; i < 20; i++) {
    serve(good, 200)
    serve(ill, 5_000)
  }
  const first = () => choose({ nowMs, acceptedAtMs: nowMs }).order[0]
  expect(first()).toBe('good')
  for (let i = 0; i < 8; i++) serve(good, 200)
  luck = 0
  expect(first()).toBe('ill')
  for (let i = 0; i < 4; i++) serve(ill, 200)
  luck = 0.5
  expect(first()).toBe('ill')
})

test('how late a first token may be is told once enough were measured', () => {
  const { scheduler } = setUp([endpoint('a')])
  const [a] = scheduler.choose(ask()).order
  if (!a) throw new Error('nobody was chosen')
  let nowMs = 0
  for (let i = 0; i < 40; i++) {
    const running = scheduler.began(a, { ...ask(), nowMs })
    if (i < 20) expect(scheduler.firstTokenMs(running, 0)).toBeUndefined()
    scheduler.firstToken(running, i % 2 ? 90 : 110)
    scheduler.ended(running, { outcome: 'served', status: 200, retryAfterMs: undefined, nowMs: nowMs + 200 })
    nowMs += 1_000
  }
  const running = scheduler.began(a, { ...ask(), nowMs })
  const [middle = 0, late = 0] = [0, 2].map((sigmas) => scheduler.firstTokenMs(running, sigmas))
  expect(middle).toBeGreaterThan(85)
  expect(middle).toBeLessThan(115)
  expect(late).toBeGreaterThan(middle)
})
