import { expect, test } from 'vitest'
import type { GatewayReport, QueueRow, ServedRow } from '#contract'
import { manualClock } from '#platform/clock'
import { createNoc, previewDrain } from './index.ts'
import type { Flow, Route } from './index.ts'

const START_MS = Date.parse('2026-11-25T08:00:00Z')

const served = (over: Partial<ServedRow> = {}): ServedRow => ({
  service: 'chat',
  tier: 'standard',
  supplier: 'east',
  strategy: 'balanced',
  regions: null,
  requests: 0,
  valid: 0,
  good: 0,
  inputTokens: 0,
  outputTokens: 0,
  durationMs: 0,
  ...over,
})
const queue = (over: Partial<QueueRow> = {}): QueueRow => ({
  service: 'chat',
  tier: 'standard',
  waiting: 0,
  tenants: 0,
  running: 0,
  oldestMs: 0,
  expectedWaitMs: null,
  started: 0,
  waited: 0,
  refused: 0,
  expired: 0,
  ...over,
})
const report = (over: Partial<GatewayReport> = {}): GatewayReport => ({
  gateway: 'gw-0',
  startedAtMs: START_MS + 1,
  suppliers: [],
  served: [],
  queues: [],
  endpoints: [],
  shares: [],
  ...over,
})
const supplier = (id: string) => ({
  id,
  displayName: id,
  kind: 'openai-compatible' as const,
  baseUrl: 'http://x/v1',
  apiKeyEnv: null,
  maxConcurrency: 10,
})
const around = {
  suppliers: [supplier('east'), supplier('west')],
  targets: [
    { service: 'chat', class: 'standard', ttftMs: 1, tpotMs: 1, attainmentPpm: 990_000, missPico: '0' } as const,
  ],
  drains: [],
}

function setUp() {
  const clock = manualClock(START_MS)
  return { clock, noc: createNoc({ clock }) }
}

test('rates and levels come from what totals grew by; a lost report, a restart and another worker change nothing', () => {
  const { clock, noc } = setUp()
  const grow = (requests: number, good: number, startedAtMs = START_MS + 1) =>
    noc.report(
      report({ startedAtMs, served: [served({ requests, valid: requests, good, outputTokens: requests * 10 })] }),
    )
  grow(0, 0)
  clock.advance(60_000)
  grow(50, 50)
  // The next report was lost; the one after it says it all. Then the worker starts again from nothing.
  clock.advance(60_000)
  grow(100, 99)
  grow(20, 20, clock.nowMs())
  noc.report(report({ gateway: 'gw-1', served: [served({ requests: 30, valid: 30, good: 29, supplier: 'west' })] }))
  const { lanes, suppliers, minutes } = noc.view(around)
  expect(lanes).toMatchObject([
    {
      service: 'chat',
      tier: 'standard',
      demandPerMinute: 75,
      attainmentPpm: { fiveMinutes: 986_667, hour: 986_667 },
      targetPpm: 990_000,
    },
  ])
  // 2 of 150 missed where 1 of 100 may.
  expect(lanes[0]?.burnRate.fiveMinutes).toBeCloseTo(1.333, 2)
  expect(suppliers.map(({ requestsPerMinute }) => requestsPerMinute)).toEqual([60, 15])
  expect(minutes.map(({ requests }) => requests)).toEqual([0, 50, 100])
})

test('what a worker had counted before we heard of it belongs to no minute of ours', () => {
  const { clock, noc } = setUp()
  noc.report(report({ startedAtMs: START_MS - 1_000_000, served: [served({ requests: 9_000, valid: 9_000 })] }))
  clock.advance(60_000)
  noc.report(report({ startedAtMs: START_MS - 1_000_000, served: [served({ requests: 9_005, valid: 9_005 })] }))
  expect(noc.view(around).minutes.map(({ requests }) => requests)).toEqual([5])
})

