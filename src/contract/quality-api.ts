import * as z from 'zod'
import { SlaTerm } from './agreements.ts'
import { EpochMs, PicoText, ServiceName, Slug } from './scalars.ts'
import { ServiceTier } from './snapshot.ts'

/** Quality of suppliers and services under `/api/v1/quality`: audits of token counts, and the cases they lead to. */
const AuditSide = z.enum(['output', 'input'])
const Reason = z.string().min(1).max(1000)

/** What counts as honest for a supplier's model. Parts are millionths of our count. */
export const AuditSettingsText = z.strictObject({
  tauPpm: z.int().min(0).max(100_000),
  fixedTokens: z.int().min(0).max(64),
  excessPpm: z.int().min(100).max(200_000),
  slack: z.strictObject({ tokens: z.int().min(0).max(100_000), ppm: z.int().min(0).max(500_000) }),
})

/** GET /quality/audits: where the tests of a supplier's model are. */
export const AuditView = z.object({
  supplier: Slug,
  model: z.string(),
  side: AuditSide,
  epoch: z.int(),
  /** Requests whose counts were compared in this epoch. */
  seen: z.int(),
  /** Evidence against honesty as powers of ten; 3 flags. */
  meanLog10: z.number(),
  excessLog10: z.number(),
  excesses: z.int(),
  reportedTokens: z.int(),
  countedTokens: z.int(),
  settings: AuditSettingsText,
})
export type AuditView = z.infer<typeof AuditView>

export const CaseState = z.enum(['flagged', 'disputed', 'upheld', 'dismissed', 'closed'])

/** GET /quality/cases */
export const CaseView = z.object({
  id: z.string(),
  supplier: Slug,
  model: z.string(),
  side: AuditSide,
  epoch: z.int(),
  test: z.enum(['mean', 'excess']),
  /** At which request of the epoch it was flagged. */
  number: z.int(),
  evidenceLog10: z.number(),
  state: CaseState,
  openedAtMs: EpochMs,
  disputedBy: z.string().nullable(),
})
export type CaseView = z.infer<typeof CaseView>

export const QualityEventView = z.object({ what: z.string(), by: z.string(), reason: z.string(), atMs: EpochMs })
export type QualityEventView = z.infer<typeof QualityEventView>

/** GET /quality/cases/:id */
export const CaseReply = z.object({ case: CaseView, events: z.array(QualityEventView) })
export type CaseReply = z.infer<typeof CaseReply>

/** POST /quality/cases/:id/decide */
export const DecideCaseRequest = z.strictObject({
  to: z.enum(['disputed', 'upheld', 'dismissed', 'closed']),
  reason: Reason,
})

/** POST /quality/cases/:id/answer: what the supplier says to it. */
export const ReasonRequest = z.strictObject({ reason: Reason })

/** POST /quality/audit-settings */
export const AuditSettingsRequest = z.strictObject({
  supplier: Slug,
  model: z.string().min(1).max(256),
  side: AuditSide,
  settings: AuditSettingsText,
  reason: Reason,
})

export const SupplierQuery = z.strictObject({ supplier: Slug.optional() })

/** Service levels. A leg is one side of a request: what we gave a customer, or what a supplier gave us. */
export const SlaLeg = z.enum(['customer', 'supplier'])
const Party = z.union([Slug, z.literal('')])
const PartsPerMillion = z.int().min(0).max(1_000_000)

/** GET, POST /quality/terms: what was promised. Null is any. */
export const SlaTermsText = z.strictObject({
  leg: SlaLeg,
  party: Slug.nullable(),
  service: ServiceName.nullable(),
  tier: ServiceTier.nullable(),
  measures: z
    .array(SlaTerm)
    .min(1)
    .max(3)
    .refine((all) => new Set(all.map(({ measure }) => measure)).size === all.length, 'each measure once')
    .refine(
      (all) => all.every(({ measure, limitMs }) => (measure === 'availability') === (limitMs === null)),
      'ttft and tpot have a limit, availability has none',
    ),
  requestsPerMinute: z.int().min(1).max(1_000_000_000).nullable(),
  validFromMs: EpochMs,
})
export type SlaTermsText = z.infer<typeof SlaTermsText>
export const DeclareTermsRequest = z.strictObject({ terms: SlaTermsText, reason: Reason })

const SliCounts = {
  leg: SlaLeg,
  party: Party,
  service: z.string(),
  tier: z.string(),
  requests: z.int(),
  failed: z.int(),
  excused: z.int(),
  excluded: z.int(),
  ttftValid: z.int(),
  ttftGood: z.int(),
  tpotValid: z.int(),
  tpotGood: z.int(),
  netPico: PicoText,
  taxPico: PicoText,
}

/** GET /quality/indicators: what a span of time came to. */
export const IndicatorView = z.object(SliCounts)
export type IndicatorView = z.infer<typeof IndicatorView>
export const IndicatorsQuery = z.strictObject({
  fromMs: z.coerce.number().pipe(EpochMs).optional(),
  toMs: z.coerce.number().pipe(EpochMs).optional(),
  leg: SlaLeg.optional(),
  party: Slug.optional(),
})

