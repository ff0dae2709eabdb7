const DECAY_MS = 10_000
const PRIOR_MS = 500

/**
 * Latency that jumps to a higher sample at once and forgets over ten seconds; `cost = latency · (in flight + 1)`. It only ranks, where
 * the miss probability cannot be trusted (scheduling reference §2.2).
 */
export interface PeakLatencies {
  learn(slot: number, ms: number, nowMs: number): void
  cost(slot: number, inFlight: number): number
  /** Since it last answered; very long if it never has. */
  silentMs(slot: number, nowMs: number): number
}

export function createPeakLatencies(slots: number): PeakLatencies {
  const latency = new Float64Array(slots)
  const atMs = new Float64Array(slots)
  return {
    learn(slot, ms, nowMs) {
      const known = latency[slot] as number
      const keep = Math.exp(-Math.max(0, nowMs - (atMs[slot] as number)) / DECAY_MS)
      latency[slot] = ms >= known ? ms : known * keep + ms * (1 - keep)
      atMs[slot] = nowMs
    },
    cost: (slot, inFlight) => ((latency[slot] as number) || PRIOR_MS) * (inFlight + 1),
    silentMs: (slot, nowMs) => nowMs - (atMs[slot] as number),
  }
}
