import type { Columns } from './columns.ts'
import { createLineFits } from './line-fit.ts'
import { CERTAIN, normalCdf } from './normal.ts'

const GAIN = 0.1
const PRIOR_MS = 30
const PRIOR_VARIANCE = 0.25
const LEAST_SIGMA = 0.1
/** A spread of two requests. */
const LOAD_RIDGE = 4

/**
 * Milliseconds per output token after the first, lognormal around `T(n) = α + δ·n` with n this gateway's own requests there: an
 * engine decodes slower the more it decodes side by side. Scheduling reference §2.2.
 */
export interface TpotEstimates {
  learn(slot: number, inFlight: number, msPerToken: number): void
  doubt(slot: number): void
  ms(slot: number, inFlight: number): number
  /** Adds to `missProbability` that the pace is slower than that. */
  addMisses(columns: Columns, lnSloMs: number): void
}

export function createTpotEstimates(slots: number): TpotEstimates {
  const fits = createLineFits(slots, LOAD_RIDGE)
  const variance = new Float64Array(slots).fill(PRIOR_VARIANCE)
  const deviation = new Float64Array(slots).fill(Math.sqrt(PRIOR_VARIANCE))
  const certainty = new Float64Array(slots).fill(Math.exp(CERTAIN * Math.sqrt(PRIOR_VARIANCE)))
  const ms = (slot: number, inFlight: number): number =>
    fits.samples(slot) > 0 ? Math.max(fits.at(slot, inFlight), 0.01) : PRIOR_MS
  return {
    learn(slot, inFlight, msPerToken) {
      const sample = Math.max(msPerToken, 0.01)
      const n = fits.samples(slot)
      if (n > 0 && !fits.isDoubted(slot)) {
        const surprise = Math.log(sample / ms(slot, inFlight))
        variance[slot] =
          (variance[slot] as number) + Math.max(GAIN, 1 / (n + 2)) * (surprise ** 2 - (variance[slot] as number))
      }
      deviation[slot] = Math.max(LEAST_SIGMA, Math.sqrt(variance[slot] as number))
      certainty[slot] = Math.exp(CERTAIN * deviation[slot])
      fits.learn(slot, inFlight, sample)
    },
    doubt: fits.doubt,
    ms,
    addMisses({ picked, count, slots, inFlight, missProbability }, lnSloMs) {
      const sloMs = Math.exp(lnSloMs)
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        const slot = slots[seat] as number
        const expectedMs = ms(slot, inFlight[seat] as number)
        if (expectedMs * (certainty[slot] as number) <= sloMs) continue
        const inPace = normalCdf((lnSloMs - Math.log(expectedMs)) / (deviation[slot] as number))
        missProbability[seat] = 1 - (1 - (missProbability[seat] as number)) * inPace
      }
    },
  }
}
