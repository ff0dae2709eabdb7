import type { Columns } from './columns.ts'
import { createLineFits } from './line-fit.ts'
import { CERTAIN, normalCdf } from './normal.ts'
import { SIZE_CLASSES, sizeClassOf } from './size-class.ts'

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
  /** Adds to `missProbability` that the first token comes after that time: `1 − (1 − p) · Φ((ln SLO − ln TTFT̂)/σ)`. */
  addMisses(columns: Columns, lnSloMs: number): void
  samples(slot: number): number
  /** ln of the slow median of about the last hour, for comparison. */
  baselineLnMs(slot: number): number
  /** Milliseconds per token. */
  tau(slot: number): number
}

export function createTtftEstimates(slots: number): TtftEstimates {
  const mean = new Float64Array(slots * COLUMNS)
  const variance = new Float64Array(slots * COLUMNS).fill(PRIOR_VARIANCE)
  const seen = new Float64Array(slots)
  const counts = new Float64Array(slots * COLUMNS)
  // What every choice asks and only a sample changes.
  const meanMs = new Float64Array(slots * COLUMNS)
  const deviation = new Float64Array(slots * COLUMNS).fill(Math.sqrt(PRIOR_VARIANCE))
  const certainty = new Float64Array(slots * COLUMNS).fill(Math.exp(CERTAIN * Math.sqrt(PRIOR_VARIANCE)))
  const baseline = new Float64Array(slots)
  const priorMs = new Float64Array(slots).fill(500)
  const fits = createLineFits(slots, TOKEN_RIDGE)

  const columnFor = (slot: number, sizeClass: number): number => {
    const own = slot * COLUMNS + sizeClass
    return (counts[own] as number) > 0 ? own : slot * COLUMNS + SIZE_CLASSES
  }
  const move = (column: number, lnMs: number): void => {
    const n = counts[column] as number
    const surprise = lnMs - (mean[column] as number)
    mean[column] = (mean[column] as number) + Math.max(surprise > 0 ? GAIN_UP : GAIN_DOWN, 1 / (n + 1)) * surprise
    // The first sample has nothing to differ from.
    if (n > 0)
      variance[column] =
        (variance[column] as number) +
        Math.max(GAIN_VARIANCE, 1 / (n + 2)) * (surprise ** 2 - (variance[column] as number))
    counts[column] = n + 1
    meanMs[column] = Math.exp(mean[column])
    deviation[column] = Math.max(LEAST_SIGMA, Math.sqrt(variance[column] as number))
    certainty[column] = Math.exp(CERTAIN * deviation[column])
  }
  const residueOf = (slot: number, tokensAhead: number, ms: number): number =>
    Math.log(Math.max(ms - tokensAhead * fits.slope(slot), LEAST_RESIDUE * ms, 1))
  const meanMsOf = (slot: number, sizeClass: number): number => {
    const column = columnFor(slot, sizeClass)
    return (counts[column] as number) > 0 ? (meanMs[column] as number) : (priorMs[slot] as number)
  }

  return {
    expect(slot, ms) {
      priorMs[slot] = ms
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
      if (residue <= Math.log(meanMsOf(slot, sizeClass))) return
      move(slot * COLUMNS + sizeClass, residue)
      move(slot * COLUMNS + SIZE_CLASSES, residue)
    },
    doubt(slot) {
      counts.fill(0, slot * COLUMNS, (slot + 1) * COLUMNS)
      fits.doubt(slot)
    },
    lnMs: (slot, sizeClass, tokensAhead) => Math.log(meanMsOf(slot, sizeClass) + tokensAhead * fits.slope(slot)),
    addMisses({ picked, count, slots, uncachedTokens, tokensAhead, missProbability }, lnSloMs) {
      const sloMs = Math.exp(lnSloMs)
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        const slot = slots[seat] as number
        const column = columnFor(slot, sizeClassOf(uncachedTokens[seat] as number))
        const usualMs = ((counts[column] as number) > 0 ? meanMs[column] : priorMs[slot]) as number
        const expectedMs = usualMs + (tokensAhead[seat] as number) * fits.slope(slot)
        if (expectedMs * (certainty[column] as number) <= sloMs) continue
        const inTime = normalCdf((lnSloMs - Math.log(expectedMs)) / (deviation[column] as number))
        missProbability[seat] = 1 - (1 - (missProbability[seat] as number)) * inTime
      }
    },
    sigma: (slot, sizeClass) => deviation[columnFor(slot, sizeClass)] as number,
    samples: (slot) => seen[slot] as number,
    baselineLnMs: (slot) => baseline[slot] as number,
    tau: fits.slope,
  }
}
