/** Work that the load process is given, and what it reports. */
export interface Target {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** `closed`: `connections` requests always under way. `open`: `ratePerSecond` requests, whatever comes back. `hold`: opens streams and keeps them. */
export type Job =
  | {
      readonly kind: 'closed'
      readonly target: Target
      readonly stream: boolean
      readonly paceMs: number
      readonly connections: number
      readonly durationMs: number
      /** Ends early after this many requests. */
      readonly requests?: number
    }
  | {
      readonly kind: 'open'
      readonly target: Target
      readonly ratePerSecond: number
      readonly durationMs: number
      readonly connections: number
    }
  | { readonly kind: 'hold'; readonly target: Target; readonly streams: number; readonly paceMs: number }
  | { readonly kind: 'release' }

export interface Report {
  readonly requests: number
  readonly events: number
  readonly elapsedMs: number
  readonly failures: number
  /** The first few reasons. */
  readonly reasons: readonly string[]
  /** Latencies in milliseconds, sorted; only from `open`. */
  readonly latenciesMs: readonly number[]
  /** The longest that the generator itself was late, in milliseconds; only from `open`. */
  readonly lateMs: number
}
