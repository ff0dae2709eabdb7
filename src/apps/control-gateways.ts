/** A gateway asks for the snapshot at least every 25 s: one that has not asked for a minute is gone. */
const GONE_AFTER_MS = 60_000

/** Counts the gateway processes that live, by what they call themselves when they ask for the snapshot. */
export interface LiveGateways {
  seen(process: string, nowMs: number): void
  /** At least the one that asks. */
  count(nowMs: number): number
}

export function createLiveGateways(): LiveGateways {
  const seenAtMs = new Map<string, number>()
  return {
    seen: (process, nowMs) => void seenAtMs.set(process, nowMs),
    count(nowMs) {
      for (const [process, atMs] of seenAtMs) if (nowMs - atMs > GONE_AFTER_MS) seenAtMs.delete(process)
      return Math.max(1, seenAtMs.size)
    },
  }
}
