import * as z from 'zod'
import { CapabilityFeature, Ppm } from './capability-unit.ts'
import { EpochMs, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'
import { Commitment, CapacityLot, NetworkLink, SlaTarget, Strategy } from './supply.ts'

/** Rate limits. Absent means unlimited. */
export const Limits = z.object({
  requestsPerMinute: z.int().min(1).max(10_000_000).optional(),
  tokensPerMinute: z.int().min(1).max(100_000_000_000).optional(),
  maxConcurrency: z.int().min(1).max(1_000_000).optional(),
})
export type Limits = z.infer<typeof Limits>

/** Pico per token and class. A class that has no price cannot be served: there is no implicit zero. */
export const ClassPrices = z.object({
  uncachedInput: UnsignedPicoText,
  cacheWrite: UnsignedPicoText,
  cacheRead: UnsignedPicoText,
  output: UnsignedPicoText,
  reasoning: UnsignedPicoText,
})
export type ClassPrices = z.infer<typeof ClassPrices>

/** The class of service that a request is served and priced in. */
export const ServiceTier = z.enum(['priority', 'standard', 'flex', 'batch'])
export type ServiceTier = z.infer<typeof ServiceTier>

/** A day of the calendar, `2026-10-01`. */
export const CalendarDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

/**
 * Public holidays and the weekend days that are worked for them, as a government publishes them year by year. Outside `coversFrom`
 * to `coversTo` (both inclusive) nothing is known, and weekdays are taken for working days.
 */
export const HolidayCalendar = z.object({
  id: Slug,
  coversFrom: CalendarDate,
  coversTo: CalendarDate,
  holidays: z.array(CalendarDate),
  workedWeekendDays: z.array(CalendarDate),
})
export type HolidayCalendar = z.infer<typeof HolidayCalendar>

/** When prices are at their peak: minutes of the local day, `fromMinute` inclusive, `toMinute` exclusive. */
export const PeakHours = z.object({
  /** Null: no day is a holiday. */
  calendar: Slug.nullable(),
  utcOffsetMinutes: z.int().min(-720).max(840),
  /** `weekdays`: Monday to Friday without holidays. `workdays`: those and worked weekend days. */
  days: z.enum(['weekdays', 'workdays', 'every_day']),
  hours: z
    .array(z.object({ fromMinute: z.int().min(0).max(1440), toMinute: z.int().min(0).max(1440) }))
    .min(1)
    .max(16),
})
export type PeakHours = z.infer<typeof PeakHours>

/** Prices that hold instead of the sheet's own where all of `when` is so: the first variant of the list that fits decides. */
export const PriceVariant = z.object({
  when: z.object({
    tier: ServiceTier.optional(),
    period: z.enum(['peak', 'off_peak']).optional(),
    /** Input tokens of all classes together, above this number. */
    inputTokensAbove: z.int().min(0).optional(),
  }),
  prices: ClassPrices,
})
export type PriceVariant = z.infer<typeof PriceVariant>

/** One dated price sheet; valid from `validFromMs` (inclusive) to `validToMs` (exclusive, null = open). Prices include tax. */
export const PriceSheet = z.object({
  id: z.string(),
  currency: z.literal('CNY'),
  validFromMs: EpochMs,
  validToMs: EpochMs.nullable(),
  taxPercent: z.int().min(0).max(100),
  prices: ClassPrices,
  /** Absent: no hour is a peak. */
  peak: PeakHours.optional(),
  variants: z.array(PriceVariant).max(64).optional(),
})
export type PriceSheet = z.infer<typeof PriceSheet>

/**
 * Which tokenizer recounts a service: the vocabulary of the model that the embedded engine runs, that of another GGUF file in
 * `models/`, a tiktoken encoding, or a stated bytes-per-token estimate.
 */
export const TokenizerSpec = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('embedded') }),
  z.object({ kind: z.literal('gguf'), file: z.string() }),
  z.object({ kind: z.literal('tiktoken'), encoding: z.enum(['o200k_base', 'cl100k_base']) }),
  z.object({ kind: z.literal('bytes'), bytesPerToken: z.number().min(1).max(8) }),
])
export type TokenizerSpec = z.infer<typeof TokenizerSpec>

