import { expect, test } from 'vitest'
import type { ServiceTier } from '#contract'
import { NO_TOKENS } from '#kernel'
import { CLASS_POLICIES, NO_CEILING, RANKS, ceilingsFor, createFlowControl, roomUnder } from './index.ts'
import type { Turn } from './index.ts'

/**
 * A supplier of twenty places in virtual time, Poisson arrivals, answers of one second on average: what a request gets depends on the
 * queue alone. Useful is an answer whose first token came within its budget.
 */
const PLACES = 20
const SERVICE_MS = 1_000
const BUDGET_MS: Record<ServiceTier, number> = { priority: 2_000, standard: 2_000, flex: 10_000, batch: 60_000 }
const MIX: Record<ServiceTier, number> = { priority: 0.1, standard: 0.6, flex: 0.2, batch: 0.1 }
const CAPACITY_PER_MS = PLACES / SERVICE_MS
const RUN_MS = 120_000
const WARM_MS = 20_000

interface Job {
  readonly tier: ServiceTier
  readonly atMs: number
  startMs: number
}

interface Outcome {
  readonly usefulPerMs: number
  readonly waitP99Ms: Record<ServiceTier, number>
  readonly refused: Record<ServiceTier, number>
}

function run(load: number, { priorityLoad = load * MIX.priority } = {}): Outcome {
  const random = randomFrom(7)
  const flow = createFlowControl<Job>()
  const ceilings = ceilingsFor(new Set(['priority', 'standard', 'flex', 'batch']), CLASS_POLICIES)
  const ends: { atMs: number; turn: Turn<Job> }[] = []
  const turns = new Map<Job, Turn<Job>>()
  const waits: Record<ServiceTier, number[]> = { priority: [], standard: [], flex: [], batch: [] }
  const refused: Record<ServiceTier, number> = { priority: 0, standard: 0, flex: 0, batch: 0 }
  let useful = 0
  const tryStart = (nowMs: number) => (job: Job) => {
    if (ends.length >= roomUnder(ceilings[RANKS[job.tier]] ?? NO_CEILING, PLACES)) return false
    job.startMs = nowMs
    ends.push({ atMs: nowMs + SERVICE_MS * exponential(random), turn: turns.get(job) as Turn<Job> })
    ends.sort((a, b) => a.atMs - b.atMs)
    return true
  }
  const loadOf = (tier: ServiceTier) =>
    tier === 'priority' ? priorityLoad : ((load - priorityLoad) * MIX[tier]) / (1 - MIX.priority)
  const next = (Object.keys(MIX) as ServiceTier[]).map((tier) => ({ tier, atMs: 0 }))
  const arrivalAfter = (tier: ServiceTier, nowMs: number) =>
    nowMs + exponential(random) / (loadOf(tier) * CAPACITY_PER_MS)
  for (const one of next) one.atMs = arrivalAfter(one.tier, 0)

  for (let sweptMs = 0; ;) {
    const arrival = next.toSorted((a, b) => a.atMs - b.atMs)[0] as (typeof next)[number]
    const nowMs = Math.min(arrival.atMs, ends[0]?.atMs ?? Infinity, sweptMs + 100)
    if (nowMs > RUN_MS) break
    if (nowMs === sweptMs + 100) {
      sweptMs = nowMs
      for (const { work } of flow.expire(nowMs)) refused[work.tier]++
    } else if (nowMs === ends[0]?.atMs) {
      const [{ turn }] = ends.splice(0, 1) as [(typeof ends)[number]]
      const { work } = turn
      flow.end(turn, { ...NO_TOKENS, uncachedInput: 100, output: 100 })
      turns.delete(work)
      if (nowMs < WARM_MS) continue
      waits[work.tier].push(work.startMs - work.atMs)
      if (work.startMs - work.atMs <= BUDGET_MS[work.tier]) useful++
    } else {
      arrival.atMs = arrivalAfter(arrival.tier, nowMs)
      const { tier } = arrival
      const job: Job = { tier, atMs: nowMs, startMs: 0 }
      const ask = {
        service: 's',
        tier,
        tenant: 'a',
        weight: 1,
        inputTokens: 100,
        bytes: 100,
        patienceMs: BUDGET_MS[tier] / 2,
      }
      const turn = flow.turn({ ...ask, deadlineMs: nowMs + BUDGET_MS[tier] }, job)
      turns.set(job, turn)
      const answer = flow.wait(turn, '', nowMs)
      if (answer.refused) refused[tier]++
      if (answer.dropped) refused[answer.dropped.ask.tier]++
    }
    flow.pump(nowMs, tryStart(nowMs))
  }
  const p99 = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)] ?? 0
  return {
    usefulPerMs: useful / (RUN_MS - WARM_MS),
    waitP99Ms: {
      priority: p99(waits.priority),
      standard: p99(waits.standard),
      flex: p99(waits.flex),
      batch: p99(waits.batch),
    },
    refused,
  }
}

