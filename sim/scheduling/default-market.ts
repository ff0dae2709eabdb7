import type { Commitment } from '#contract'
import type { Price, SimulatedMarket, SimulatedSupplier } from './market.ts'
import { EPOCH_MS } from './policies/ours.ts'
import type { Workload } from './workload.ts'
import { durationMs } from './workload.ts'

/** A cache holds what its supplier can read in this time: whoever has more machines has more memory. */
const CACHE_SECONDS = 180
/** ¥1 per million tokens, in pico-yuan per token. */
const YUAN_PER_MILLION = 1_000_000
export const HOME = 'cn-north'
export const AWAY = 'cn-south'

const price = (input: number, output: number): Price => ({
  input: input * YUAN_PER_MILLION,
  cachedInput: 0.1 * input * YUAN_PER_MILLION,
  output: output * YUAN_PER_MILLION,
})

function supplier(
  name: string,
  [input, output]: readonly [number, number],
  nature: Partial<SimulatedSupplier>,
): SimulatedSupplier {
  return {
    name,
    region: HOME,
    overheadMs: 300,
    overheadSigma: 0.3,
    prefillTokensPerSecond: 10_000,
    alphaMs: 20,
    deltaMs: 0.3,
    slots: 128,
    refusesAt: 256,
    cacheBlocks: 0,
    failureRate: 0.002,
    cutRate: 0.0005,
    prices: [{ fromMs: Number.NEGATIVE_INFINITY, price: price(input, output) }],
    ...nature,
  }
}

/** Six unlike suppliers, set by hand: cheap and slow to dear and fast, big and small, near and far. */
const SUPPLIERS: readonly SimulatedSupplier[] = [
  supplier('bulk', [1, 3], {
    overheadMs: 450,
    prefillTokensPerSecond: 14_000,
    alphaMs: 22,
    deltaMs: 0.25,
    slots: 160,
    refusesAt: 220,
  }),
  supplier('budget', [1.2, 3.6], {
    overheadMs: 500,
    overheadSigma: 0.4,
    prefillTokensPerSecond: 6_000,
    alphaMs: 25,
    deltaMs: 0.5,
    slots: 64,
    refusesAt: 80,
  }),
  supplier('steady', [2, 6], { prefillTokensPerSecond: 12_000, alphaMs: 18, deltaMs: 0.3, refusesAt: 200 }),
  supplier('swift', [3.5, 10], { overheadMs: 200, prefillTokensPerSecond: 20_000, alphaMs: 10, deltaMs: 0.2 }),
  supplier('far', [1.6, 5], { region: AWAY, deltaMs: 0.35 }),
  supplier('boutique', [3, 9], {
    overheadMs: 220,
    prefillTokensPerSecond: 8_000,
    alphaMs: 14,
    deltaMs: 0.6,
    slots: 40,
    refusesAt: 40,
  }),
]

export interface MarketShape {
  /** All suppliers' prefill this many times as fast: long prompts want bigger accelerators. */
  readonly prefill?: number
  readonly ttftMs?: number
  readonly tpotMs?: number
  /** Part of all requests that is promised to be in time. */
  readonly attainment?: number
  /** Part of all tokens that is to be taken or paid for, by supplier. */
  readonly takeOrPay?: Readonly<Record<string, number>>
  readonly gateways?: readonly string[]
}

export function defaultMarket(workload: Workload, shape: MarketShape = {}): SimulatedMarket {
  const { prefill = 1, ttftMs = 2_000, tpotMs = 50, attainment = 0.99, takeOrPay = { steady: 0.35, far: 0.2 } } = shape
  const promise = { ttftMs, tpotMs, attainment, missPico: 0 }
  return {
    suppliers: SUPPLIERS.map((each) => {
      const prefillTokensPerSecond = prefill * each.prefillTokensPerSecond
      const cacheBlocks = Math.round((prefillTokensPerSecond * CACHE_SECONDS) / workload.blockTokens)
      return { ...each, prefillTokensPerSecond, cacheBlocks }
    }),
    links: [{ from: HOME, to: AWAY, rttMs: 60, mebibytePico: '0' }],
    commitments: commitmentsOf(workload, takeOrPay),
    promised: {
      priority: promise,
      standard: promise,
      flex: { ...promise, ttftMs: 5 * ttftMs, tpotMs: 2 * tpotMs },
      batch: { ...promise, ttftMs: 30 * ttftMs, tpotMs: 4 * tpotMs, attainment: 0.95 },
    },
    gateways: shape.gateways ?? [HOME],
  }
}

export function commitmentsOf(workload: Workload, parts: Readonly<Record<string, number>>): Commitment[] {
  const tokens = totalTokens(workload)
  return Object.entries(parts).map(([name, part]) => ({
    id: `take or pay ${name}`,
    supplier: name,
    services: ['sim'],
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + Math.ceil(durationMs(workload)),
    terms: { kind: 'take_or_pay', tokens: Math.max(1, Math.round(part * tokens)) },
    delivered: 0,
    countedToMs: EPOCH_MS,
  }))
}

export function totalTokens({ inputTokens, outputTokens }: Workload): number {
  const sum = (column: Int32Array) => column.reduce((total, value) => total + value, 0)
  return sum(inputTokens) + sum(outputTokens)
}
