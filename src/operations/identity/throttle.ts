import type { Clock } from '#platform/clock'

/** Remembers failures in memory: a restart forgets them, which gains an attacker one more handful of guesses. */
export interface Throttle {
  /** Milliseconds to wait before the next attempt is looked at; 0 when it may be made now. */
  waitMs(keys: readonly string[]): number
  failed(keys: readonly string[]): void
  /** Takes the latest failure back: what was counted turned out to be no guess at all. */
  undo(keys: readonly string[]): void
  succeeded(keys: readonly string[]): void
}

export interface ThrottleOptions {
  readonly clock: Clock
  /** Failures allowed within the window, before waiting begins. */
  readonly free: number
  readonly windowMs: number
  /**
   * Addresses remembered at most, so that inventing addresses cannot fill the memory. Forgotten first is what is over, then who
   * failed least; who has to wait is never forgotten. Where everybody has to wait, newcomers are not remembered: each of those
   * who wait has cost `free` checked passwords, which nobody can have made in a window for a capacity of thousands.
   */
  readonly capacity: number
}

export function createThrottle({ clock, free, windowMs, capacity }: ThrottleOptions): Throttle {
  const failures = new Map<string, readonly number[]>()
  const recent = (key: string): readonly number[] => {
    const sinceMs = clock.nowMs() - windowMs
    return (failures.get(key) ?? []).filter((atMs) => atMs > sinceMs)
  }
  const remember = (key: string, times: readonly number[]) => {
    failures.delete(key)
    if (times.length > 0) failures.set(key, times)
  }
  /** Makes room for a tenth more than is needed, so that looking at everything is rare. */
  const forget = () => {
    if (failures.size <= capacity) return
    for (const key of failures.keys()) if (recent(key).length === 0) failures.delete(key)
    if (failures.size <= capacity) return
    const few = [...failures].filter(([key]) => recent(key).length < free)
    // The order of the map is that of the latest failures, and sorting keeps it among equals.
    few.sort(([, a], [, b]) => a.length - b.length)
    const excess = failures.size - capacity + Math.floor(capacity / 10)
    for (const [key] of few.slice(0, excess)) failures.delete(key)
    for (const key of [...failures.keys()].slice(capacity)) failures.delete(key)
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
      for (const key of keys) remember(key, [...recent(key), clock.nowMs()].slice(-free))
      forget()
    },
    undo(keys) {
      for (const key of keys) remember(key, recent(key).slice(0, -1))
    },
    succeeded(keys) {
      for (const key of keys) failures.delete(key)
    },
  }
}
