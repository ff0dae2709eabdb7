import * as z from 'zod'
import { EpochMs, PicoText, ReferenceText, RequestIdText, ServiceName, Slug, Tokens } from './scalars.ts'
import { ServiceTier } from './snapshot.ts'

/** Amounts of documents are decimal yuan with two places, `1234.50`; amounts of the books behind them are pico-yuan. */
export const YuanText = z.string().regex(/^-?\d{1,16}\.\d{2}$/)
export const MonthText = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'a month such as 2026-11')
const DayText = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a day such as 2026-11-25')

const DocumentKind = z.enum(['invoice', 'statement', 'credit_note'])
const DocumentState = z.enum(['new', 'validated', 'onHold', 'sent', 'partiallyPaid', 'settled'])
const Language = z.enum(['zh-CN', 'en'])

/** What documents print about a party. `uscc` is its unified social credit code, the tax number. */
export const PartyView = z.object({
  name: z.string(),
  uscc: z.string().nullable(),
  address: z.string().nullable(),
  phone: z.string().nullable(),
  bank: z.string().nullable(),
  bankAccount: z.string().nullable(),
  email: z.string().nullable(),
  termsDays: z.int(),
})
export type PartyView = z.infer<typeof PartyView>

const Line = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'without control characters')

/** POST /billing/seller and /billing/buyers/{tenant}: what is left out is unknown. */
export const PartyRequest = z.strictObject({
  name: Line,
  uscc: Line.nullable().default(null),
  address: Line.nullable().default(null),
  phone: Line.nullable().default(null),
  bank: Line.nullable().default(null),
  bankAccount: Line.nullable().default(null),
  email: Line.nullable().default(null),
  termsDays: z.int().min(0).max(365).default(30),
})

export const DocumentView = z.object({
  id: z.string(),
  kind: DocumentKind,
  tenant: z.string(),
  /** The month that it closes; a credit note's is that of what it corrects. */
  period: z.string(),
  state: DocumentState,
  /** Null until it is issued. */
  number: z.string().nullable(),
  corrects: z.string().nullable(),
  reason: z.string().nullable(),
  gross: YuanText,
  net: YuanText,
  tax: YuanText,
  /** What the wallet did not pay: to be paid, or below zero on a credit note. */
  due: YuanText,
  covered: YuanText,
  issuedAtMs: EpochMs.nullable(),
  dueAtMs: EpochMs.nullable(),
  dunning: z.enum(['none', 'reminded', 'warned', 'final']),
})
export type DocumentView = z.infer<typeof DocumentView>

export const LineView = z.object({
  position: z.int(),
  description: z.string(),
  service: z.string().nullable(),
  sheet: z.string().nullable(),
  /** Earlier than the document's where it came late. */
  period: z.string(),
  requests: z.int(),
  tokens: z.string().regex(/^-?\d+$/),
  taxPercent: z.int(),
  /** What was rounded once to `gross`. */
  grossPico: PicoText,
  gross: YuanText,
  net: YuanText,
  tax: YuanText,
  due: YuanText,
})
export type LineView = z.infer<typeof LineView>

export const FapiaoView = z.object({
  kind: z.enum(['ordinary', 'special']),
  state: z.enum(['requested', 'issued', 'failed', 'redRequested', 'redConfirmed', 'redIssued']),
  number: z.string().nullable(),
  redNumber: z.string().nullable(),
  failure: z.string().nullable(),
  updatedAtMs: EpochMs,
})
export type FapiaoView = z.infer<typeof FapiaoView>

export const DocumentReply = DocumentView.extend({
  seller: PartyView,
  buyer: PartyView,
  lines: z.array(LineView),
  /** What covers it: payments and credit notes. */
  allocations: z.array(z.object({ source: z.string(), amount: YuanText, atMs: EpochMs })),
  fapiaos: z.array(FapiaoView),
  /** Who did what to it; for operators only. */
  events: z
    .array(z.object({ atMs: EpochMs, what: z.string(), by: z.string(), note: z.string().nullable() }))
    .optional(),
})
export type DocumentReply = z.infer<typeof DocumentReply>

