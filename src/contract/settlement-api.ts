import * as z from 'zod'
import { Ppm } from './capability-unit.ts'
import { MonthText, YuanText } from './billing-api.ts'
import { EpochMs, PicoText, ReferenceText, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

const Text = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'without control characters')
const Column = Text

/**
 * How a supplier's file is read. Whatever a number or a time in it means is said here and nowhere guessed: a file that says
 * something else is refused.
 */
export const StatementMapping = z
  .strictObject({
    format: z.enum(['csv', 'xlsx', 'json']),
    /** Of CSV and JSON. */
    encoding: z.enum(['utf-8', 'gb18030']).default('utf-8'),
    delimiter: z.enum([',', ';', '\t', '|']).default(','),
    /** `request`: one line per request, by our id. `day_model`: the sums of a day and model. */
    granularity: z.enum(['request', 'day_model']),
    /** Headings of columns, or members of objects. */
    columns: z.strictObject({
      request: Column.optional(),
      day: Column.optional(),
      model: Column,
      input: Column,
      cached: Column.optional(),
      output: Column,
      amount: Column,
      tax: Column.optional(),
    }),
    tokenUnit: z.enum(['token', 'thousand', 'million']),
    amountUnit: z.enum(['yuan', 'fen', 'millionth_yuan']),
    /** Whether `amount` has its tax in it. */
    amountIncludesTax: z.boolean(),
    taxPercent: z.int().min(0).max(100),
    /** Decimals of a yuan that the supplier rounds each line to, half up: what its lines may differ from ours by. */
    amountDecimals: z.int().min(0).max(12).default(12),
    /** Whether `input` counts what was read from the cache too. */
    inputIncludesCached: z.boolean().default(true),
    /** `1,234.56`. */
    thousandsSeparators: z.boolean().default(false),
    dayFormat: z.enum(['date', 'compact', 'epoch_s', 'epoch_ms', 'spreadsheet']).default('date'),
    /** East of Greenwich: where the supplier's days begin. China is 480. */
    utcOffsetMinutes: z.int().min(-840).max(840).default(480),
    /** Requests so shortly before the month's end may be on the supplier's next statement. */
    cutoffMinutes: z.int().min(0).max(1440).default(10),
    /** The supplier's names of models, where they are not ours. */
    models: z.record(z.string().max(256), z.string().max(256)).default({}),
  })
  .superRefine((mapping, context) => {
    const needed = mapping.granularity === 'request' ? 'request' : 'day'
    if (mapping.columns[needed] === undefined)
      context.addIssue({
        code: 'custom',
        path: ['columns', needed],
        message: `lines per ${mapping.granularity} need it`,
      })
    const named = Object.values(mapping.columns)
    if (new Set(named).size !== named.length)
      context.addIssue({ code: 'custom', path: ['columns'], message: 'a column can mean one thing only' })
  })
export type StatementMapping = z.infer<typeof StatementMapping>

export const MappingReply = z.object({
  supplier: Slug,
  version: z.int(),
  mapping: StatementMapping,
  setBy: z.string(),
  setAtMs: EpochMs,
})
export type MappingReply = z.infer<typeof MappingReply>

/** Whom money goes to. */
export const PayeeRequest = z.strictObject({
  name: Text,
  uscc: Text.nullable().default(null),
  bank: Text,
  bankAccount: z.string().regex(/^[0-9A-Za-z]{6,34}$/, '6 to 34 digits and letters'),
  /** Of what it sells us, where no agreement says it. */
  taxPercent: z.int().min(0).max(100).default(6),
})
export type PayeeRequest = z.infer<typeof PayeeRequest>
export const PayeeView = z.object({
  supplier: Slug,
  name: z.string(),
  uscc: z.string().nullable(),
  bank: z.string(),
  bankAccount: z.string(),
  taxPercent: z.int(),
})
export type PayeeView = z.infer<typeof PayeeView>

export const StatementState = z.enum([
  'received',
  'parsed',
  'matching',
  'matched',
  'discrepant',
  'disputed',
  'agreed',
  'approved',
  'settled',
  'replaced',
])
export type StatementState = z.infer<typeof StatementState>

export const DiscrepancyClass = z.enum([
  'missing_ours',
  'missing_theirs',
  'duplicate',
  'quantity',
  'price',
  'tax',
  'cutoff',
  'model_mapping',
])
export type DiscrepancyClass = z.infer<typeof DiscrepancyClass>

export const DiscrepancyState = z.enum([
  'open',
  'auto_resolved',
  'assigned',
  'disputed',
  'adjusted',
  'accepted',
  'written_off',
])
export type DiscrepancyState = z.infer<typeof DiscrepancyState>

