import { createLineFits } from './line-fit.ts'

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
  sigma(slot: number): number
}

export function createTpotEstimates(slots: number): TpotEstimates {
  const fits = createLineFits(slots, LOAD_RIDGE)
  const variance = new Float64Array(slots).fill(PRIOR_VARIANCE)
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
      fits.learn(slot, inFlight, sample)
    },
    doubt: fits.doubt,
    ms,
    sigma: (slot) => Math.max(LEAST_SIGMA, Math.sqrt(variance[slot] as number)),
  }
}
