import { createLineFits } from './line-fit.ts'
import { SIZE_CLASSES } from './size-class.ts'

/** Worse news counts for more than good news. */
const GAIN_UP = 0.15
const GAIN_DOWN = 0.08
const GAIN_VARIANCE = 0.05
const GAIN_BASELINE = 0.005
const PRIOR_VARIANCE = 0.5
const LEAST_SIGMA = 0.15
/** A spread of 256 tokens. */
const TOKEN_RIDGE = 65_536
/** Of the latency: what is left for the queue and the wire when prefill seems to explain all of it. */
const LEAST_RESIDUE = 0.05

/** One column per size class, and one for all of them, which answers for sizes not yet seen. */
const COLUMNS = SIZE_CLASSES + 1

/**
 * Time to first token of each endpoint and size class, lognormal: `ln(TTFT − tokensAhead · τ)` with mean μ and variance σ², where
 * `tokensAhead` is the request's own uncached input and what this gateway has waiting there before it, and τ is milliseconds per
 * token by a robust line. Sources and gains: scheduling reference §2.2.
 */
export interface TtftEstimates {
  /** What is believed before anything was measured. */
  expect(slot: number, ms: number): void
  learn(slot: number, sizeClass: number, tokensAhead: number, ms: number): void
  /** It has not come for that long: a censored sample, which can only raise the estimate. */
  learnAtLeast(slot: number, sizeClass: number, tokensAhead: number, ms: number): void
  /** Nothing was heard of it for long: the next sample of each size counts as the first one does. How much a token takes is kept. */
  doubt(slot: number): void
  lnMs(slot: number, sizeClass: number, tokensAhead: number): number
  sigma(slot: number, sizeClass: number): number
  samples(slot: number): number
  /** ln of the slow median of about the last hour, for comparison. */
  baselineLnMs(slot: number): number
  /** Milliseconds per token. */
  tau(slot: number): number
}

export function createTtftEstimates(slots: number): TtftEstimates {
  const mean = new Float64Array(slots * COLUMNS)
  const variance = new Float64Array(slots * COLUMNS).fill(PRIOR_VARIANCE)
  const count = new Float64Array(slots * COLUMNS)
  const seen = new Float64Array(slots)
  const baseline = new Float64Array(slots)
  const prior = new Float64Array(slots).fill(Math.log(500))
  const fits = createLineFits(slots, TOKEN_RIDGE)

  const columnFor = (slot: number, sizeClass: number): number => {
    const own = slot * COLUMNS + sizeClass
    return (count[own] as number) > 0 ? own : slot * COLUMNS + SIZE_CLASSES
  }
  const move = (column: number, lnMs: number): void => {
    const n = count[column] as number
    const surprise = lnMs - (mean[column] as number)
    mean[column] = (mean[column] as number) + Math.max(surprise > 0 ? GAIN_UP : GAIN_DOWN, 1 / (n + 1)) * surprise
    // The first sample has nothing to differ from.
    if (n > 0)
      variance[column] =
        (variance[column] as number) +
        Math.max(GAIN_VARIANCE, 1 / (n + 2)) * (surprise ** 2 - (variance[column] as number))
    count[column] = n + 1
  }
  const residueOf = (slot: number, tokensAhead: number, ms: number): number =>
    Math.log(Math.max(ms - tokensAhead * fits.slope(slot), LEAST_RESIDUE * ms, 1))
  const meanOf = (slot: number, sizeClass: number): number => {
    const column = columnFor(slot, sizeClass)
    return (count[column] as number) > 0 ? (mean[column] as number) : (prior[slot] as number)
  }

  return {
    expect(slot, ms) {
      prior[slot] = Math.log(ms)
    },
    learn(slot, sizeClass, tokensAhead, ms) {
      const all = slot * COLUMNS + SIZE_CLASSES
      const lnMs = Math.log(Math.max(ms, 1))
      const gain = Math.max(GAIN_BASELINE, 1 / ((seen[slot] as number) + 1))
      baseline[slot] = (baseline[slot] as number) + gain * (lnMs - (baseline[slot] as number))
      seen[slot] = (seen[slot] as number) + 1
      fits.learn(slot, tokensAhead, ms)
      const residue = residueOf(slot, tokensAhead, ms)
      move(slot * COLUMNS + sizeClass, residue)
      move(all, residue)
    },
    learnAtLeast(slot, sizeClass, tokensAhead, ms) {
      const residue = residueOf(slot, tokensAhead, ms)
      if (residue <= meanOf(slot, sizeClass)) return
      move(slot * COLUMNS + sizeClass, residue)
      move(slot * COLUMNS + SIZE_CLASSES, residue)
    },
    doubt(slot) {
      count.fill(0, slot * COLUMNS, (slot + 1) * COLUMNS)
      fits.doubt(slot)
    },
    lnMs: (slot, sizeClass, tokensAhead) =>
      Math.log(Math.exp(meanOf(slot, sizeClass)) + tokensAhead * fits.slope(slot)),
    sigma: (slot, sizeClass) => Math.max(LEAST_SIGMA, Math.sqrt(variance[columnFor(slot, sizeClass)] as number)),
    samples: (slot) => seen[slot] as number,
    baselineLnMs: (slot) => baseline[slot] as number,
    tau: fits.slope,
  }
}
