import * as z from 'zod'
import { CapabilityFeature } from './capability-unit.ts'
import { CorrectionView } from './means-api.ts'
import { EpochMs, PicoText, ServiceName, Slug, Tokens, UnsignedPicoText } from './scalars.ts'
import { Limits, PeakHours, PriceVariant, ServiceTier } from './snapshot.ts'
import { Commitment, SlaTarget, Strategy } from './supply.ts'
import { Draw, UsageRecord } from './usage-record.ts'

/**
 * The control plane's own API under `/api/v1`, used by the console and the CLI. Callers are an operator (the installation's
 * admin token as bearer, or an operator's session) or a tenant user (session), who sees the own tenant only. Errors are
 * RFC 9457 problems. Lists are newest first.
 */
export const SignInRequest = z.strictObject({
  email: z.string().min(1).max(254),
  password: z.string().min(1).max(1024),
})

/** GET, POST /session. DELETE /session signs out. */
export const SessionReply = z.object({
  email: z.string(),
  role: z.enum(['operator', 'tenant', 'supplier']),
  /** Null for an operator, who may see every tenant, and for a supplier's people. */
  tenant: Slug.nullable(),
  /** Whose people they are, of role `supplier`. */
  supplier: Slug.nullable(),
})
export type SessionReply = z.infer<typeof SessionReply>

/** GET /info, open to anyone signed in. */
export const InfoReply = z.object({ version: z.string(), schemaVersion: z.string(), gatewayUrl: z.string() })
export type InfoReply = z.infer<typeof InfoReply>

export const ApplyChange = z.object({
  kind: z.enum([
    'supplier',
    'service',
    'tenant',
    'project',
    'key',
    'price-sheet',
    'table',
    'calendar',
    'credit',
    'budget',
    'share',
    'gift',
    'topup',
    'offer',
    'link',
    'commitment',
  ]),
  id: z.string(),
  action: z.enum(['created', 'updated', 'unchanged', 'retired']),
})
export const NewKey = z.object({ id: Slug, name: z.string(), tenant: Slug, secret: z.string() })

/** POST /apply { document, dryRun }: all or nothing. Secrets of keys made by it are in the reply, and nowhere else ever again. */
export const ApplyReply = z.object({ changes: z.array(ApplyChange), newKeys: z.array(NewKey) })
export type ApplyReply = z.infer<typeof ApplyReply>

/** GET /tenants */
export const TenantView = z.object({
  id: Slug,
  displayName: z.string(),
  /** `restricted`, and `suspended` where nobody declared it: in arrears. */
  status: z.enum(['active', 'restricted', 'suspended']),
  limits: Limits,
  /** What holds for its requests, where it was declared. */
  strategy: Strategy.optional(),
  weight: z.int().optional(),
  regions: z.array(z.string()).optional(),
  seesSuppliers: z.boolean().optional(),
  postedPico: PicoText,
  escrowedPico: UnsignedPicoText,
})
export type TenantView = z.infer<typeof TenantView>

/** GET /keys?tenant= */
export const KeyView = z.object({
  id: Slug,
  tenant: Slug,
  name: z.string(),
  /** The first characters, enough to recognise a key and too few to use it. */
  preview: z.string(),
  status: z.enum(['active', 'revoked', 'expired']),
  createdAtMs: EpochMs,
  expiresAtMs: EpochMs.nullable(),
  limits: Limits,
})
export type KeyView = z.infer<typeof KeyView>

/** POST /keys; answers NewKey. POST /keys/{id}/revoke answers KeyView. */
export const CreateKeyRequest = z.strictObject({
  tenant: Slug,
  name: z.string().min(1).max(64),
  expiresAtMs: EpochMs.nullable().optional(),
  limits: Limits.optional(),
})

/** POST /topups (operator): `reference` is the payment's id; repeating it posts nothing. Answers BalanceView. */
export const TopupRequest = z.strictObject({
  tenant: Slug,
  amountYuan: z.string().max(32),
  reference: z.string().min(1).max(128),
})