/** One way to serve a service: a supplier's model, tried in ascending `priority`, with what it costs us. */
export const Deployment = z.object({
  supplier: Slug,
  model: z.string().min(1).max(256),
  priority: z.int().min(0).max(1000),
  buySheets: z.array(PriceSheet),
  /** Smaller than the service's where the supplier takes less; absent: the service's. */
  contextTokens: z.int().min(1).optional(),
  features: z.array(CapabilityFeature).optional(),
  /** Bought under an agreement: used only while one of the snapshot's `lots` is in force for it. */
  needsLot: z.boolean().optional(),
  /** How far the supplier's counts for this model are to be trusted; routing takes its price for as much higher. Absent: fully. */
  trustPpm: Ppm.min(1).optional(),
})
export type Deployment = z.infer<typeof Deployment>

export const Service = z.object({
  id: ServiceName,
  displayName: z.string(),
  createdMs: EpochMs,
  contextTokens: z.int().min(1),
  maxOutputTokens: z.int().min(1),
  tokenizer: TokenizerSpec,
  /** Empty: every tenant may use it. */
  tenants: z.array(Slug),
  sellSheets: z.array(PriceSheet),
  deployments: z.array(Deployment),
  /** Time to first byte, silence between bytes, and the whole request, each in milliseconds. */
  firstByteTimeoutMs: z.int().min(1),
  idleTimeoutMs: z.int().min(1),
  totalTimeoutMs: z.int().min(1),
  /** At most one per class; a class without one promises nothing. */
  sla: z.array(SlaTarget).max(4).optional(),
  /** Regions where it may be served; absent: anywhere. */
  regions: z.array(Slug).optional(),
  /** A request whose first token is late may be sent to a second supplier as well; absent: no. */
  hedge: z.boolean().optional(),
})
export type Service = z.infer<typeof Service>

export const Supplier = z.object({
  id: Slug,
  displayName: z.string(),
  kind: z.enum(['embedded', 'openai-compatible']),
  /** Base URL up to and including the version path, e.g. `https://api.example.com/v1`. */
  baseUrl: z.string(),
  /** Name of the environment variable that holds the supplier's key; the key itself never enters the database. */
  apiKeyEnv: z.string().nullable(),
  maxConcurrency: z.int().min(1),
  /** How the supplier wants the output cap named. */
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']),
  region: Slug.optional(),
  /** What the supplier's contract allows, for all gateways together. */
  requestsPerMinute: z.int().min(1).optional(),
  tokensPerMinute: z.int().min(1).optional(),
  /** How the number of requests that it bears at once is learned: from its 429s (absent), or from latency where it queues instead. */
  learnLimitBy: z.enum(['rejections', 'latency']).optional(),
  /** The operator takes it out of service: what runs there ends, nothing new begins. */
  isDraining: z.boolean().optional(),
})
export type Supplier = z.infer<typeof Supplier>

/**
 * A published, dated conversion table: what one token of a service and class debits from lots in this table's unit, in millionths
 * of a unit (so a weight of 1 is 1000000). A service that is not in the version in force cannot be paid in this unit.
 */
export const ConversionTable = z.object({
  id: Slug,
  displayName: z.string(),
  versions: z.array(
    z.object({
      id: z.string(),
      validFromMs: EpochMs,
      validToMs: EpochMs.nullable(),
      weights: z.array(z.object({ service: ServiceName, weights: ClassPrices })),
    }),
  ),
})
export type ConversionTable = z.infer<typeof ConversionTable>

/** The spans of time that a bucket may be refilled by: the clock's minute, the day and the calendar month in China (+08:00). */
export const BucketPeriod = z.enum(['minute', 'day', 'month'])
export type BucketPeriod = z.infer<typeof BucketPeriod>

