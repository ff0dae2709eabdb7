/** What one check of the books saw, and what it did not agree with. */
export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  /** How many rows it looked at: a check that saw nothing has proved nothing. */
  readonly seen: number
  /** The rows that disagree, at most 20, each in one line. */
  readonly disagreements: readonly string[]
}

export interface Check {
  see(rows?: number): void
  disagree(line: string): void
  result(): CheckResult
}

const MOST_LINES = 20

/** Collects the outcome of one check. It counts every disagreement and keeps the first twenty, so a ruined table costs no memory. */
export function openCheck(name: string): Check {
  const lines: string[] = []
  let seen = 0
  let wrong = 0
  return {
    see(rows = 1) {
      seen += rows
    },
    disagree(line) {
      wrong += 1
      if (lines.length < MOST_LINES) lines.push(line)
    },
    result: () => ({ name, ok: wrong === 0, seen, disagreements: lines }),
  }
}
