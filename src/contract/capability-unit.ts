import * as z from 'zod'
import { Slug } from './scalars.ts'

/** Millionths: shares, attainment and availability are integers, so that 99.95 % is exact and shares sum to 100 %. */
export const Ppm = z.int().min(0).max(1_000_000)

export const Modality = z.enum(['text', 'code', 'embedding', 'image', 'video', 'speech'])
export type Modality = z.infer<typeof Modality>

/** What an endpoint can do beyond answering; `prefill`: it continues a partial answer of the assistant. */
export const CapabilityFeature = z.enum([
  'streaming',
  'tools',
  'structured_output',
  'reasoning',
  'prefill',
  'token_ids',
  'logprobs',
])
export type CapabilityFeature = z.infer<typeof CapabilityFeature>

/** At the percentile (50 to 99.9, in ppm) a latency is at most this. */
export const LatencyTerm = z.object({ percentilePpm: Ppm, atMostMs: z.int().min(1).max(3_600_000) })
export type LatencyTerm = z.infer<typeof LatencyTerm>

/**
 * The standard capability unit: what one unit of bought capacity is. Agreement, order, accepted capacity, routing, SLA and
 * settlement all speak it. `inputTokensPerMinute` and `outputTokensPerMinute` are what one unit sustains.
 */
export const CapabilityUnit = z.object({
  id: Slug,
  displayName: z.string().min(1).max(120),
  modelClass: z.string().min(1).max(120),
  modality: Modality,
  inputTokensPerMinute: z.int().min(1).max(1_000_000_000_000),
  outputTokensPerMinute: z.int().min(1).max(1_000_000_000_000),
  ttft: LatencyTerm,
  /** Milliseconds per output token after the first. */
  tpot: LatencyTerm,
  availabilityPpm: Ppm,
  contextTokens: z.int().min(1),
  features: z.array(CapabilityFeature),
  region: Slug,
  /** China's levels of protection, 1 to 5. */
  securityLevel: z.int().min(1).max(5),
})
export type CapabilityUnit = z.infer<typeof CapabilityUnit>
