/** Where time comes from. Everything that depends on the time of day takes one, so that a test can set it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. It may step when the machine's clock is corrected: measure durations with `performance.now()`. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

export interface ManualClock extends Clock {
  advance(byMs: number): void
}

/** A clock that moves only when told to: for tests and simulations. */
export function manualClock(startMs: number): ManualClock {
  let now = startMs
  return {
    nowMs: () => now,
    advance: (byMs) => {
      now += byMs
    },
  }
}