export const RunState = z.enum([
  'planned',
  'collecting',
  'computed',
  'failed',
  'reviewed',
  'approved',
  'posting',
  'posted',
  'paid',
  'closed',
])
export type RunState = z.infer<typeof RunState>

export const SettlementEvent = z.object({
  atMs: EpochMs,
  was: z.string().nullable(),
  becomes: z.string(),
  by: z.string(),
  note: z.string().nullable(),
  number: z.int().nullable(),
})
export type SettlementEvent = z.infer<typeof SettlementEvent>

export const StatementView = z.object({
  id: z.string(),
  supplier: Slug,
  period: MonthText,
  version: z.int(),
  state: StatementState,
  fileName: z.string(),
  fileHash: z.string(),
  granularity: z.enum(['request', 'day_model']),
  lines: z.int(),
  netPico: PicoText,
  taxPico: PicoText.nullable(),
  importedBy: z.string(),
  importedAtMs: EpochMs,
})
export type StatementView = z.infer<typeof StatementView>

/** `impactPico` is what their side is above ours. */
export const DiscrepancySum = z.object({
  class: DiscrepancyClass,
  state: DiscrepancyState,
  count: z.int(),
  impactPico: PicoText,
  taxImpactPico: PicoText,
})
export type DiscrepancySum = z.infer<typeof DiscrepancySum>

export const StatementReply = StatementView.extend({
  /** Null until it was matched. */
  ours: z.object({ requests: z.int(), amountPico: PicoText }).nullable(),
  agreement: z.string().nullable(),
  discrepancies: z.array(DiscrepancySum),
  runs: z.array(z.string()),
  events: z.array(SettlementEvent),
})
export type StatementReply = z.infer<typeof StatementReply>

const Side = z.object({
  model: z.string(),
  input: z.int(),
  cached: z.int().nullable(),
  output: z.int(),
  netPico: PicoText,
  taxPico: PicoText.nullable(),
})
export const DiscrepancyView = z.object({
  number: z.int(),
  class: DiscrepancyClass,
  state: DiscrepancyState,
  line: z.int().nullable(),
  request: z.string().nullable(),
  day: z.string().nullable(),
  model: z.string(),
  theirs: Side.nullable(),
  ours: Side.nullable(),
  impactPico: PicoText,
  taxImpactPico: PicoText,
  agreedPico: PicoText,
  heldPico: UnsignedPicoText,
  assignee: z.string().nullable(),
})
export type DiscrepancyView = z.infer<typeof DiscrepancyView>

