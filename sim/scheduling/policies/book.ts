import type { Attempt, Ending } from '../policy.ts'

/** What any gateway can count for itself about each supplier: how much it has there, and how it has fared. */
export interface Book {
  readonly inFlight: Float64Array
  /** Input tokens sent whose first token has not come. */
  readonly prefillTokens: Float64Array
  /** When it last failed or refused; −∞: never. */
  readonly failedAtMs: Float64Array
  began(attempt: Attempt): void
  firstToken(attempt: Attempt): void
  ended(attempt: Attempt, ending: Ending): void
}

export function createBook(suppliers: number): Book {
  const inFlight = new Float64Array(suppliers)
  const prefillTokens = new Float64Array(suppliers)
  const failedAtMs = new Float64Array(suppliers).fill(Number.NEGATIVE_INFINITY)
  const waiting = new Set<Attempt>()
  const prefilled = (attempt: Attempt): void => {
    if (waiting.delete(attempt)) prefillTokens[attempt.supplier]! -= attempt.question.inputTokens
  }
  return {
    inFlight,
    prefillTokens,
    failedAtMs,
    began(attempt) {
      inFlight[attempt.supplier]!++
      prefillTokens[attempt.supplier]! += attempt.question.inputTokens
      waiting.add(attempt)
    },
    firstToken: prefilled,
    ended(attempt, { outcome, nowMs }) {
      inFlight[attempt.supplier]!--
      prefilled(attempt)
      if (outcome !== 'served') failedAtMs[attempt.supplier] = nowMs
    },
  }
}
