import { hash } from 'node:crypto'
import type { AuditSettings, AuditTest, Side } from './stream.ts'

export type CaseState = 'flagged' | 'disputed' | 'upheld' | 'dismissed' | 'closed'

/** What a test found, and what became of it. */
export interface AuditCase {
  readonly id: string
  readonly supplier: string
  readonly model: string
  readonly side: Side
  /** Whose requests are the evidence: all of this epoch of the supplier's model. */
  readonly epoch: number
  readonly test: AuditTest
  /** What counted as honest in this epoch. */
  readonly settings: AuditSettings
  readonly number: number
  /** E as a power of ten when it was flagged. */
  readonly evidence: number
  readonly state: CaseState
  readonly openedAtMs: number
  readonly disputedBy: string | null
}

/** `closed`: upheld, and the supplier has mended its ways. Both ends begin the tests anew. */
const TRANSITIONS: Readonly<Record<CaseState, readonly CaseState[]>> = {
  flagged: ['disputed', 'dismissed'],
  disputed: ['upheld', 'dismissed'],
  upheld: ['closed'],
  dismissed: [],
  closed: [],
}

export const mayBecome = (from: CaseState, to: CaseState): boolean => TRANSITIONS[from].includes(to)
export const isEnded = (state: CaseState): boolean => TRANSITIONS[state].length === 0
/** In which a case is not over. */
export const OPEN_STATES: readonly CaseState[] = (Object.keys(TRANSITIONS) as CaseState[]).filter(
  (state) => !isEnded(state),
)

export function caseId(key: { supplier: string; model: string; side: Side; epoch: number }): string {
  const text = JSON.stringify([key.supplier, key.model, key.side, key.epoch])
  return `case_${hash('sha256', text, 'hex').slice(0, 20)}`
}

/** A handful of requests of one kind is no sample of a supplier, however odd they are. */
export const FEWEST_REQUESTS = 100

/** Millionths: 1,000,000 is full trust; routing weighs a supplier by it. */
export const FULL_SCORE_PPM = 1_000_000
const SCORE_BY_STATE: Readonly<Record<CaseState, number>> = {
  flagged: 600_000,
  disputed: 500_000,
  upheld: 300_000,
  dismissed: FULL_SCORE_PPM,
  closed: FULL_SCORE_PPM,
}

export function scoreOf(cases: readonly Pick<AuditCase, 'state'>[]): number {
  return Math.min(FULL_SCORE_PPM, ...cases.map(({ state }) => SCORE_BY_STATE[state]))
}
