import { COUNTS } from './shared-table.ts'
import type { SharedState } from './shared-table.ts'

const MINUTE_MS = 60_000
/** Tokens are counted in sixty-fours, so that 32 bits hold a minute of 137 thousand million. */
const TOKENS_PER_COUNT = 64

/**
 * What a supplier's contract allows per minute, as a sliding window: this minute's count and what of the last minute's is less than
 * sixty seconds old, taken as even. Requests and tokens are counted when an attempt begins.
 */
export interface RateWindows {
  hasRoom(
    slot: number,
    perMinute: { readonly requests: number; readonly tokens: number },
    tokens: number,
    nowMs: number,
  ): boolean
  count(slot: number, tokens: number, nowMs: number): void
}

export function createRateWindows(shared: SharedState): RateWindows {
  const turn = (slot: number, nowMs: number): void => {
    const minute = Math.floor(nowMs / MINUTE_MS) | 0
    const at = shared.count(slot, COUNTS.minute)
    if (at === minute || !shared.swap(slot, COUNTS.minute, at, minute)) return
    const isNext = minute - at === 1
    shared.setCount(slot, COUNTS.requestsBefore, isNext ? shared.count(slot, COUNTS.requestsNow) : 0)
    shared.setCount(slot, COUNTS.tokensBefore, isNext ? shared.count(slot, COUNTS.tokensNow) : 0)
    shared.setCount(slot, COUNTS.requestsNow, 0)
    shared.setCount(slot, COUNTS.tokensNow, 0)
  }
  return {
    hasRoom(slot, perMinute, tokens, nowMs) {
      turn(slot, nowMs)
      const old = 1 - (nowMs % MINUTE_MS) / MINUTE_MS
      const requests = shared.count(slot, COUNTS.requestsNow) + old * shared.count(slot, COUNTS.requestsBefore)
      const used =
        TOKENS_PER_COUNT * (shared.count(slot, COUNTS.tokensNow) + old * shared.count(slot, COUNTS.tokensBefore))
      // One that is larger than a whole minute may go when the window is empty: it would never fit.
      return requests + 1 <= perMinute.requests && (used === 0 || used + tokens <= perMinute.tokens)
    },
    count(slot, tokens, nowMs) {
      turn(slot, nowMs)
      shared.add(slot, COUNTS.requestsNow, 1)
      shared.add(slot, COUNTS.tokensNow, Math.ceil(tokens / TOKENS_PER_COUNT))
    },
  }
}
