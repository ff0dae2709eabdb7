import type { AttemptOutcome, Candidate, CapabilityFeature, Strategy } from '#contract'
import type { Tier } from '#kernel'
import type { Endpoint } from './endpoint.ts'

/** One request as the scheduler sees it. A further attempt asks again with what was tried. */
export interface Ask {
  readonly service: string
  /** The tier that is served and billed. */
  readonly slaClass: Tier
  readonly strategy: Strategy
  readonly tenant: string
  /** An estimate, cached or not. */
  readonly inputTokens: number
  readonly expectedOutputTokens: number
  /** Same for requests that begin with the same text; undefined: unknown. It is salted with the tenant here. */
  readonly prefixKey: string | undefined
  readonly needs: readonly CapabilityFeature[]
  /** Where the tenant's data may go; undefined: anywhere. The service's own regions hold besides. */
  readonly regions: readonly string[] | undefined
  readonly nowMs: number
  /** Prices and contracts are those of this moment. */
  readonly acceptedAtMs: number
  readonly tried: readonly Endpoint[]
}

export interface Choice<E extends Endpoint> {
  /** Whom to try, best first. Empty only if nobody may serve it. */
  readonly order: readonly E[]
  /** Every endpoint of the service with its verdict; shared between requests, so never changed. */
  readonly candidates: readonly Candidate[]
  /** Of the first in order; undefined where nothing was weighed. */
  readonly missProbability: number | undefined
}

/** What an attempt is about to do; an `Ask` says it all. */
export type Work = Pick<
  Ask,
  'service' | 'slaClass' | 'tenant' | 'inputTokens' | 'expectedOutputTokens' | 'prefixKey' | 'nowMs' | 'acceptedAtMs'
>

/** An attempt under way: what `began` gives and the other calls take. Its insides are the scheduler's. */
export interface Running {
  readonly beganMs: number
}

/** How an attempt ended. */
export interface Result {
  readonly outcome: AttemptOutcome
  readonly status: number | null
  readonly retryAfterMs: number | undefined
  readonly nowMs: number
}

/** What an attempt used, known once it is settled. */
export interface Used {
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly outputTokens: number
}
