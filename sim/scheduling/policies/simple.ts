import { baseline, least } from './baseline.ts'
import { priceAt } from '../market.ts'
import type { SimulatedSupplier } from '../market.ts'

/** A peer's example mix of a price: three input tokens to one of output. */
export function blendedPrice(supplier: Pick<SimulatedSupplier, 'prices'>, atMs: number): number {
  const { input, output } = priceAt(supplier as SimulatedSupplier, atMs)
  return (3 * input + output) / 4
}

export const random = baseline('random', 'random', ({ random }) => ({
  pick: (among) => among[Math.floor(random() * among.length)]!,
}))

export const roundRobin = baseline('round-robin', 'round robin', () => {
  let turn = 0
  return { pick: (among) => among[turn++ % among.length]! }
})

export const leastInFlight = baseline('least-in-flight', 'least in flight', ({ random }, { inFlight }) => ({
  // Ties at random, or an idle pool would send everything to the first.
  pick: (among) => least(among, (each) => inFlight[each]! + random() / 2),
}))

/** OpenRouter's rule until 2026: those that failed in the last half minute go last, the rest by chance with weight 1/price². */
export const priceWeighted = baseline('price', 'price⁻², 30 s outage filter', ({ market, random }, { failedAtMs }) => ({
  pick(among, { nowMs }) {
    const well = among.filter((each) => nowMs - failedAtMs[each]! > 30_000)
    const some = well.length > 0 ? well : among
    const weights = some.map((each) => blendedPrice(market.suppliers[each]!, nowMs) ** -2)
    let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
    for (let i = 0; i < some.length; i++) {
      left -= weights[i]!
      if (left < 0) return some[i]!
    }
    return some.at(-1)!
  },
}))

/** Mean of at most ten latencies each, the lowest wins (LiteLLM's stored code, with a window that moves). */
export const lowestLatency = baseline('lowest-latency', 'lowest latency', ({ market, random }) => {
  const samples: number[][] = market.suppliers.map(() => [])
  const note = (supplier: number, ms: number): void => {
    const own = samples[supplier]!
    own.push(ms)
    if (own.length > 10) own.shift()
  }
  return {
    pick: (among) =>
      least(among, (each) => {
        const own = samples[each]!
        return own.length === 0 ? random() - 1 : own.reduce((sum, ms) => sum + ms, 0) / own.length
      }),
    firstToken: ({ supplier }, ms) => note(supplier, ms),
    ended({ supplier }, { outcome }) {
      if (outcome !== 'served') note(supplier, 1_000_000)
    },
  }
})