/** GET /balance?tenant= */
export const BalanceView = z.object({
  tenant: Slug,
  currency: z.literal('CNY'),
  postedPico: PicoText,
  /** Set aside in slices that gateways hold; not spent, not available to others. */
  escrowedPico: UnsignedPicoText,
  /** What more may be set aside: posted, less what is set aside, and the credit limit. */
  availablePico: PicoText,
  /** How far below zero `posted` may go. */
  creditLimitPico: UnsignedPicoText,
  /** What is left of lots that were paid, and of gifts. What `posted` lacks of their sum is credit in use. */
  paidPico: UnsignedPicoText,
  giftPico: UnsignedPicoText,
  /** Served beyond the wallet after a gateway was lost; the next payment settles it first. */
  overrunPico: UnsignedPicoText,
  /** Lots of tokens, by conversion table, in millionths of its unit. */
  tokens: z.array(
    z.object({
      table: Slug,
      posted: UnsignedPicoText,
      escrowed: UnsignedPicoText,
      available: UnsignedPicoText,
      lots: z.int(),
      nextExpiryMs: EpochMs.nullable(),
    }),
  ),
})
export type BalanceView = z.infer<typeof BalanceView>

/** GET /ledger?tenant=&limit=&before= : postings that touch the tenant's money (operator without tenant: all). */
export const PostingView = z.object({
  id: z.string(),
  kind: z.string(),
  bookedAtMs: EpochMs,
  memo: z.string(),
  entries: z.array(z.object({ account: z.string(), amountPico: PicoText })),
  records: z.int(),
})
export type PostingView = z.infer<typeof PostingView>

/** GET /usage?by=service|tenant|supplier|key|hour&fromMs=&toMs=&tenant= */
export const UsageRow = z.object({
  group: z.string(),
  requests: z.int(),
  failed: z.int(),
  tokens: Tokens,
  sellPico: UnsignedPicoText,
  /** Zero for tenant users: what we pay is not theirs to see. */
  buyPico: UnsignedPicoText,
})
export type UsageRow = z.infer<typeof UsageRow>

/** GET /usage/live?minutes=60&tenant= : one point per minute, oldest first, empty minutes included. */
export const LivePoint = z.object({
  minuteMs: EpochMs,
  requests: z.int(),
  failed: z.int(),
  tokens: Tokens,
  sellPico: UnsignedPicoText,
  ttftMsP50: z.number().nullable(),
  ttftMsP95: z.number().nullable(),
  outputTokensPerSecond: z.number().nullable(),
})
export type LivePoint = z.infer<typeof LivePoint>

/** What a request was paid with beside the wallet. */
const RequestDraw = Draw.pick({ kind: true, bucket: true, amount: true, version: true })

/** GET /requests?tenant=&limit= : recent usage records. Tenant users do not see supplier, cost or candidates. */
export const RequestRow = z.object({
  id: z.string(),
  completedAtMs: EpochMs,
  tenant: Slug,
  key: Slug,
  service: ServiceName,
  supplier: z.string(),
  ending: z.string(),
  tokens: Tokens,
  ttftMs: z.number().nullable(),
  durationMs: z.number(),
  /** What the wallet paid; tokens of packages and reservations stand in `draws`. */
  sellPico: UnsignedPicoText,
  tier: ServiceTier,
  draws: z.array(RequestDraw),
})
export type RequestRow = z.infer<typeof RequestRow>

/** GET /requests/{id}: everything known about one request. For tenant users `record` is redacted as in RequestRow. */
export const ExplainReply = z.object({
  record: UsageRecord,
  /** The ledger posting that holds this record's money, and this record's own share of each entry. */
  posting: z.object({ id: z.string(), bookedAtMs: EpochMs, hash: z.string() }).nullable(),
  shares: z.array(z.object({ account: z.string(), amountPico: PicoText })),
  /** What was changed of it since, the oldest first: the last one is what it costs now. */
  corrections: z.array(CorrectionView),
})
export type ExplainReply = z.infer<typeof ExplainReply>

/** POST /verify (operator). `ok` only if every check passed and each check saw what it had to see. */
export const VerifyReply = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      seen: z.int(),
      /** The rows that disagree, at most 20, each in one line. */
      disagreements: z.array(z.string()),
    }),
  ),
})
export type VerifyReply = z.infer<typeof VerifyReply>

/**
 * What verify is doing: its `step` of `steps`, and of how many records `done`, where it looks at each; else both are 0. Whoever accepts
 * `application/x-ndjson` is told in lines of `{ progress }`, the last of which is `{ reply }`.
 */
export const VerifyProgress = z.object({
  step: z.int(),
  steps: z.int(),
  what: z.string(),
  done: z.int(),
  total: z.int(),
})
export type VerifyProgress = z.infer<typeof VerifyProgress>

