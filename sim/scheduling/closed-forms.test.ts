import { describe, expect, it } from 'vitest'
import { createAgenda } from './agenda.ts'
import { createDecodePool } from './decode-pool.ts'
import { HOME } from './default-market.ts'
import type { SimulatedMarket, SimulatedSupplier } from './market.ts'
import { baseline, least } from './policies/baseline.ts'
import type { PolicyKind } from './policy.ts'
import { exponential, stream } from './random.ts'
import { workloadOf } from './workload.ts'
import type { Workload } from './workload.ts'
import { simulate } from './world.ts'

/** A supplier that is nothing but a queue: a thousand tokens of prompt are a second of work. */
const SERVER: SimulatedSupplier = {
  name: 'server',
  region: HOME,
  overheadMs: 0,
  overheadSigma: 0,
  prefillTokensPerSecond: 1_000,
  alphaMs: 1,
  deltaMs: 0,
  slots: 1e9,
  refusesAt: 1e9,
  cacheBlocks: 0,
  failureRate: 0,
  cutRate: 0,
  prices: [{ fromMs: 0, price: { input: 1, cachedInput: 1, output: 1 } }],
}
const WIRE_MS = 2

const servers = (many: number): SimulatedMarket => ({
  suppliers: Array.from({ length: many }, (_, i) => ({ ...SERVER, name: `server ${i}` })),
  links: [],
  commitments: [],
  promised: {},
  gateways: [HOME],
})

/** Poisson arrivals, `load` seconds of work per second and server. */
function demand(count: number, perSecond: number, workTokens: (seed: () => number) => number): Workload {
  const [gaps, work] = [stream(7, 'gaps'), stream(7, 'work')]
  let atMs = 0
  return workloadOf(
    'queue',
    Array.from({ length: count }, () => {
      atMs += exponential(gaps, 1_000 / perSecond)
      return { arrivalMs: atMs, inputTokens: Math.max(1, Math.round(workTokens(work))), outputTokens: 1 }
    }),
  )
}

const only = baseline('only', 'the first', () => ({ pick: () => 0 }))

/** Mean time from arrival to answer, without the wire, in seconds; the beginning, when all is empty, does not count. */
function meanSojourn(workload: Workload, many: number, kind: PolicyKind): number {
  const { ttftMs } = simulate({ workload, market: servers(many), incidents: [] }, kind, 1)
  const settled = ttftMs.subarray(Math.floor(ttftMs.length / 10))
  return (settled.reduce((sum, ms) => sum + ms, 0) / settled.length - WIRE_MS) / 1_000
}

function expectWithin(actual: number, expected: number, part: number): void {
  expect(Math.abs(actual / expected - 1), `${actual} for ${expected}`).toBeLessThan(part)
}

describe('against closed forms', () => {
  it('M/M/1: the mean time in the system is 1/(μ − λ)', () => {
    const load = 0.7
    const workload = demand(60_000, load, (draw) => exponential(draw, 1_000))
    expectWithin(meanSojourn(workload, 1, only), 1 / (1 - load), 0.05)
  })

  it('M/D/1: the mean wait is ρ/(2μ(1 − ρ)), half of M/M/1', () => {
    const load = 0.7
    const workload = demand(60_000, load, () => 1_000)
    expectWithin(meanSojourn(workload, 1, only), 1 + load / (2 * (1 - load)), 0.03)
  })

  it('JSQ(2) on a hundred servers: the mean time is Σ ρ^(2^i − 2), Mitzenmacher 2001', () => {
    const load = 0.9
    const many = 100
    const shortest = baseline('jsq2', 'shorter of two', ({ random }, { inFlight }) => ({
      pick: (among) => {
        const draw = () => among[Math.floor(random() * many)]!
        return least([draw(), draw()], (each) => inFlight[each]!)
      },
    }))
    // One request at a time by its count in flight, as the gateway sees it: the wire makes it two milliseconds old.
    const workload = demand(60_000, load * many, (draw) => exponential(draw, 1_000))
    let expected = 0
    for (let i = 1; i < 12; i++) expected += load ** (2 ** i - 2)
    expectWithin(meanSojourn(workload, many, shortest), expected, 0.05)
  })

  it('continuous batching: T = α/(1 − λoδ) when each of n streams adds δ to the pace', () => {
    const [alphaMs, deltaMs, tokens, perSecond] = [20, 0.3, 200, 8]
    const agenda = createAgenda()
    const startMs = new Map<number, number>()
    const stepsMs: number[] = []
    const pool = createDecodePool<number>(agenda, { alphaMs, deltaMs }, (which) => {
      if (which > 1_000) stepsMs.push((agenda.nowMs - startMs.get(which)!) / tokens)
    })
    const gaps = stream(3, 'gaps')
    const arrive = (which: number): void => {
      startMs.set(which, agenda.nowMs)
      pool.join(which, tokens)
      if (which < 20_000) agenda.at(agenda.nowMs + exponential(gaps, 1_000 / perSecond), arrive, which + 1)
    }
    agenda.at(0, arrive, 0)
    agenda.run()
    const mean = stepsMs.reduce((sum, ms) => sum + ms, 0) / stepsMs.length
    expectWithin(mean, alphaMs / (1 - (perSecond / 1_000) * tokens * deltaMs), 0.03)
  })
})
