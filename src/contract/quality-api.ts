import * as z from 'zod'
import { EpochMs, Slug } from './scalars.ts'

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
