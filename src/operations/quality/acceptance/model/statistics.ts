/** What became of one request of a load test. Times in milliseconds after its start. */
export interface Sample {
  /** When it was sent, after the start of the test. */
  readonly atMs: number
  readonly endMs: number
  readonly ok: boolean
  /** Null where no text came. */
  readonly ttftMs: number | null
  /** Null where fewer than two tokens came. */
  readonly tpotMs: number | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly askedTokens: number
  readonly failure: string | null
}

/** Nearest rank: the smallest value that so many millionths of the values do not exceed. Null of nothing. */
export function percentile(values: readonly number[], ppm: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * ppm) / 1_000_000) - 1)] ?? null
}

/** Standard deviation over mean; null of fewer than two values or a mean of zero. */
export function variation(values: readonly number[]): number | null {
  if (values.length < 2) return null
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length
  if (mean === 0) return null
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length
  return Math.sqrt(variance) / mean
}

export interface Window {
  readonly fromMs: number
  readonly requests: number
  readonly failures: number
  /** Output tokens per minute that ended in this window. */
  readonly outputPerMinute: number
  readonly ttftP50Ms: number | null
  readonly tpotP50Ms: number | null
}

/** Cuts a test of `lengthMs` into `count` windows by when requests were sent. */
export function windowsOf(samples: readonly Sample[], lengthMs: number, count: number): Window[] {
  const spanMs = lengthMs / count
  return Array.from({ length: count }, (_, at) => {
    const fromMs = at * spanMs
    const own = samples.filter((each) => each.atMs >= fromMs && each.atMs < fromMs + spanMs)
    const good = own.filter(({ ok }) => ok)
    const tokens = good.reduce((sum, each) => sum + each.outputTokens, 0)
    return {
      fromMs,
      requests: own.length,
      failures: own.length - good.length,
      outputPerMinute: (tokens * 60_000) / spanMs,
      ttftP50Ms: percentile(
        good.flatMap(({ ttftMs }) => ttftMs ?? []),
        500_000,
      ),
      tpotP50Ms: percentile(
        good.flatMap(({ tpotMs }) => tpotMs ?? []),
        500_000,
      ),
    }
  })
}

/** Below these nobody notices whether it is twice as fast, and a clock's own noise would look like a swing. */
const NOTICEABLE_TTFT_MS = 50
const NOTICEABLE_TPOT_MS = 5

/**
 * How much a supplier's speed swings: the coefficient of variation of the windows' median pace in tokens per second and of their
 * median time to first token. Throughput is not taken, because it swings with what is asked.
 */
export function fluctuation(windows: readonly Window[]): {
  readonly pace: number | null
  readonly ttft: number | null
} {
  return {
    pace: variation(
      windows.flatMap(({ tpotP50Ms }) => (tpotP50Ms === null ? [] : [1000 / Math.max(tpotP50Ms, NOTICEABLE_TPOT_MS)])),
    ),
    ttft: variation(
      windows.flatMap(({ ttftP50Ms }) => (ttftP50Ms === null ? [] : [Math.max(ttftP50Ms, NOTICEABLE_TTFT_MS)])),
    ),
  }
}
