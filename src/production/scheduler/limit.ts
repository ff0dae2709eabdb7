import { REALS } from './shared-table.ts'
import type { SharedState } from './shared-table.ts'

const AIMD_CUT = 0.9
/** The limit grows only where it is used. */
const GROW_ABOVE = 0.6
/** A burst that is refused together is one refusal. */
const CUT_EVERY_MS = 1_000
const LONGEST_BUSY_MS = 60_000
/** A stray 429, which is often about the rate, must not leave a supplier with a single request at once. */
const LEAST_LIMIT = 4

/** Gradient2 (Netflix concurrency-limits): room for a queue of `QUEUE` requests, and how fast limit and long-term latency move. */
const QUEUE = 4
const SMOOTHING = 0.2
const LONG_GAIN = 1 / 600
const SHORT_GAIN = 0.1
const LEAST_GRADIENT = 0.5
const DRIFT_ABOVE = 2
const DRIFT = 0.9

/** By refusals: a vendor's account, which answers 429. By latency: an own cluster, which queues instead. */
export type LearnLimitBy = 'rejections' | 'latency'

/**
 * How many requests at once an endpoint bears, learned (scheduling reference §2.5), never above what its contract allows. AIMD on
 * 429: `L ← 0.9 · min(L, in flight)` at most once a second, `+ 1/L` per success while more than 0.6 L are used. Gradient2 on latency
 * per token: `g = clamp(long/short, ½, 1)`, `L ← 0.8 L + 0.2 (g L + 4)`, never growing while less than L/2 is used.
 */
export interface Limits {
  of(slot: number, most: number): number
  /** Whether one more may begin. */
  hasRoom(slot: number, most: number): boolean
  /** Told to come back later: not before `retryAfterMs`. */
  rejected(slot: number, most: number, retryAfterMs: number | undefined, nowMs: number): void
  succeeded(slot: number, most: number): void
  /** Milliseconds per token: of prefill for first tokens, of decoding for others. */
  measured(slot: number, most: number, msPerToken: number): void
  busyUntilMs(slot: number): number
}

export function createLimits(shared: SharedState): Limits {
  // Zero is what fresh memory holds: nothing learned yet.
  const of = (slot: number, most: number): number => Math.min(most, shared.real(slot, REALS.limit) || most)
  const set = (slot: number, most: number, limit: number) =>
    shared.setReal(slot, REALS.limit, Math.min(most, Math.max(LEAST_LIMIT, limit)))
  return {
    of,
    hasRoom: (slot, most) => shared.inFlight(slot) + 1 <= of(slot, most),
    rejected(slot, most, retryAfterMs, nowMs) {
      if (retryAfterMs !== undefined) {
        const until = nowMs + Math.min(LONGEST_BUSY_MS, retryAfterMs)
        if (until > shared.real(slot, REALS.busyUntilMs)) shared.setReal(slot, REALS.busyUntilMs, until)
      }
      if (nowMs - shared.real(slot, REALS.loweredAtMs) < CUT_EVERY_MS) return
      shared.setReal(slot, REALS.loweredAtMs, nowMs)
      set(slot, most, AIMD_CUT * Math.min(of(slot, most), Math.max(1, shared.inFlight(slot))))
    },
    succeeded(slot, most) {
      const limit = of(slot, most)
      if (limit < most && shared.inFlight(slot) > GROW_ABOVE * limit) set(slot, most, limit + 1 / limit)
    },
    measured(slot, most, msPerToken) {
      const long = shared.real(slot, REALS.longRtt) || msPerToken
      const short = shared.real(slot, REALS.shortRtt) || msPerToken
      const nextShort = short + SHORT_GAIN * (msPerToken - short)
      let nextLong = long + LONG_GAIN * (msPerToken - long)
      // The load has gone and the long memory of it would let the limit grow for ever.
      if (nextLong / nextShort > DRIFT_ABOVE) nextLong *= DRIFT
      shared.setReal(slot, REALS.longRtt, nextLong)
      shared.setReal(slot, REALS.shortRtt, nextShort)
      const limit = of(slot, most)
      if (shared.inFlight(slot) < limit / 2) return
      const gradient = Math.min(1, Math.max(LEAST_GRADIENT, nextLong / nextShort))
      set(slot, most, (1 - SMOOTHING) * limit + SMOOTHING * (gradient * limit + QUEUE))
    },
    busyUntilMs: (slot) => shared.real(slot, REALS.busyUntilMs),
  }
}