test('a worker that is silent for ten seconds is named and no part of what is now', () => {
  const { clock, noc } = setUp()
  const busy = { suppliers: [{ supplier: 'east', inFlight: 4, hasCredentials: true }], queues: [queue({ waiting: 7 })] }
  noc.report(report({ gateway: 'gw-0', ...busy }))
  clock.advance(9_000)
  noc.report(report({ gateway: 'gw-1', ...busy }))
  expect(noc.view(around)).toMatchObject({ lanes: [{ waiting: 14 }], suppliers: [{ inFlight: 8 }, { inFlight: 0 }] })
  clock.advance(2_000)
  expect(noc.view(around)).toMatchObject({
    gateways: [
      { gateway: 'gw-0', ageMs: 11_000, isStale: true },
      { gateway: 'gw-1', ageMs: 2_000, isStale: false },
    ],
    lanes: [{ waiting: 7 }],
    suppliers: [{ inFlight: 4 }, { inFlight: 0 }],
  })
  clock.advance(600_000)
  noc.report(report({ gateway: 'gw-1' }))
  expect(noc.view(around).gateways).toHaveLength(1)
})

test('who was turned away is demand too, and the worst of what workers see of a model is shown', () => {
  const { clock, noc } = setUp()
  const endpoint = { supplier: 'east', model: 'm', isMisconfigured: false, inFlight: 1, ttftMs: null, tpotMs: null }
  noc.report(report({ endpoints: [{ ...endpoint, breaker: 'closed', limit: 8 }] }))
  noc.report(report({ gateway: 'gw-1', endpoints: [{ ...endpoint, breaker: 'open', limit: 4, ttftMs: 300 }] }))
  clock.advance(60_000)
  noc.report(report({ queues: [queue({ refused: 4, expired: 2 })] }))
  noc.report(report({ gateway: 'gw-1', endpoints: [{ ...endpoint, breaker: 'open', limit: 4, ttftMs: 300 }] }))
  const { lanes, suppliers } = noc.view(around)
  expect(lanes).toMatchObject([{ demandPerMinute: 6, shedPerMinute: 6 }])
  expect(suppliers[0]?.endpoints).toMatchObject([{ model: 'm', breaker: 'open', ttftMs: 300 }])
})

const flow = (over: Partial<Flow>): Flow => ({
  service: 'chat',
  tier: 'standard',
  strategy: 'balanced',
  regions: null,
  supplier: 'gone',
  requestsPerMinute: 60,
  inputTokens: 100,
  outputTokens: 100,
  durationMs: 2_000,
  ...over,
})

test('a preview fills the others in their order, the highest class first, and says what nobody has room for', () => {
  const routes: readonly Route[] = [
    { supplier: 'cheap', model: 'c', pricePico: 10 },
    { supplier: 'dear', model: 'd', pricePico: 30 },
    { supplier: 'gone', model: 'g', pricePico: 20 },
  ]
  const preview = previewDrain({
    supplier: 'gone',
    isKnown: true,
    // Two seconds at 60 a minute are two places.
    flows: [flow({ tier: 'batch' }), flow({ tier: 'priority' }), flow({ supplier: 'cheap' })],
    routesOf: () => routes,
    suppliers: [
      { id: 'gone', inFlight: 4, maxConcurrency: 10 },
      { id: 'cheap', inFlight: 7, maxConcurrency: 10 },
      { id: 'dear', inFlight: 0, maxConcurrency: 0.5 },
    ],
    orphaned: ['rare'],
  })
  expect(preview.moves).toEqual([
    {
      service: 'chat',
      tier: 'priority',
      requestsPerMinute: 60,
      to: [{ supplier: 'cheap', model: 'c', requestsPerMinute: 60 }],
      lostPerMinute: 0,
    },
    {
      service: 'chat',
      tier: 'batch',
      requestsPerMinute: 60,
      to: [
        { supplier: 'cheap', model: 'c', requestsPerMinute: 30 },
        { supplier: 'dear', model: 'd', requestsPerMinute: 15 },
      ],
      lostPerMinute: 15,
    },
  ])
  expect(preview.loads).toEqual([
    { supplier: 'cheap', before: 7, after: 10, maxConcurrency: 10 },
    { supplier: 'dear', before: 0, after: 0.5, maxConcurrency: 0.5 },
  ])
  // What is lost costs nothing anywhere, so only what moves is compared.
  expect(preview.costPerMinutePico).toEqual({ before: 105 * 20, after: 90 * 10 + 15 * 30 })
  expect(preview.orphaned).toEqual(['rare'])
})
