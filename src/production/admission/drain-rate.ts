/** How fast a queue gets its requests to suppliers, measured while somebody waits; forgets with a time constant of three seconds. */
export interface DrainRate {
  /** Call before the number of waiting requests changes: the time since the last call counts for what it was. */
  elapse(nowMs: number, isBacklogged: boolean): void
  served(): void
  /** Weighted tokens that were charged. */
  spent(cost: number): void
  /** Expected milliseconds until `ahead` requests and one more are served; undefined while too little has been seen. */
  waitMs(ahead: number): number | undefined
  /** Weighted tokens served in so many milliseconds at this rate; 0 while too little has been seen. */
  costIn(ms: number): number
}

const MEMORY_MS = 3_000
/** Shorter than this, what was seen says nothing. */
const ENOUGH_MS = 100

export function createDrainRate(nowMs: number): DrainRate {
  let lastMs = nowMs
  let backloggedMs = 0
  let served = 0
  let cost = 0
  return {
    elapse(now, isBacklogged) {
      const kept = Math.exp((lastMs - now) / MEMORY_MS)
      backloggedMs = backloggedMs * kept + (isBacklogged ? MEMORY_MS * (1 - kept) : 0)
      served *= kept
      cost *= kept
      lastMs = now
    },
    served: () => void served++,
    spent: (amount) => void (cost += amount),
    waitMs(ahead) {
      if (backloggedMs < ENOUGH_MS) return undefined
      // One more than was seen: a queue that has not moved yet is not taken for one that never will.
      return ((ahead + 1) * backloggedMs) / (served + 1)
    },
    costIn: (ms) => (backloggedMs < ENOUGH_MS ? 0 : (cost / backloggedMs) * ms),
  }
}
