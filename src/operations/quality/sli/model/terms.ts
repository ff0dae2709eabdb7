import type { SlaTerm } from '#contract'
import type { Leg } from './observation.ts'

export interface SlaTerms {
  readonly measures: readonly SlaTerm[]
  /** Of one service and tier. Null: none was agreed, so every failure is the provider's. */
  readonly requestsPerMinute: number | null
}

export interface SlaScope {
  readonly leg: Leg
  readonly party: string
  readonly service: string
  readonly tier: string
}

/** Terms as they were declared; null is any. */
export interface DeclaredTerms extends SlaTerms {
  readonly leg: Leg
  readonly party: string | null
  readonly service: string | null
  readonly tier: string | null
  readonly validFromMs: number
}

/** The narrowest that fits holds, the party before the service before the tier; of equals the newest. */
export function termsAt(all: readonly DeclaredTerms[], scope: SlaScope, atMs: number): DeclaredTerms | undefined {
  const fits = (wanted: string | null, is: string) => wanted === null || wanted === is
  const narrowness = ({ party, service, tier }: DeclaredTerms) =>
    (party === null ? 0 : 4) + (service === null ? 0 : 2) + (tier === null ? 0 : 1)
  return all
    .filter(
      (each) =>
        each.leg === scope.leg &&
        each.validFromMs <= atMs &&
        fits(each.party, scope.party) &&
        fits(each.service, scope.service) &&
        fits(each.tier, scope.tier),
    )
    .toSorted((a, b) => narrowness(b) - narrowness(a) || b.validFromMs - a.validFromMs)[0]
}

export const limitOf = (terms: SlaTerms | undefined, measure: 'ttft' | 'tpot'): number | null =>
  terms?.measures.find((each) => each.measure === measure)?.limitMs ?? null
