import type { CapabilityFeature } from '#contract'
import type { Tier } from '#kernel'
import type { LearnLimitBy } from './limit.ts'

/** What a token costs us, in pico-yuan. Estimates to weigh by, never booked: that is why they are JS numbers. */
export interface TokenCosts {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
}

/** What a deployment of a service is to the scheduler. Made anew with every snapshot; what was learned stays with its supplier and model. */
export interface Endpoint {
  readonly supplierId: string
  readonly model: string
  /** Lower ones come first whatever they cost: the operator's word. Inside one priority the score decides. */
  readonly priority: number
  readonly hasCredentials: boolean
  /** Undefined while no price sheet of the buying side is valid: what cannot be costed is not used. */
  costsAt(atMs: number, tier: Tier, inputTokens: number): TokenCosts | undefined
  readonly region?: string | undefined
  readonly isDraining?: boolean | undefined
  readonly contextTokens?: number | undefined
  /** Absent: not declared, so nothing is refused for its sake. */
  readonly features?: ReadonlySet<CapabilityFeature> | undefined
  /** Used only while a capacity lot is in force for it. */
  readonly needsLot?: boolean | undefined
  /** Millionths of its counts that are believed: what it costs is weighed as if it were dearer by the rest. Absent: all. */
  readonly trustPpm?: number | undefined
  /** How its concurrency limit is learned; absent: by rejections. */
  readonly learnLimitBy?: LearnLimitBy | undefined
  /** Of the supplier, for all its models and gateways together. */
  readonly maxConcurrency?: number | undefined
  readonly requestsPerMinute?: number | undefined
  readonly tokensPerMinute?: number | undefined
}

/** One model's trouble does not take a supplier's other models away, so state is kept per pair. */
export function keyOf({ supplierId, model }: Pick<Endpoint, 'supplierId' | 'model'>): string {
  return `${supplierId} ${model}`
}
