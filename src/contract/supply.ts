import * as z from 'zod'
import { Ppm } from './capability-unit.ts'
import { EpochMs, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

/** How a request may be weighed for a tenant: cheapest that keeps the SLA, best measured first, or the operator's mix of both. */
export const Strategy = z.enum(['cost', 'effect', 'balanced'])
export type Strategy = z.infer<typeof Strategy>

/** What a service promises to one class of requests. A request whose first token or pace is later than this is a miss. */
export const SlaTarget = z.object({
  class: z.enum(['priority', 'standard', 'flex', 'batch']),
  ttftMs: z.int().min(1).max(3_600_000),
  /** Milliseconds per output token after the first. */
  tpotMs: z.int().min(1).max(60_000),
  attainmentPpm: Ppm,
  /** What a missed request costs us in credits: the floor of the SLA debt's price. */
  missPico: UnsignedPicoText,
})
export type SlaTarget = z.infer<typeof SlaTarget>

/** The network between two regions, both ways. A pair without a link is taken for `DEFAULT_RTT_MS` apart at no price. */
export const NetworkLink = z.object({
  from: Slug,
  to: Slug,
  rttMs: z.int().min(0).max(10_000),
  /** What carrying a mebibyte costs. */
  mebibytePico: UnsignedPicoText,
})
export type NetworkLink = z.infer<typeof NetworkLink>

/**
 * What a contract asks of routing, in tokens of all classes together, for a supplier's services from `fromMs` to `toMs`.
 *
 * - `take_or_pay`: this many are paid for whether used or not.
 * - `share`: between these parts of what all suppliers of `group` deliver together (award shares of a package).
 * - `reserved_rate`: this many per minute are paid for; within them a token costs nothing more.
 * - `cap`: no more than this many.
 *
 * `delivered` is what was delivered by `countedToMs`, as charging knows it; the gateways add their own since then.
 */
export const Commitment = z.object({
  id: z.string().min(1).max(128),
  supplier: Slug,
  services: z.array(ServiceName),
  fromMs: EpochMs,
  toMs: EpochMs,
  terms: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('take_or_pay'), tokens: z.int().min(1) }),
    z.object({
      kind: z.literal('share'),
      group: z.string().max(128),
      minPpm: Ppm,
      maxPpm: Ppm,
      lotTokens: z.int().min(1),
    }),
    z.object({ kind: z.literal('reserved_rate'), tokensPerMinute: z.int().min(1) }),
    z.object({ kind: z.literal('cap'), tokens: z.int().min(1) }),
  ]),
  delivered: z.int().min(0),
  countedToMs: EpochMs,
})
export type Commitment = z.infer<typeof Commitment>

/** A contract as it was declared or signed; what was delivered under it is charging's to say. */
export type SignedCommitment = Omit<Commitment, 'delivered' | 'countedToMs'>

/**
 * Accepted capacity of a call-off order: from `fromMs` to `toMs` this supplier's model may be used up to these rates. A gateway stops
 * at `toMs` by itself; a suspension or revocation takes the lot out of the snapshot.
 */
export const CapacityLot = z.object({
  id: z.string().min(1).max(128),
  agreement: z.string().max(128),
  supplier: Slug,
  model: z.string().min(1).max(256),
  fromMs: EpochMs,
  toMs: EpochMs,
  inputTokensPerMinute: z.int().min(1),
  outputTokensPerMinute: z.int().min(1),
})
export type CapacityLot = z.infer<typeof CapacityLot>