/**
 * What a tenant may pay with, in the order in which it is used up. `bucket` names what charging grants slices of.
 *
 * - `wallet`: money at the sell sheet's price, from the wallet of `payer` (the tenant itself, or who shares its wallet).
 * - `tokens`: lots in the unit of a conversion table (token packages, the standard token). Covers as much of a request as it has.
 * - `throughput`: a reservation that is refilled every `period` and forfeits what is left. Every dimension must have room for the
 *   request, else it goes on to the next means (`overflow: next`) or is refused (`reject`). A dimension in `CNY` is money at the
 *   sell sheet's price and may cover a part; one in a table's unit covers all or nothing.
 */
export const Means = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('wallet'), id: z.string(), bucket: z.string(), payer: Slug }),
  z.object({ kind: z.literal('tokens'), id: z.string(), bucket: z.string(), table: Slug }),
  z.object({
    kind: z.literal('throughput'),
    id: z.string(),
    services: z.array(ServiceName).min(1),
    period: BucketPeriod,
    validFromMs: EpochMs,
    validToMs: EpochMs,
    /** Minutes of the local day (+08:00) in which it works; null: always. */
    window: z.object({ fromMinute: z.int().min(0).max(1440), toMinute: z.int().min(0).max(1440) }).nullable(),
    dimensions: z
      .array(z.object({ bucket: z.string(), unit: z.union([z.literal('CNY'), Slug]) }))
      .min(1)
      .max(4),
    overflow: z.enum(['next', 'reject']),
  }),
])
export type Means = z.infer<typeof Means>

/** A hard cap on what is spent in money per day or month, beside the wallet. Refilled to `limitPico` with each period. */
export const SpendCap = z.object({
  id: z.string(),
  scope: z.enum(['key', 'project', 'tenant']),
  bucket: z.string(),
  period: z.enum(['day', 'month']),
  limitPico: UnsignedPicoText,
})
export type SpendCap = z.infer<typeof SpendCap>

export const Tenant = z.object({
  id: Slug,
  displayName: z.string(),
  /** `restricted`: in arrears; only what is paid for already (tokens, reservations) is served. */
  status: z.enum(['active', 'restricted', 'suspended']),
  limits: Limits,
  /** Absent: the own wallet. */
  means: z.array(Means).max(64).optional(),
  caps: z.array(SpendCap).max(16).optional(),
  /** Absent: `balanced`. */
  strategy: Strategy.optional(),
  /** Part in fair queueing beside other tenants; absent: 1. */
  weight: z.int().min(1).max(1000).optional(),
  /** Where its data may be processed; absent: anywhere the service may be served. */
  regions: z.array(Slug).optional(),
  /** May be told who served it. */
  seesSuppliers: z.boolean().optional(),
})
export type Tenant = z.infer<typeof Tenant>

/** `hash` is base64 of SHA-256 over the whole key text. Keys carry 160 random bits, so a fast hash is enough. */
export const ApiKey = z.object({
  id: Slug,
  tenant: Slug,
  name: z.string(),
  hash: z.string(),
  status: z.enum(['active', 'revoked']),
  /** Caps of the key and of its project. */
  caps: z.array(SpendCap).max(16).optional(),
  expiresAtMs: EpochMs.nullable(),
  limits: Limits,
})
export type ApiKey = z.infer<typeof ApiKey>

/** All that a gateway needs to know to serve without asking anybody. Replaced as a whole when anything in it changes. */
export const Snapshot = z.object({
  version: z.int().min(0),
  tenants: z.array(Tenant),
  keys: z.array(ApiKey),
  services: z.array(Service),
  suppliers: z.array(Supplier),
  tables: z.array(ConversionTable).optional(),
  calendars: z.array(HolidayCalendar).optional(),
  links: z.array(NetworkLink).optional(),
  commitments: z.array(Commitment).optional(),
  lots: z.array(CapacityLot).optional(),
})
export type Snapshot = z.infer<typeof Snapshot>
