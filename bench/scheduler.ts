/**
 * What one decision of the scheduler costs: `choose` among many endpoints, all of them eligible and weighed, with an SLA, contracts and a
 * prompt in common. Written for `npm run bench:scheduler`; `--endpoints 200 --decisions 200000`. Times are of this thread on this
 * machine; on a loaded one look at the median and at the bytes.
 */
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { Commitment } from '#contract'
import { createScheduler } from '#scheduler'
import type { Ask, Endpoint } from '#scheduler'

const { values } = parseArgs({
  options: { endpoints: { type: 'string', default: '200' }, decisions: { type: 'string', default: '200000' } },
})
const decisions = Number(values.decisions)
const WARM_UP = 20_000

/** A small generator of our own, so that every run decides the same. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function endpointsOf(count: number, isRanked: boolean): Endpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const costs = { input: 1_000 + (i % 17) * 90, cachedInput: 200, output: 4_000 + (i % 13) * 300 }
    return {
      supplierId: `supplier-${i}`,
      model: 'm',
      priority: isRanked ? i : 0,
      hasCredentials: true,
      costsAt: () => costs,
      region: i % 3 === 0 ? 'north' : 'south',
      maxConcurrency: 64,
      ...(i % 4 === 0 ? { tokensPerMinute: 1_000_000_000 } : {}),
    }
  })
}

function commitmentsOf(endpoints: readonly Endpoint[]): Commitment[] {
  return endpoints
    .filter((_, i) => i % 10 === 0)
    .map(({ supplierId }) => ({
      id: supplierId,
      supplier: supplierId,
      services: ['s'],
      fromMs: 0,
      toMs: 1e13,
      terms: { kind: 'take_or_pay', tokens: 1e12 },
      delivered: 0,
      countedToMs: 0,
    }))
}

function measure(label: string, count: number, isRanked: boolean): void {
  const random = seeded(1)
  const endpoints = endpointsOf(count, isRanked)
  const scheduler = createScheduler({ random, region: 'north' })
  scheduler.adopt({
    services: [
      {
        id: 's',
        sla: [{ class: 'standard', ttftMs: 2_000, tpotMs: 50, attainmentPpm: 990_000, missPico: '3000000000' }],
        regions: undefined,
        endpoints,
      },
    ],
    links: [{ from: 'north', to: 'south', rttMs: 30, mebibytePico: '100000000' }],
    commitments: isRanked ? [] : commitmentsOf(endpoints),
    lots: [],
  })
  const asks = Array.from({ length: 64 }, (_, i): Ask => ({
    service: 's',
    slaClass: 'standard',
    strategy: 'balanced',
    tenant: `tenant-${i % 8}`,
    inputTokens: 200 + i * 120,
    expectedOutputTokens: 250,
    prefixKey: `prefix-${i % 16}`,
    needs: ['streaming'],
    regions: undefined,
    nowMs: 0,
    acceptedAtMs: 0,
    tried: [],
  }))
  const samplesUs = new Float64Array(decisions)
  let nowMs = 1_000
  const decide = (i: number) => scheduler.choose({ ...(asks[i % asks.length] as Ask), nowMs, acceptedAtMs: nowMs })
  const learn = (i: number): void => {
    const { order } = decide(i)
    const chosen = order[0] as Endpoint
    const running = scheduler.began(chosen, { ...(asks[i % asks.length] as Ask), nowMs, acceptedAtMs: nowMs })
    scheduler.firstToken(running, 100 + random() * 300)
    scheduler.ended(running, { outcome: 'served', status: 200, retryAfterMs: undefined, nowMs: nowMs + 3_000 })
    scheduler.settled(running, { inputTokens: 500, cachedInputTokens: 50, outputTokens: 200 })
    nowMs += 1
    scheduler.tick(nowMs)
  }
  for (let i = 0; i < WARM_UP; i++) learn(i)
  const gcBefore = globalThis.gc
  gcBefore?.()
  const heapBefore = process.memoryUsage().heapUsed
  // Few enough that nothing is collected between the two readings.
  const counted = 200
  for (let i = 0; i < counted; i++) decide(i)
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / counted
  const cpuBefore = process.cpuUsage()
  for (let i = 0; i < decisions; i++) {
    const from = performance.now()
    decide(i)
    samplesUs[i] = (performance.now() - from) * 1_000
  }
  const cpu = process.cpuUsage(cpuBefore)
  samplesUs.sort()
  const at = (part: number) => (samplesUs[Math.floor(part * (decisions - 1))] as number).toFixed(2)
  console.log(
    `${label.padEnd(34)} ${String(count).padStart(4)} endpoints   p50 ${at(0.5)} µs   p99 ${at(0.99)} µs   p99.9 ${at(0.999)} µs   ` +
      `CPU ${(cpu.user / decisions).toFixed(2)} µs   ${bytes.toFixed(0)} bytes`,
  )
}

const most = Number(values.endpoints)
measure('one deployment (cached plan)', 1, true)
measure('two by priority (cached plan)', 2, true)
for (const count of [2, 10, 50, most]) measure('weighed', count, false)
