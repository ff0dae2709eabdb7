import * as z from 'zod'
import { GatewayId } from './gateway-api.ts'
import { EpochMs, ServiceName, Slug } from './scalars.ts'
import { ServiceTier } from './snapshot.ts'
import { Strategy } from './supply.ts'

/**
 * What operators watch: gateways report what they see, the control plane adds it up. None of it is evidence or money, which come
 * from usage records; a report that is lost is not sent again.
 */
const Count = z.int().min(0)
/** An estimate or a measured rate. */
const Estimate = z.number().min(0)

/** What one worker has served since it started, of tenants that may be routed alike. */
export const ServedRow = z.object({
  service: ServiceName,
  tier: ServiceTier,
  supplier: Slug,
  strategy: Strategy,
  /** Where these tenants' data may go; null: anywhere. */
  regions: z.array(Slug).nullable(),
  requests: Count,
  /** Of them, those that count for the service level: neither the caller's mistake nor left by the caller too early to tell. */
  valid: Count,
  /** Of those, the ones that were in time. */
  good: Count,
  inputTokens: Count,
  outputTokens: Count,
  durationMs: Estimate,
})
export type ServedRow = z.infer<typeof ServedRow>

/** The queue of one service and class in one worker; the counts are since it started. */
export const QueueRow = z.object({
  service: ServiceName,
  tier: ServiceTier,
  waiting: Count,
  /** That wait. */
  tenants: Count,
  running: Count,
  oldestMs: Estimate,
  expectedWaitMs: Estimate.nullable(),
  started: Count,
  waited: Count,
  refused: Count,
  expired: Count,
})
export type QueueRow = z.infer<typeof QueueRow>

/** A supplier's model as a worker's scheduler has learned to see it. */
export const EndpointRow = z.object({
  supplier: Slug,
  model: z.string().max(256),
  breaker: z.enum(['closed', 'open', 'half_open', 'ramp']),
  /** The supplier does not accept our credentials or does not know the model. */
  isMisconfigured: z.boolean(),
  inFlight: Count,
  /** Learned from its refusals and times, below what the contract says; absent: nothing learned. */
  limit: Estimate.optional(),
  errorRate: Estimate.optional(),
  ttftMs: Estimate.nullable(),
  tpotMs: Estimate.nullable(),
})
export type EndpointRow = z.infer<typeof EndpointRow>

export const ShareRow = z.object({
  commitment: z.string().max(128),
  supplier: Slug,
  kind: z.string().max(32),
  deliveredTokens: Estimate,
  /** The part of a token's price that the contract takes off in routing; below zero: adds. */
  relief: z.number(),
})
export type ShareRow = z.infer<typeof ShareRow>

/** POST /internal/v1/report: what one worker sees. */
export const GatewayReport = z.strictObject({
  gateway: GatewayId,
  /** Tells a restarted worker, whose counts begin anew. */
  startedAtMs: EpochMs,
  suppliers: z.array(z.object({ supplier: Slug, inFlight: Count, hasCredentials: z.boolean() })),
  served: z.array(ServedRow),
  queues: z.array(QueueRow),
  endpoints: z.array(EndpointRow),
  shares: z.array(ShareRow),
})
export type GatewayReport = z.infer<typeof GatewayReport>

/** One service and class over all gateways. Rates are per minute, over the last five. */
export const LaneView = z.object({
  service: ServiceName,
  tier: ServiceTier,
  /** Served and turned away together. */
  demandPerMinute: Estimate,
  shedPerMinute: Estimate,
  inputTokensPerMinute: Estimate,
  outputTokensPerMinute: Estimate,
  running: Count,
  waiting: Count,
  oldestMs: Estimate,
  expectedWaitMs: Estimate.nullable(),
  /** Null where nothing is promised. */
  targetPpm: Count.nullable(),
  /** Good of valid requests; null while there are none. */
  attainmentPpm: z.object({ fiveMinutes: Count.nullable(), hour: Count.nullable() }),
  /** Misses over what the target allows: at 1 the error budget lasts exactly. Null where nothing is promised or nothing came. */
  burnRate: z.object({ fiveMinutes: Estimate.nullable(), hour: Estimate.nullable() }),
})
export type LaneView = z.infer<typeof LaneView>

export const DrainView = z.object({
  supplier: z.string(),
  drainedAtMs: EpochMs,
  drainedBy: z.string(),
  drainReason: z.string(),
  undrainedAtMs: EpochMs.nullable(),
  undrainedBy: z.string().nullable(),
  undrainReason: z.string().nullable(),
})
export type DrainView = z.infer<typeof DrainView>

export const SupplierLoadView = z.object({
  supplier: Slug,
  displayName: z.string(),
  /** The drain in force; null: in service. */
  drain: DrainView.nullable(),
  hasCredentials: z.boolean(),
  inFlight: Count,
  maxConcurrency: Count,
  requestsPerMinute: Estimate,
  inputTokensPerMinute: Estimate,
  outputTokensPerMinute: Estimate,
  /** Of all tokens that were served. */
  sharePpm: Count,
  attainmentPpm: z.object({ fiveMinutes: Count.nullable(), hour: Count.nullable() }),
  endpoints: z.array(EndpointRow),
  shares: z.array(ShareRow),
})
export type SupplierLoadView = z.infer<typeof SupplierLoadView>

/** GET /noc. */
export const NocReply = z.object({
  atMs: EpochMs,
  /** Who reports, and how old the last report is: a stale one is left out of what is now, and its past counts stay. */
  gateways: z.array(z.object({ gateway: GatewayId, ageMs: Estimate, isStale: z.boolean() })),
  lanes: z.array(LaneView),
  suppliers: z.array(SupplierLoadView),
  /** The last half hour, minute by minute, the running one last. */
  minutes: z.array(
    z.object({
      atMs: EpochMs,
      requests: Count,
      shed: Count,
      valid: Count,
      good: Count,
      inputTokens: Count,
      outputTokens: Count,
    }),
  ),
  /** Who took suppliers out of service and back, newest first. */
  drains: z.array(DrainView),
})
export type NocReply = z.infer<typeof NocReply>

/** GET /suppliers/{id}/drain: where the last five minutes' traffic of a supplier would go. */
export const DrainPreview = z.object({
  supplier: Slug,
  /** False while gateways have reported nothing: then nothing can be said. */
  isKnown: z.boolean(),
  moves: z.array(
    z.object({
      service: ServiceName,
      tier: ServiceTier,
      requestsPerMinute: Estimate,
      to: z.array(z.object({ supplier: Slug, model: z.string(), requestsPerMinute: Estimate })),
      /** What nobody else may serve or has room for. */
      lostPerMinute: Estimate,
    }),
  ),
  /** Requests at once at each of the others, by what requests take now. */
  loads: z.array(z.object({ supplier: Slug, before: Estimate, after: Estimate, maxConcurrency: Count })),
  /** What the moved traffic costs per minute in pico-yuan: estimates, not money. */
  costPerMinutePico: z.object({ before: Estimate, after: Estimate }),
  /** Services that nobody could serve any more, whether or not anybody asks for them now. */
  orphaned: z.array(ServiceName),
})
export type DrainPreview = z.infer<typeof DrainPreview>

/** POST /suppliers/{id}/drain. Services that nobody else serves are lost only if that is accepted. */
export const DrainRequest = z.strictObject({
  reason: z.string().trim().min(1).max(500),
  acceptOrphans: z.boolean().optional(),
})

/** POST /suppliers/{id}/undrain. */
export const UndrainRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) })
