import type { DiscrepancyState, RunState, StatementState } from '#contract'

type Edges<State extends string> = Readonly<Record<State, readonly State[]>>

/** A statement that is not agreed yet gives way to a corrected one. */
const STATEMENT: Edges<StatementState> = {
  received: ['parsed'],
  parsed: ['matching', 'replaced'],
  matching: ['matched', 'discrepant'],
  matched: ['matching', 'agreed', 'replaced'],
  discrepant: ['matching', 'disputed', 'agreed', 'replaced'],
  disputed: ['matching', 'agreed', 'replaced'],
  agreed: ['approved'],
  approved: ['settled'],
  settled: [],
  replaced: [],
}

const DISCREPANCY: Edges<DiscrepancyState> = {
  open: ['auto_resolved', 'assigned', 'disputed', 'adjusted', 'accepted', 'written_off'],
  assigned: ['assigned', 'disputed', 'adjusted', 'accepted', 'written_off'],
  disputed: ['adjusted', 'accepted', 'written_off'],
  auto_resolved: [],
  adjusted: [],
  accepted: [],
  written_off: [],
}

const RUN: Edges<RunState> = {
  planned: ['collecting'],
  collecting: ['computed', 'failed'],
  computed: ['reviewed', 'computed', 'failed'],
  failed: ['computed'],
  reviewed: ['approved', 'computed'],
  approved: ['posting'],
  posting: ['posted'],
  posted: ['paid'],
  paid: ['closed'],
  closed: [],
}

export function statementMay(from: StatementState, to: StatementState): boolean {
  return STATEMENT[from].includes(to)
}

export function discrepancyMay(from: DiscrepancyState, to: DiscrepancyState): boolean {
  return DISCREPANCY[from].includes(to)
}

/** The states from which a decision may lead to another. */
export function discrepanciesThatMay(to: DiscrepancyState): DiscrepancyState[] {
  return (Object.keys(DISCREPANCY) as DiscrepancyState[]).filter((from) => discrepancyMay(from, to))
}

export function runMay(from: RunState, to: RunState): boolean {
  return RUN[from].includes(to)
}
