import type { Columns } from './columns.ts'

const HALF_LIFE_MS = 30_000
/** Beta(1, 99): an endpoint that nothing is known of fails once in a hundred times. */
const PRIOR_BAD = 1
const PRIOR_ALL = 100

/** Smoothed share of attempts that fail, forgetting by half every 30 s (scheduling reference §2.2). */
export interface ErrorRates {
  /** `badness`: 1 failed, ½ broke off in the middle, 0 went well. */
  learn(slot: number, badness: number): void
  rate(slot: number): number
  /** Into `missProbability`, where there is nothing yet. */
  readRates(columns: Columns): void
  decay(elapsedMs: number): void
}

export function createErrorRates(slots: number): ErrorRates {
  const bad = new Float64Array(slots)
  const all = new Float64Array(slots)
  return {
    learn(slot, badness) {
      bad[slot] = (bad[slot] as number) + badness
      all[slot] = (all[slot] as number) + 1
    },
    rate: (slot) => (PRIOR_BAD + (bad[slot] as number)) / (PRIOR_ALL + (all[slot] as number)),
    readRates({ picked, count, slots, missProbability }) {
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        const slot = slots[seat] as number
        missProbability[seat] = (PRIOR_BAD + (bad[slot] as number)) / (PRIOR_ALL + (all[slot] as number))
      }
    },
    decay(elapsedMs) {
      const keep = 2 ** (-elapsedMs / HALF_LIFE_MS)
      for (let slot = 0; slot < slots; slot++) {
        if (all[slot] === 0) continue
        bad[slot] = (bad[slot] as number) * keep
        all[slot] = (all[slot] as number) * keep
      }
    },
  }
}