/** POST /playground/key { tenant }: a key that lives 15 minutes, for the browser to call the gateway with. */
export const PlaygroundKeyReply = z.object({ secret: z.string(), expiresAtMs: EpochMs, services: z.array(ServiceName) })
export type PlaygroundKeyReply = z.infer<typeof PlaygroundKeyReply>

/** GET /services */
export const ServiceView = z.object({
  id: ServiceName,
  displayName: z.string(),
  contextTokens: z.int(),
  maxOutputTokens: z.int(),
  /** Yuan per million tokens by class, tax included, of the sheet in force; null where none is. */
  sellPerMillion: z.record(z.string(), z.string()).nullable(),
  /** When prices of `period: peak` hold. Null: no hour is a peak. */
  sellPeak: PeakHours.nullable(),
  /** What holds instead, in this order: the first whose conditions are all so decides. */
  sellVariants: z.array(z.object({ when: PriceVariant.shape.when, perMillion: z.record(z.string(), z.string()) })),
  /** What is promised, by class. What a miss costs us is the operator's to see. */
  sla: z.array(SlaTarget.partial({ missPico: true })).optional(),
  /** Where it may be served; absent: anywhere. */
  regions: z.array(z.string()).optional(),
  /** Operator only; empty for tenant users. */
  deployments: z.array(
    z.object({
      supplier: z.string(),
      model: z.string(),
      priority: z.int(),
      contextTokens: z.int().optional(),
      features: z.array(CapabilityFeature).optional(),
      needsLot: z.boolean().optional(),
    }),
  ),
})
export type ServiceView = z.infer<typeof ServiceView>

/** GET /suppliers (operator) */
export const SupplierView = z.object({
  id: Slug,
  displayName: z.string(),
  kind: z.string(),
  baseUrl: z.string(),
  apiKeyEnv: z.string().nullable(),
  maxConcurrency: z.int(),
  region: z.string().optional(),
  requestsPerMinute: z.int().optional(),
  tokensPerMinute: z.int().optional(),
  learnLimitBy: z.enum(['rejections', 'latency']).optional(),
  /** Contracts that have not ended, and how far they are. */
  commitments: z.array(Commitment).optional(),
})
export type SupplierView = z.infer<typeof SupplierView>

/** GET /slices?limit= (operator): what gateways hold of wallets now, oldest first. POST /slices/{id}/release answers one. */
export const SliceView = z.object({
  id: z.string(),
  gateway: z.string(),
  /** Null: granted before journals had names, and not claimed yet. */
  journal: z.string().nullable(),
  /** False: the gateway works with another journal now, so nobody will give this slice back unless the old one returns. */
  isOfPresentJournal: z.boolean(),
  epoch: z.int(),
  bucket: z.string(),
  /** Whose bucket it is. */
  tenant: Slug,
  /** `CNY`, and then amounts are pico-yuan, or a conversion table, and then they are millionths of its unit. */
  unit: z.string(),
  amount: UnsignedPicoText,
  settled: UnsignedPicoText,
  records: z.int(),
  state: z.enum(['open', 'closed', 'released', 'reclaimed']),
  grantedAtMs: EpochMs,
  validUntilMs: EpochMs,
  /** An operator may release it from then on. */
  releasableAtMs: EpochMs,
})
export type SliceView = z.infer<typeof SliceView>

/** POST /slices/{id}/release, POST /quarantine/{id}/dismiss (operator): the reason is kept with the operator's name. */
export const DecisionRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) })

/**
 * GET /quarantine?limit= (operator): records that break an invariant, oldest first. POST /quarantine/{id}/retry delivers one again as
 * its gateway would, and POST /quarantine/{id}/dismiss ends it unposted; both answer it as it is then. Instead of the whole id any
 * beginning of at least 8 characters will do that only one record has.
 */
export const QuarantineView = z.object({
  /** SHA-256 of the content: two contents may claim the same record id. */
  id: z.string(),
  record: z.string(),
  gateway: z.string(),
  reason: z.string(),
  receivedAtMs: EpochMs,
  state: z.enum(['open', 'accepted', 'dismissed']),
  /** Who ended it, when and why; null while open, and for a record that its gateway delivered again. */
  decidedBy: z.string().nullable(),
  decidedAtMs: EpochMs.nullable(),
  decidedReason: z.string().nullable(),
  /** What arrived, as text: it may be anything. */
  text: z.string(),
})
export type QuarantineView = z.infer<typeof QuarantineView>
