import type { Candidate, CapacityLot } from '#contract'
import type { Ask } from './ask.ts'
import type { Endpoint } from './endpoint.ts'

export type Verdict = Candidate['verdict']

/** What of the market the hard filters look at, beside the endpoint. */
export interface FilterTerms {
  /** Where the service may be served; undefined: anywhere. */
  readonly serviceRegions: readonly string[] | undefined
  readonly lotsOf: (endpoint: Endpoint) => readonly CapacityLot[]
}

/** The hard filters C0 that do not depend on how the endpoint fares: what the law, the contracts and the request demand. */
export function verdictOf(endpoint: Endpoint, ask: Ask, terms: FilterTerms): Verdict {
  if (!endpoint.hasCredentials) return 'no_credentials'
  if (!endpoint.costsAt(ask.acceptedAtMs, ask.slaClass, ask.inputTokens)) return 'no_price'
  if (endpoint.isDraining) return 'draining'
  if (!isAllowed(endpoint.region, ask.regions) || !isAllowed(endpoint.region, terms.serviceRegions)) return 'region'
  if (endpoint.needsLot && !terms.lotsOf(endpoint).some((lot) => isInForce(lot, ask.nowMs))) return 'no_lot'
  if (endpoint.contextTokens !== undefined && ask.inputTokens > endpoint.contextTokens) return 'context'
  if (endpoint.features && !ask.needs.every((feature) => endpoint.features?.has(feature))) return 'feature'
  return 'eligible'
}

/** Data that must stay somewhere goes to nobody whose place is not known. */
function isAllowed(region: string | undefined, allowed: readonly string[] | undefined): boolean {
  return allowed === undefined || (region !== undefined && allowed.includes(region))
}

export function isInForce(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  nowMs: number,
): boolean {
  return nowMs >= fromMs && nowMs < toMs
}
