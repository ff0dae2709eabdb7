import type {
  DiscrepancyView,
  PenaltyView,
  RunFigures,
  RunReply,
  RunView,
  SettledRequestView,
  SettlementEvent,
  StatementReply,
  StatementView,
} from '#contract'
import { dateOfDay } from '#kernel'
import type { Event } from './event-store.ts'
import type { Discrepancy, DiscrepancySums, SettledRequest } from './matching/decision-store.ts'
import { formatFen, formatPicoAsFen } from './model/fen.ts'
import type { Figures } from './model/figures.ts'
import type { Penalty } from './runs/penalty-store.ts'
import type { Run } from './runs/store.ts'
import type { Statement } from './statements/store.ts'

export function statementView(statement: Statement): StatementView {
  const { id, supplier, period, version, state, fileName, fileHash, granularity, lines, importedBy, importedAtMs } =
    statement
  return {
    ...{ id, supplier, period, version, state, fileName, fileHash, granularity, lines, importedBy, importedAtMs },
    netPico: `${statement.netPico}`,
    taxPico: statement.taxPico === null ? null : `${statement.taxPico}`,
  }
}

export interface StatementDetail {
  readonly statement: Statement
  readonly ours: { readonly requests: number; readonly amountPico: bigint } | null
  readonly discrepancies: readonly DiscrepancySums[]
  readonly runs: readonly string[]
  readonly events: readonly Event[]
}

export function statementReply({ statement, ours, discrepancies, runs, events }: StatementDetail): StatementReply {
  return {
    ...statementView(statement),
    ours: ours && { requests: ours.requests, amountPico: `${ours.amountPico}` },
    agreement: statement.terms?.agreement ?? null,
    discrepancies: discrepancies.map(({ impactPico, taxImpactPico, ...rest }) => ({
      ...rest,
      impactPico: `${impactPico}`,
      taxImpactPico: `${taxImpactPico}`,
    })),
    runs: [...runs],
    events: events.map(eventView),
  }
}

function eventView({ atMs, was, becomes, by, note, number }: Event): SettlementEvent {
  return { atMs, was, becomes, by, note, number }
}

export function discrepancyView(found: Discrepancy): DiscrepancyView {
  const { number, class: kind, state, line, record, day, model, theirs, ours, assignee } = found
  return {
    ...{ number, class: kind, state, line, request: record, model, theirs, ours, assignee },
    day: day === null ? null : dateOfDay(day),
    impactPico: `${found.impactPico}`,
    taxImpactPico: `${found.taxImpactPico}`,
    agreedPico: `${found.agreedPico}`,
    heldPico: `${found.heldPico}`,
  }
}

export function settledRequestView({
  record,
  service,
  model,
  completedAtMs,
  input,
  cached,
  output,
  amountPico,
}: SettledRequest): SettledRequestView {
  return { request: record, service, model, completedAtMs, input, cached, output, amountPico: `${amountPico}` }
}

export function runView(run: Run): RunView {
  const { id, supplier, period, version, statement, state, figures, proposedBy, reviewedBy, approvedBy } = run
  return {
    ...{ id, supplier, period, version, statement, state, proposedBy, reviewedBy, approvedBy },
    ...{ postingId: run.postingId, paymentReference: run.paymentReference },
    gross: figures && formatFen(figures.grossFen),
    netted: figures && formatFen(figures.nettedFen),
    payable: figures && formatFen(figures.payableFen),
  }
}

function figuresView(figures: Figures): RunFigures {
  return {
    accruedPico: `${figures.accruedPico}`,
    netPico: `${figures.netPico}`,
    roundingPico: `${figures.roundingPico}`,
    agreedPico: `${figures.agreedPico}`,
    heldPico: `${figures.heldPico}`,
    releasedPico: `${figures.releasedPico}`,
    variancePico: `${figures.agreedPico + figures.heldPico + figures.releasedPico - figures.freedPico}`,
    netFen: `${figures.netFen}`,
    taxFen: `${figures.taxFen}`,
    taxPercent: figures.taxPercent,
    penaltyFen: `${figures.penaltyFen + figures.recountFen}`,
    nettedFen: `${figures.nettedFen}`,
    grossFen: `${figures.grossFen}`,
    payableFen: `${figures.payableFen}`,
  }
}

export interface RunDetail {
  readonly run: Run
  readonly penalties: readonly Penalty[]
  readonly events: readonly Event[]
}

export function runReply({ run, penalties, events }: RunDetail): RunReply {
  return {
    ...runView(run),
    figures: run.figures && figuresView(run.figures),
    penalties: penalties.map(penaltyView),
    events: events.map(eventView),
  }
}

export function penaltyView(penalty: Penalty): PenaltyView {
  const { id, supplier, period, kind, reason, evidence, state, proposedBy, approvedBy, run } = penalty
  return {
    ...{ id, supplier, period, kind, reason, evidence, state, proposedBy, approvedBy, run },
    amount: formatPicoAsFen(penalty.amountPico),
  }
}
