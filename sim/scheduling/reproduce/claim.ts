/** A published result, and whether it comes out here too. */
export interface Claim {
  readonly row: number
  readonly title: string
  /** What has to come out. */
  readonly passIf: string
  /** `traces`: the folder with real traces. */
  check(traces: string): Finding
}

export interface Finding {
  readonly passed: boolean
  readonly found: string
}

export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`