/** POST /invoices/run. Without a month the last complete one; without a tenant all of them. */
export const InvoiceRunRequest = z.strictObject({
  period: MonthText.optional(),
  tenant: Slug.optional(),
  hold: z.boolean().optional(),
})
export const InvoiceRunReply = z.object({
  period: z.string(),
  documents: z.array(DocumentView),
  failures: z.array(z.object({ tenant: z.string(), code: z.string(), detail: z.string() })),
})

/** POST /payments: money that arrived. `document` is an id or number; left out, what is due first is paid. */
export const PaymentRequest = z.strictObject({
  reference: ReferenceText,
  tenant: Slug,
  amountYuan: z.string().max(20),
  document: z.string().min(1).max(64).optional(),
})
export const PaymentView = z.object({
  reference: z.string(),
  tenant: z.string(),
  amount: YuanText,
  /** What no document needed and went into the wallet. */
  rest: YuanText,
  document: z.string().nullable(),
  bookedAtMs: EpochMs,
})
export type PaymentView = z.infer<typeof PaymentView>

/** POST /refunds: money of a wallet that is to be paid back. */
export const RefundRequest = z.strictObject({ reference: ReferenceText, tenant: Slug, amountYuan: z.string().max(20) })
export const RefundView = z.object({
  reference: z.string(),
  tenant: z.string(),
  amount: YuanText,
  state: z.enum(['requested', 'paid']),
  requestedAtMs: EpochMs,
  paidAtMs: EpochMs.nullable(),
})
export type RefundView = z.infer<typeof RefundView>

/** POST /invoices/{id}/credit: without lines, all that is left of the invoice. */
export const CreditRequest = z.strictObject({
  reference: ReferenceText,
  reason: z.string().trim().min(1).max(500),
  lines: z
    .array(z.strictObject({ position: z.int().min(1), amountYuan: z.string().max(20) }))
    .min(1)
    .max(1000)
    .optional(),
})

export const FapiaoRequestBody = z.strictObject({ kind: z.enum(['ordinary', 'special']).default('ordinary') })
export const FapiaoReverseRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) })

export const InvoicesQuery = z.object({
  tenant: Slug.optional(),
  period: MonthText.optional(),
  state: DocumentState.optional(),
  kind: DocumentKind.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.string().min(1).max(64).optional(),
})
export const FileQuery = z.object({ lang: Language.default('zh-CN') })
export const LineRequestsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  after: z.string().min(1).max(256).optional(),
})

/** One request behind a line; `cursor` is where the next page goes on. */
export const LineRequestView = z.object({
  id: RequestIdText,
  cursor: z.string(),
  /** Null for the request itself; else the amounts are what a correction of it changed. */
  correction: z.string().nullable(),
  completedAtMs: EpochMs,
  tenant: z.string(),
  key: z.string(),
  service: ServiceName,
  tier: ServiceTier,
  tokens: Tokens,
  sellPico: PicoText,
  giftPico: PicoText,
  billedPico: PicoText,
  creditPico: PicoText,
})
export type LineRequestView = z.infer<typeof LineRequestView>

/** POST /reconcile: one day in China; yesterday unless stated. */
export const ReconcileRequest = z.strictObject({ day: DayText.optional() })
export const ReconcileReply = z.object({
  day: z.string(),
  ok: z.boolean(),
  services: z.array(
    z.object({
      service: z.string(),
      requests: z.int(),
      producedTokens: z.string().regex(/^\d+$/),
      costPico: PicoText,
      ratedPico: PicoText,
      postedPico: PicoText,
      giftPico: PicoText,
      billedPico: PicoText,
      toBeBilledPico: PicoText,
    }),
  ),
  differences: z.array(
    z.object({
      stage: z.enum(['produced', 'rated', 'posted', 'billed']),
      service: z.string(),
      posting: z.string().nullable(),
      expected: z.string(),
      found: z.string(),
      requests: z.array(z.string()),
    }),
  ),
})
export type ReconcileReply = z.infer<typeof ReconcileReply>
