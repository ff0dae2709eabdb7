import type {
  DocumentReply,
  DocumentView,
  FapiaoView,
  LineRequestView,
  LineView,
  PaymentView,
  ReconcileReply,
  RefundView,
} from '#contract'
import type { DocumentDetail } from './billing.ts'
import type { LineRecord } from './documents/detail.ts'
import type { Fapiao } from './fapiao/store.ts'
import { formatFen } from './model/fen.ts'
import type { Refund } from './payments/refund-store.ts'
import type { Payment } from './payments/store.ts'
import type { Reconciliation } from './reconcile/model.ts'
import type { Document, FiledLine } from './run/model.ts'

/** What leaves the room over the wire: amounts become text. */
export function documentView(document: Document): DocumentView {
  const { id, kind, tenant, period, state, number, corrects, reason, issuedAtMs, dueAtMs, dunning } = document
  return {
    ...{ id, kind, tenant, period, state, number, corrects, reason, issuedAtMs, dueAtMs, dunning },
    ...amounts(document),
    covered: formatFen(document.coveredFen),
  }
}

function amounts({ grossFen, netFen, taxFen, dueFen }: Pick<Document, 'grossFen' | 'netFen' | 'taxFen' | 'dueFen'>) {
  return { gross: formatFen(grossFen), net: formatFen(netFen), tax: formatFen(taxFen), due: formatFen(dueFen) }
}

function lineView(line: FiledLine): LineView {
  const { position, description, service, sheet, period, requests, taxPercent } = line
  return {
    ...{ position, description, service, sheet, period, requests, taxPercent },
    ...amounts(line),
    tokens: `${line.tokens}`,
    grossPico: `${line.grossPico}`,
  }
}

/** Who did what is told to operators only. */
export function documentReply(detail: DocumentDetail, { withEvents }: { withEvents: boolean }): DocumentReply {
  const { document, lines, allocations, fapiaos, events } = detail
  return {
    ...documentView(document),
    seller: document.seller,
    buyer: document.buyer,
    lines: lines.map(lineView),
    allocations: allocations.map(({ source, fen, atMs }) => ({ source, amount: formatFen(fen), atMs })),
    fapiaos: fapiaos.map(fapiaoView),
    ...(withEvents ? { events: [...events] } : {}),
  }
}

export function fapiaoView({ kind, state, number, redNumber, failure, updatedAtMs }: Fapiao): FapiaoView {
  return { kind, state, number, redNumber, failure, updatedAtMs }
}

export function paymentView({ reference, tenant, amountFen, restFen, document, bookedAtMs }: Payment): PaymentView {
  return { reference, tenant, amount: formatFen(amountFen), rest: formatFen(restFen), document, bookedAtMs }
}

export function refundView({ reference, tenant, amountFen, state, requestedAtMs, paidAtMs }: Refund): RefundView {
  return { reference, tenant, amount: formatFen(amountFen), state, requestedAtMs, paidAtMs }
}

export function lineRequestView(row: LineRecord): LineRequestView {
  const { record, cursor, correction, sellPico, giftPico, creditPico } = row
  const { id, completedAtMs, tenant, key, service, tokens, tier = 'standard' } = record
  const parts = { giftPico: `${giftPico}`, billedPico: `${sellPico - giftPico}`, creditPico: `${creditPico}` }
  return {
    id,
    cursor,
    correction,
    completedAtMs,
    tenant,
    key,
    service,
    tier,
    tokens,
    sellPico: `${sellPico}`,
    ...parts,
  }
}

export function reconcileReply({ day, ok, services, differences }: Reconciliation): ReconcileReply {
  return {
    ...{ day, ok },
    services: services.map((one) => ({
      service: one.service,
      requests: one.requests,
      producedTokens: `${one.producedTokens}`,
      costPico: `${one.costPico}`,
      ratedPico: `${one.ratedPico}`,
      postedPico: `${one.postedPico}`,
      giftPico: `${one.giftPico}`,
      billedPico: `${one.billedPico}`,
      toBeBilledPico: `${one.toBeBilledPico}`,
    })),
    differences: differences.map((one) => ({ ...one, requests: [...one.requests] })),
  }
}