test('useful answers stay at capacity from saturation to five times the load', () => {
  const at = [0.5, 0.9, 1.2, 2, 5].map((load) => run(load).usefulPerMs / CAPACITY_PER_MS)
  expect(at[0]).toBeGreaterThan(0.47)
  expect(at[1]).toBeGreaterThan(0.85)
  const peak = Math.max(...at)
  for (const useful of at.slice(2)) expect(useful).toBeGreaterThan(0.95 * peak)
})

test('whatever the others send, priority that is within its part hardly waits, and the lowest are shed first', () => {
  const calm = run(0.3, { priorityLoad: 0.2 })
  const storm = run(5, { priorityLoad: 0.2 })
  expect(calm.waitP99Ms.priority).toBe(0)
  // A place comes free every 50 ms and one is held back: priority waits for a few of them, not for answers of a second each.
  expect(storm.waitP99Ms.priority).toBeLessThan((5 * SERVICE_MS) / PLACES)
  expect(storm.refused.priority).toBe(0)
  const shedOf = (tier: ServiceTier) => storm.refused[tier] / (RUN_MS * CAPACITY_PER_MS * 4.8 * (MIX[tier] / 0.9))
  expect(shedOf('standard')).toBeGreaterThan(0.5)
  expect(shedOf('flex')).toBeGreaterThan(shedOf('standard'))
  expect(shedOf('batch')).toBeGreaterThan(0.95)
})

test('nobody is served later than its budget allows, and a Retry-After says how long the queue really takes', () => {
  const storm = run(3)
  for (const tier of ['priority', 'standard', 'flex'] as const)
    expect(storm.waitP99Ms[tier]).toBeLessThanOrEqual(BUDGET_MS[tier] / 2 + 100)
  const flow = createFlowControl<number>()
  const ask = { service: 's', tier: 'standard', tenant: 'a', weight: 1, inputTokens: 1, bytes: 1 } as const
  const arrive = (i: number, nowMs: number) =>
    flow.wait(flow.turn({ ...ask, deadlineMs: nowMs + 8_000, patienceMs: 4_000 }, i), '', nowMs)
  // One place comes free every 100 ms while one more comes every 10 ms.
  let nowMs = 0
  let promisedMs = 0
  let refusedAtMs = 0
  for (let i = 0; promisedMs === 0; i++) {
    nowMs = i * 10
    promisedMs = arrive(i, nowMs).refused?.retryAfterMs ?? 0
    refusedAtMs = nowMs
    let free = i % 10 === 0
    flow.pump(nowMs, () => {
      const had = free
      free = false
      return had
    })
  }
  for (; flow.size > 0; nowMs += 100) {
    let free = true
    flow.pump(nowMs, () => {
      const had = free
      free = false
      return had
    })
    flow.expire(nowMs)
  }
  const drainedMs = nowMs - refusedAtMs
  expect(promisedMs).toBeGreaterThan(drainedMs * 0.8)
  expect(promisedMs).toBeLessThan(drainedMs * 1.25)
})

function exponential(random: () => number): number {
  return -Math.log(1 - random())
}

/** A small repeatable generator (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
