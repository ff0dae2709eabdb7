import { HOME } from '../default-market.ts'
import type { SimulatedMarket, SimulatedSupplier } from '../market.ts'
import { measure } from '../measures.ts'
import type { Measures } from '../measures.ts'
import type { PolicyKind } from '../policy.ts'
import type { Tally } from '../tally.ts'
import { simulate } from '../world.ts'
import type { Workload } from '../workload.ts'

/** Qwen-32B on two H100 by llm-d's measurement. */
const TOKENS_PER_SECOND = 15_928

/** A cluster of equal engines behind one gateway, as the peers that route by prefix measured theirs. */
export function replicas(many: number, over: Partial<SimulatedSupplier> = {}, ttftMs = 2_000): SimulatedMarket {
  const each: SimulatedSupplier = {
    name: '',
    region: HOME,
    overheadMs: 0,
    overheadSigma: 0,
    prefillTokensPerSecond: TOKENS_PER_SECOND,
    alphaMs: 10,
    deltaMs: 0.1,
    slots: 1e6,
    refusesAt: 1e6,
    // A million tokens.
    cacheBlocks: 1_953,
    failureRate: 0,
    cutRate: 0,
    prices: [{ fromMs: Number.NEGATIVE_INFINITY, price: { input: 1e6, cachedInput: 1e5, output: 3e6 } }],
    ...over,
  }
  // Nobody gives up: what is measured is how long they would have waited.
  const promise = { ttftMs, tpotMs: 1_000, giveUpMs: 1e9, attainment: 0.99, missPico: 0 }
  return {
    suppliers: Array.from({ length: many }, (_, i) => ({ ...each, name: `replica ${i}` })),
    links: [],
    commitments: [],
    promised: { standard: promise, batch: promise },
    gateways: [HOME],
  }
}

export interface Run {
  readonly tally: Tally
  readonly measures: Measures
}

export function run(workload: Workload, market: SimulatedMarket, kind: PolicyKind, seed = 1): Run {
  const tally = simulate({ workload, market, incidents: [] }, kind, seed)
  return { tally, measures: measure(tally) }
}

/** From the first arrival to the last answer, in seconds. */
export function makespanSeconds({ workload, ttftMs, tpotMs }: Tally): number {
  let lastMs = 0
  ttftMs.forEach((ms, i) => {
    const endMs = workload.arrivalMs[i]! + ms + tpotMs[i]! * (workload.outputTokens[i]! - 1)
    if (endMs > lastMs) lastMs = endMs
  })
  return lastMs / 1_000
}

export function meanTtftMs({ ttftMs }: Tally): number {
  const known = ttftMs.filter((ms) => !Number.isNaN(ms))
  return known.reduce((sum, ms) => sum + ms, 0) / known.length
}
