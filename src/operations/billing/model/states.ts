/**
 * The life of a document. `new` and `validated` are moments of one transaction unless a run holds its documents back for review;
 * from `sent` on it has a number and is never changed: what was wrong is put right by a credit note.
 */
export const DOCUMENT_STATES = ['new', 'validated', 'onHold', 'sent', 'partiallyPaid', 'settled'] as const
export type DocumentState = (typeof DOCUMENT_STATES)[number]

const NEXT: Readonly<Record<DocumentState, readonly DocumentState[]>> = {
  new: ['validated'],
  validated: ['onHold', 'sent'],
  onHold: ['validated'],
  sent: ['partiallyPaid', 'settled'],
  partiallyPaid: ['settled'],
  settled: [],
}

export function mayBecome(from: DocumentState, to: DocumentState): boolean {
  return NEXT[from].includes(to)
}

export function isIssued(state: DocumentState): boolean {
  return state === 'sent' || state === 'partiallyPaid' || state === 'settled'
}

/** What an issued document's state is, given what is due of it and what payments and credit notes cover. */
export function settlementState(dueFen: bigint, coveredFen: bigint): 'sent' | 'partiallyPaid' | 'settled' {
  if (coveredFen >= dueFen) return 'settled'
  return coveredFen > 0n ? 'partiallyPaid' : 'sent'
}

export const DUNNING_STAGES = ['none', 'reminded', 'warned', 'final'] as const
export type DunningStage = (typeof DUNNING_STAGES)[number]

const DAY_MS = 86_400_000
/** Days past the due date from which a stage holds. */
const STAGE_DAYS: readonly (readonly [DunningStage, number])[] = [
  ['final', 30],
  ['warned', 15],
  ['reminded', 1],
]

export function dunningStage(dueAtMs: number, nowMs: number): DunningStage {
  const days = (nowMs - dueAtMs) / DAY_MS
  return STAGE_DAYS.find(([, from]) => days >= from)?.[0] ?? 'none'
}
