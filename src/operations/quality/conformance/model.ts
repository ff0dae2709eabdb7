/** What a supplier may or may not offer; a check of something that is not offered does not apply, unless it was promised. */
export type Feature = 'tools' | 'structured_output' | 'multiple_choices'

export type Verdict = 'pass' | 'fail' | 'not_applicable'

/** What one check came to. `saw` is what a supplier's engineer needs to find the mistake, in one or two sentences. */
export interface Finding {
  readonly verdict: Verdict
  readonly saw: string
}

export interface CheckResult extends Finding {
  readonly id: string
  /** What must be true. */
  readonly asks: string
  readonly tookMs: number
}

export interface ConformanceReport {
  readonly kind: 'conformance'
  readonly format: 1
  readonly baseUrl: string
  readonly model: string
  /** How our own counts were made; null: counts could not be compared. */
  readonly tokenizer: string | null
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly requests: number
  readonly results: readonly CheckResult[]
  readonly passed: number
  readonly failed: number
  readonly notApplicable: number
  /** Nothing failed, and an answer was seen at all. */
  readonly conforms: boolean
}

export const pass = (saw: string): Finding => ({ verdict: 'pass', saw })
export const fail = (saw: string): Finding => ({ verdict: 'fail', saw })
export const notApplicable = (saw: string): Finding => ({ verdict: 'not_applicable', saw })

/** Passes if nothing was found wrong. */
export function verdictOf(wrong: readonly string[], right: string): Finding {
  return wrong.length === 0 ? pass(right) : fail(wrong.join('; '))
}

/** How far a supplier's count may be from ours: the larger of a number and a part in a million of our count. */
export interface CountTolerance {
  readonly outputAbs: number
  readonly outputPpm: number
  readonly inputAbs: number
  readonly inputPpm: number
}

export function withinTolerance(reported: number, counted: number, abs: number, ppm: number): boolean {
  return Math.abs(reported - counted) <= Math.max(abs, (counted * ppm) / 1_000_000)
}

/** Follows a path of members and indexes into what came from outside; undefined where there is none. */
export function dig(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Readonly<Record<string | number, unknown>>)[step]
  }
  return at
}

/** The elements of a list; none of anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as a report shows it: short, and never more than one line. */
export function shown(value: unknown): string {
  const line = (value === undefined ? 'nothing' : JSON.stringify(value)).replaceAll(/\s+/g, ' ')
  return line.length > 160 ? `${line.slice(0, 157)}…` : line
}

export function summarise(
  results: readonly CheckResult[],
): Pick<ConformanceReport, 'passed' | 'failed' | 'notApplicable' | 'conforms'> {
  const count = (verdict: Verdict) => results.filter((each) => each.verdict === verdict).length
  const failed = count('fail')
  const passed = count('pass')
  return { passed, failed, notApplicable: count('not_applicable'), conforms: failed === 0 && passed > 0 }
}