/** GET /quality/alerts */
export const AlertView = z.object({
  id: z.string(),
  leg: SlaLeg,
  party: Party,
  service: z.string(),
  tier: z.string(),
  measure: z.string(),
  rule: z.string(),
  burn: z.number(),
  openedAtMs: EpochMs,
  closedAtMs: EpochMs.nullable(),
})
export type AlertView = z.infer<typeof AlertView>

const Period = z.string().regex(/^\d{4}-\d{2}$/)

export const SlaReportLine = z.object({
  ...SliCounts,
  measures: z.array(
    z.object({
      ...SlaTerm.shape,
      valid: z.int(),
      good: z.int(),
      attainmentPpm: PartsPerMillion,
      isMissed: z.boolean(),
      penaltyPpm: PartsPerMillion,
    }),
  ),
  penaltyPpm: PartsPerMillion,
  creditNetPico: PicoText,
  creditTaxPico: PicoText,
})

/** GET /quality/reports, POST /quality/reports/run */
export const SlaReportView = z.object({
  leg: SlaLeg,
  party: Party,
  period: Period,
  version: z.int(),
  lines: z.array(SlaReportLine),
  /** SHA-256 over the report, hexadecimal. */
  hash: z.string(),
  computedAtMs: EpochMs,
  computedBy: z.string(),
})
export type SlaReportView = z.infer<typeof SlaReportView>
export const ReportRunRequest = z.strictObject({ period: Period })
export const ReportsQuery = z.strictObject({ period: Period, leg: SlaLeg.optional(), party: Slug.optional() })
export const ReportCsvQuery = z.strictObject({ period: Period, leg: SlaLeg, party: Slug })

export const CreditState = z.enum(['computed', 'contested', 'approved', 'applied', 'waived'])

/** GET /quality/credits */
export const CreditView = z.object({
  id: z.string(),
  leg: SlaLeg,
  party: Party,
  period: Period,
  service: z.string(),
  tier: z.string(),
  version: z.int(),
  ppm: PartsPerMillion,
  netPico: PicoText,
  taxPico: PicoText,
  state: CreditState,
  proposedBy: z.string(),
})
export type CreditView = z.infer<typeof CreditView>
export const CreditsQuery = z.strictObject({
  leg: SlaLeg.optional(),
  party: Slug.optional(),
  period: Period.optional(),
  state: CreditState.optional(),
})

/** GET /quality/credits/:id. `otherSide`: penalties behind a credit, credits behind a penalty; for operators only. */
export const CreditReply = z.object({
  credit: CreditView,
  events: z.array(QualityEventView),
  otherSide: z.array(CreditView),
})
export type CreditReply = z.infer<typeof CreditReply>

/** POST /quality/credits/:id/decide. Whom it is about may contest it; the rest is an operator's. */
export const DecideCreditRequest = z.strictObject({ to: z.enum(['contested', 'approved', 'waived']), reason: Reason })

/** POST /quality/acceptances?callOff=…: the body may be a trace, CSV of offset_ms,input_tokens,output_tokens. */
const Whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
export const AcceptanceQuery = z.strictObject({
  callOff: z.string().min(1).max(128),
  /** How long the load lasts, where it is no trace. */
  seconds: Whole.pipe(z.int().min(1).max(86_400)).default(600),
  inputTokens: Whole.pipe(z.int().min(1).max(1_000_000)).default(1000),
  outputTokens: Whole.pipe(z.int().min(2).max(100_000)).default(200),
  /** Of all ordered units. */
  loadPercent: Whole.pipe(z.int().min(1).max(200)).default(100),
  fluctuationPercent: Whole.pipe(z.int().min(1).max(100)).default(20),
  burst: Whole.pipe(z.int().min(0).max(1000)).default(16),
  /** Only look: nothing is accepted, whatever comes out. */
  trial: z.enum(['true', 'false']).default('false'),
})

export const AcceptanceProgress = z.object({
  stage: z.enum(['conformance', 'identity', 'load']),
  done: z.int(),
  total: z.int(),
  failures: z.int(),
  ttftP50Ms: z.number().nullable(),
  ttftP99Ms: z.number().nullable(),
  tpotP50Ms: z.number().nullable(),
})
export type AcceptanceProgress = z.infer<typeof AcceptanceProgress>

/** GET /quality/acceptances. `accepted`: the order became capacity by it. */
export const AcceptanceView = z.object({
  id: z.string(),
  callOff: z.string(),
  supplier: Slug,
  model: z.string(),
  passed: z.boolean(),
  hash: z.string(),
  runBy: z.string(),
  endedAtMs: EpochMs,
})
export type AcceptanceView = z.infer<typeof AcceptanceView>
export const AcceptanceReply = z.object({
  acceptance: AcceptanceView,
  accepted: z.boolean(),
  judgements: z.array(z.object({ name: z.string(), asked: z.string(), measured: z.string(), passed: z.boolean() })),
})
export type AcceptanceReply = z.infer<typeof AcceptanceReply>

/** GET /quality/acceptances/:id: the report's text, which the hash and the signature are of. */
export const SignedReportView = z.object({
  report: z.string(),
  hash: z.string(),
  signature: z.string(),
  publicKey: z.string(),
})
export const AcceptancesQuery = z.strictObject({ supplier: Slug.optional(), callOff: z.string().max(128).optional() })
