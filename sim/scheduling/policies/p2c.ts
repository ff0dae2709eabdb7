import { baseline } from './baseline.ts'

const DECAY_MS = 10_000

/** Power of two choices on peak-EWMA latency times in flight + 1, as in Finagle and Linkerd. */
export const p2c = baseline('p2c', 'P2C peak-EWMA', ({ market, random }, { inFlight }) => {
  const peakMs = new Float64Array(market.suppliers.length)
  const atMs = new Float64Array(market.suppliers.length)
  const learn = (supplier: number, ms: number, nowMs: number): void => {
    const weight = Math.exp(-(nowMs - atMs[supplier]!) / DECAY_MS)
    atMs[supplier] = nowMs
    peakMs[supplier] = ms > peakMs[supplier]! ? ms : peakMs[supplier]! * weight + ms * (1 - weight)
  }
  const cost = (supplier: number) => peakMs[supplier]! * (inFlight[supplier]! + 1)
  return {
    pick(among) {
      if (among.length === 1) return among[0]!
      const one = Math.floor(random() * among.length)
      const other = (one + 1 + Math.floor(random() * (among.length - 1))) % among.length
      return cost(among[one]!) <= cost(among[other]!) ? among[one]! : among[other]!
    },
    firstToken: ({ supplier }, ms, nowMs) => learn(supplier, ms, nowMs),
    ended({ supplier }, { outcome, nowMs }) {
      // A failure counts as a very slow answer, or failing fast would attract everything.
      if (outcome !== 'served') learn(supplier, 2 * Math.max(1_000, peakMs[supplier]!), nowMs)
    },
  }
})
