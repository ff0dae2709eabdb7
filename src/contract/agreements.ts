import * as z from 'zod'
import { CapabilityUnit, Ppm } from './capability-unit.ts'
import { AmountYuan } from './factory-decimals.ts'
import { Instant } from './instant.ts'
import { EpochMs, PicoText, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

export const SupplierType = z.enum(['it_service', 'state_owned', 'compute', 'model_vendor', 'cloud', 'other'])
export type SupplierType = z.infer<typeof SupplierType>

/** What a month's share of good requests must reach, and what falling below costs, in ppm of the month's amount without tax. */
export const SlaTerm = z.strictObject({
  measure: z.enum(['availability', 'ttft', 'tpot']),
  targetPpm: Ppm,
  /** A request above it is not good; null for availability. */
  limitMs: z.int().min(1).nullable(),
  steps: z.array(z.strictObject({ belowPpm: Ppm, penaltyPpm: Ppm })).max(10),
})
export type SlaTerm = z.infer<typeof SlaTerm>

/** How far a reported count may be from ours, and whose count is paid for a supplier that was flagged. */
export const AuditTerms = z.strictObject({
  outputAbs: z.int().min(0).default(4),
  outputPpm: Ppm.default(5_000),
  inputAbs: z.int().min(0).default(8),
  inputPpm: Ppm.default(10_000),
  payOn: z.enum(['counted', 'claim']).default('counted'),
})
export type AuditTerms = z.infer<typeof AuditTerms>

/** Per started day and of the amount that is not delivered yet; never more than the cap of the order's amount. */
export const LatenessTerms = z.strictObject({ dayPpm: Ppm.default(1_000), capPpm: Ppm.default(100_000) })
export type LatenessTerms = z.infer<typeof LatenessTerms>

/** Differences up to the larger of the two are settled by themselves. */
export const StatementTolerance = z.strictObject({
  absPico: UnsignedPicoText.default('0'),
  bps: z.int().min(0).max(10_000).default(0),
})
export type StatementTolerance = z.infer<typeof StatementTolerance>

/** What a package buys, and by what terms; an agreement keeps its own copy, which never changes. */
export const AgreementTerms = z.strictObject({
  /** `usage`: tokens are paid as they are used, by the buy sheets. `capacity`: units are paid when they are accepted. */
  kind: z.enum(['usage', 'capacity']),
  unit: CapabilityUnit.strict(),
  /** Of one unit for its whole service, without tax. */
  unitPricePico: UnsignedPicoText,
  taxPercent: z.int().min(0).max(100),
  /** Orders come in whole lots of this many units. */
  lotUnits: z.int().min(1).max(1_000_000),
  deliveryDays: z.int().min(1).max(3_650),
  serviceMonths: z.int().min(1).max(600),
  /** What the capacity serves, and the supplier's own name for it unless an agreement says another. */
  services: z.array(ServiceName).max(200),
  model: z.string().min(1).max(256),
  takeOrPayTokens: z.int().min(1).nullable(),
  sla: z.array(SlaTerm).max(8),
  lateness: LatenessTerms,
  audit: AuditTerms,
  tolerance: StatementTolerance,
})
export type AgreementTerms = z.infer<typeof AgreementTerms>

const Name = z.string().trim().min(1).max(200)

export const TenderSupplier = z.strictObject({
  id: Slug,
  nameZh: Name,
  nameEn: Name,
  /** Unified social credit code (GB 32100). Without it a supplier can bid but not sign. */
  uscc: z.string().nullable().default(null),
  type: SupplierType,
})
export type TenderSupplier = z.infer<typeof TenderSupplier>

const TenderTerms = z.strictObject({
  kind: z.enum(['usage', 'capacity']).default('usage'),
  unit: CapabilityUnit.strict(),
  unitPriceYuan: AmountYuan,
  taxPercent: z.int().min(0).max(100).default(6),
  lotUnits: z.int().min(1).max(1_000_000).default(1),
  deliveryDays: z.int().min(1).max(3_650).default(30),
  serviceMonths: z.int().min(1).max(600).default(60),
  services: z.array(ServiceName).max(200).default([]),
  model: z.string().min(1).max(256),
  takeOrPayTokens: z.int().min(1).nullable().default(null),
  sla: z.array(SlaTerm).max(8).default([]),
  lateness: LatenessTerms.prefault({}),
  audit: AuditTerms.prefault({}),
  tolerance: StatementTolerance.prefault({}),
})

/** A project as it is announced: `tokenfactory project apply -f tender.yaml`. */
export const TenderFile = z.strictObject({
  id: Slug,
  name: Name,
  buyer: Name,
  method: z.enum(['open_tender', 'invited_tender', 'negotiation', 'single_source']),
  year: z.int().min(2000).max(2200),
  /** Without tax; the packages' ceilings together never exceed it. */
  estimateYuan: AmountYuan,
  taxPercent: z.int().min(0).max(100),
  /** Days between publication of the candidates and the award. */
  objectionDays: z.int().min(0).max(365).default(3),
  suppliers: z.array(TenderSupplier).max(1_000).default([]),
  packages: z
    .array(
      z.strictObject({
        number: z.int().min(1).max(1_000),
        name: Name,
        ceilingYuan: AmountYuan,
        /** Bidding has begun. */
        isOpen: z.boolean().default(false),
        terms: TenderTerms,
      }),
    )
    .min(1)
    .max(1_000),
})
export type TenderFile = z.infer<typeof TenderFile>

export const ProjectState = z.enum([
  'draft',
  'announced',
  'bidding',
  'evaluated',
  'published',
  'awarded',
  'contracted',
  'running',
  'closed',
  'cancelled',
])
export type ProjectState = z.infer<typeof ProjectState>
export const PackageState = z.enum([
  'pending',
  'open',
  'evaluated',
  'published',
  'awarded',
  'contracted',
  'closed',
  'cancelled',
])
export type PackageState = z.infer<typeof PackageState>
export const AgreementState = z.enum(['draft', 'inApproval', 'signed', 'active', 'suspended', 'expired', 'terminated'])
export type AgreementState = z.infer<typeof AgreementState>
export const CallOffState = z.enum([
  'draft',
  'issued',
  'acknowledged',
  'inDelivery',
  'delivered',
  'rejected',
  'accepted',
  'inService',
  'completed',
  'terminated',
])
export type CallOffState = z.infer<typeof CallOffState>
export const LotState = z.enum(['active', 'suspended', 'revoked', 'expired'])
export type LotState = z.infer<typeof LotState>

export const SupplyTransition = z.object({
  from: z.string().nullable(),
  to: z.string(),
  atMs: EpochMs,
  by: z.string(),
  reason: z.string(),
})
export type SupplyTransition = z.infer<typeof SupplyTransition>

/** An amount with its tax: net + tax = gross, to the pico. */
export const TaxedPico = z.object({ netPico: PicoText, taxPico: PicoText, grossPico: PicoText, taxPercent: z.int() })
export type TaxedPico = z.infer<typeof TaxedPico>

export const BidView = z.object({
  supplier: Slug,
  nameZh: z.string(),
  pricePico: UnsignedPicoText,
  documentHash: z.string(),
  receivedAtMs: EpochMs,
  /** Thousandths of a point by criterion. */
  scores: z.record(z.string(), z.int()).nullable(),
  total: z.int().nullable(),
})
export type BidView = z.infer<typeof BidView>

export const PackageView = z.object({
  id: z.string(),
  project: Slug,
  number: z.int(),
  name: z.string(),
  state: PackageState,
  ceiling: TaxedPico,
  calledPico: UnsignedPicoText,
  terms: AgreementTerms,
  objectionsUntilMs: EpochMs.nullable(),
  bids: z.array(BidView),
  shares: z.array(
    z.object({ supplier: Slug, nameZh: z.string(), ppm: Ppm, lots: z.int(), calledPico: UnsignedPicoText }),
  ),
  objections: z.array(
    z.object({
      seq: z.int(),
      raisedBy: z.string(),
      atMs: EpochMs,
      text: z.string(),
      decision: z.enum(['upheld', 'rejected']).nullable(),
      decidedBy: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  history: z.array(SupplyTransition),
})
export type PackageView = z.infer<typeof PackageView>

export const ProjectView = z.object({
  id: Slug,
  name: z.string(),
  buyer: z.string(),
  method: z.string(),
  year: z.int(),
  state: ProjectState,
  estimate: TaxedPico,
  packages: z.array(PackageView.omit({ bids: true, objections: true, history: true, terms: true })),
  history: z.array(SupplyTransition),
})
export type ProjectView = z.infer<typeof ProjectView>

export const AgreementView = z.object({
  id: z.string(),
  package: z.string(),
  supplier: Slug,
  nameZh: z.string(),
  state: AgreementState,
  terms: AgreementTerms,
  sharePpm: Ppm,
  ceilingPico: UnsignedPicoText,
  calledPico: UnsignedPicoText,
  proposedBy: z.string(),
  signedBy: z.string().nullable(),
  validFromMs: EpochMs,
  validToMs: EpochMs,
  history: z.array(SupplyTransition),
})
export type AgreementView = z.infer<typeof AgreementView>

export const CallOffView = z.object({
  id: z.string(),
  batch: z.string(),
  agreement: z.string(),
  package: z.string(),
  supplier: Slug,
  state: CallOffState,
  units: z.int(),
  lots: z.int(),
  amount: TaxedPico,
  proposedBy: z.string(),
  issuedBy: z.string().nullable(),
  orderedAtMs: EpochMs.nullable(),
  /** The first moment that is late: midnight in China after the last day, moved by what the buyer stopped. */
  dueAtMs: EpochMs.nullable(),
  deliveredUnits: z.int(),
  deliveredAtMs: EpochMs.nullable(),
  acceptedAtMs: EpochMs.nullable(),
  reportHash: z.string().nullable(),
  endsAtMs: EpochMs.nullable(),
  lateDays: z.int(),
  latenessPico: UnsignedPicoText,
  stops: z.array(z.object({ fromMs: EpochMs, toMs: EpochMs.nullable(), reason: z.string(), by: z.string() })),
  deliveries: z.array(z.object({ units: z.int(), atMs: EpochMs, by: z.string() })),
  lot: z.object({ id: z.string(), state: LotState, fromMs: EpochMs, toMs: EpochMs }).nullable(),
  history: z.array(SupplyTransition),
})
export type CallOffView = z.infer<typeof CallOffView>

const Reason = z.string().trim().min(1).max(500)
const Points = z.int().min(0).max(100_000)

export const BidRequest = z.strictObject({
  supplier: Slug,
  priceYuan: AmountYuan,
  documentHash: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in 64 hex digits'),
  receivedAt: Instant.optional(),
})
export const EvaluationRequest = z.strictObject({
  /** By supplier and criterion, thousandths of a point. */
  scores: z.record(Slug, z.record(z.string().min(1).max(60), Points)),
  reason: Reason,
})
export const SharesRequest = z.strictObject({
  shares: z
    .array(z.strictObject({ supplier: Slug, ppm: z.int().min(1).max(1_000_000) }))
    .min(1)
    .max(50),
  reason: Reason,
})
export const ObjectionRequest = z.strictObject({ text: z.string().trim().min(1).max(4_000), raisedBy: Name })
export const ObjectionDecision = z.strictObject({ decision: z.enum(['upheld', 'rejected']), reason: Reason })
export const AgreementRequest = z.strictObject({
  package: z.string().max(128),
  supplier: Slug,
  /** The supplier's own name for the model, where it is not the package's. */
  model: z.string().min(1).max(256).optional(),
  validFrom: Instant,
  validMonths: z.int().min(1).max(600),
})
export const CallOffRequest = z.strictObject({
  package: z.string().max(128),
  units: z.int().min(1).max(1_000_000),
  reason: Reason,
})
export const DeliveryRequest = z.strictObject({ units: z.int().min(1).max(1_000_000) })