export const StatementsQuery = z.strictObject({
  supplier: Slug.optional(),
  period: MonthText.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const ImportQuery = z.strictObject({
  supplier: Slug,
  period: MonthText,
  file: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}/\\]*$/u, 'a name without a path')
    .default('statement'),
})
export const DiscrepanciesQuery = z.strictObject({
  class: DiscrepancyClass.optional(),
  state: DiscrepancyState.optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const RequestsOfDayQuery = z.strictObject({
  /** Of a discrepancy. */
  number: z.coerce.number().int().min(1),
  after: z.string().max(64).default(''),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const SettledRequestView = z.object({
  request: z.string(),
  service: ServiceName,
  model: z.string(),
  completedAtMs: EpochMs,
  input: z.int(),
  cached: z.int(),
  output: z.int(),
  amountPico: UnsignedPicoText,
})
export type SettledRequestView = z.infer<typeof SettledRequestView>

/**
 * About the discrepancies with these numbers, or about all of a class that nothing was decided about. `accept`: their side is
 * paid. `adjust`: ours, or what is between by `amountYuan` (of one discrepancy). `write_off`: theirs, because it is not worth more.
 * `dispute`: what both say is paid, the rest is put aside.
 */
export const DiscrepancyDecision = z
  .strictObject({
    decision: z.enum(['assign', 'accept', 'adjust', 'write_off', 'dispute']),
    numbers: z.array(z.int().min(1)).min(1).max(10_000).optional(),
    class: DiscrepancyClass.optional(),
    /** Of how much their side is above ours, what is paid. */
    amountPico: PicoText.optional(),
    assignee: Text.optional(),
    reason: Text,
  })
  .superRefine((ask, context) => {
    if ((ask.numbers === undefined) === (ask.class === undefined))
      context.addIssue({ code: 'custom', path: ['numbers'], message: 'numbers or a class' })
    if (ask.amountPico !== undefined && (ask.decision !== 'adjust' || ask.numbers?.length !== 1))
      context.addIssue({ code: 'custom', path: ['amountPico'], message: 'is for adjusting one discrepancy' })
    if ((ask.assignee !== undefined) !== (ask.decision === 'assign'))
      context.addIssue({ code: 'custom', path: ['assignee'], message: 'goes with assign' })
  })
export type DiscrepancyDecision = z.infer<typeof DiscrepancyDecision>
export const DecisionReply = z.object({ decided: z.int(), statement: StatementView })
export type DecisionReply = z.infer<typeof DecisionReply>

export const PenaltyRequest = z.strictObject({
  id: ReferenceText,
  supplier: Slug,
  period: MonthText,
  kind: z.enum(['sla', 'lateness', 'audit', 'other']),
  amountYuan: z.string().regex(/^\d{1,15}(?:\.\d{1,2})?$/, 'yuan and fen, such as 100.50'),
  reason: Text,
  evidence: Text.nullable().default(null),
})
export type PenaltyRequest = z.infer<typeof PenaltyRequest>
export const PenaltyDecision = z.strictObject({ decision: z.enum(['approve', 'waive', 'contest']), reason: Text })
export const PenaltyView = z.object({
  id: z.string(),
  supplier: Slug,
  period: MonthText,
  kind: z.enum(['sla', 'lateness', 'audit', 'other']),
  amount: YuanText,
  reason: z.string(),
  evidence: z.string().nullable(),
  state: z.enum(['proposed', 'contested', 'approved', 'waived', 'applied']),
  proposedBy: z.string(),
  approvedBy: z.string().nullable(),
  run: z.string().nullable(),
})
export type PenaltyView = z.infer<typeof PenaltyView>

export const RunRequest = z.strictObject({ statement: z.string().min(1).max(120) })
export const RunStep = z.strictObject({ note: Text.optional() })
export const PayRequest = z.strictObject({ reference: ReferenceText })

/** What a settlement is made from: pico unless the name says fen. */
export const RunFigures = z.object({
  accruedPico: PicoText,
  netPico: PicoText,
  roundingPico: PicoText,
  agreedPico: PicoText,
  heldPico: PicoText,
  releasedPico: PicoText,
  variancePico: PicoText,
  netFen: PicoText,
  taxFen: PicoText,
  taxPercent: z.int(),
  penaltyFen: PicoText,
  nettedFen: PicoText,
  grossFen: PicoText,
  payableFen: PicoText,
})
export type RunFigures = z.infer<typeof RunFigures>

export const RunView = z.object({
  id: z.string(),
  supplier: Slug,
  period: MonthText,
  version: z.int(),
  statement: z.string(),
  state: RunState,
  gross: YuanText.nullable(),
  netted: YuanText.nullable(),
  payable: YuanText.nullable(),
  proposedBy: z.string(),
  reviewedBy: z.string().nullable(),
  approvedBy: z.string().nullable(),
  postingId: z.string().nullable(),
  paymentReference: z.string().nullable(),
})
export type RunView = z.infer<typeof RunView>
export const RunReply = RunView.extend({
  figures: RunFigures.nullable(),
  penalties: z.array(PenaltyView),
  events: z.array(SettlementEvent),
})
export type RunReply = z.infer<typeof RunReply>
export const RunsQuery = z.strictObject({
  supplier: Slug.optional(),
  state: RunState.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const PaymentFileQuery = z.strictObject({ state: z.enum(['posted', 'paid']).default('posted') })

/** A month of a supplier that something was used in, and how far its settlement is. `missing`: no statement a week after its end. */
export const SupplierPeriodView = z.object({
  supplier: Slug,
  period: MonthText,
  requests: z.int(),
  accruedPico: UnsignedPicoText,
  statement: z.string().nullable(),
  state: z.union([StatementState, z.enum(['running', 'expected', 'missing'])]),
  run: z.string().nullable(),
  runState: RunState.nullable(),
})
export type SupplierPeriodView = z.infer<typeof SupplierPeriodView>
export const SupplierPeriodsQuery = z.strictObject({
  supplier: Slug.optional(),
  months: z.coerce.number().int().min(1).max(60).default(6),
})

/** `isNew`: false where this file was imported before. */
export const ImportReply = z.object({ isNew: z.boolean(), statement: StatementView })
export type ImportReply = z.infer<typeof ImportReply>

/** Of a statement with no agreement behind it: differences of more than nothing wait for somebody. */
export const SettlementTerms = z.object({
  agreement: z.string().nullable(),
  taxPercent: z.int().min(0).max(100),
  toleranceAbsPico: UnsignedPicoText,
  toleranceBps: Ppm,
})
export type SettlementTerms = z.infer<typeof SettlementTerms>
