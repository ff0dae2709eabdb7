import type { Clock } from '#platform/clock'

/** Remembers failures in memory: a restart forgets them, which gains an attacker one more handful of guesses. */
export interface Throttle {
  /** Milliseconds to wait before the next attempt is looked at; 0 when it may be made now. */
  waitMs(keys: readonly string[]): number
  failed(keys: readonly string[]): void
  succeeded(keys: readonly string[]): void
}

export interface ThrottleOptions {
  readonly clock: Clock
  /** Failures allowed within the window, before waiting begins. */
  readonly free: number
  readonly windowMs: number
  /** Addresses remembered at most; the oldest are forgotten first, so that inventing addresses cannot fill the memory. */
  readonly capacity: number
}

export function createThrottle({ clock, free, windowMs, capacity }: ThrottleOptions): Throttle {
  const failures = new Map<string, readonly number[]>()
  const recent = (key: string): readonly number[] => {
    const sinceMs = clock.nowMs() - windowMs
    return (failures.get(key) ?? []).filter((atMs) => atMs > sinceMs)
  }
  return {
    waitMs(keys) {
      const waits = keys.map((key) => {
        const times = recent(key)
        const blocking = times.at(-free)
        return blocking === undefined ? 0 : blocking + windowMs - clock.nowMs()
      })
      return Math.max(0, ...waits)
    },
    failed(keys) {
      for (const key of keys) {
        const times = [...recent(key), clock.nowMs()].slice(-free)
        failures.delete(key)
        failures.set(key, times)
      }
      for (const key of failures.keys()) {
        if (failures.size <= capacity) break
        failures.delete(key)
      }
    },
    succeeded(keys) {
      for (const key of keys) failures.delete(key)
    },
  }
}
