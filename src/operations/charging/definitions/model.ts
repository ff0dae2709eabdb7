import type { Means } from '#contract'
import type { PeriodKind } from '#kernel'

type Throughput = Extract<Means, { kind: 'throughput' }>

/** What gateways are told of a reservation beside its amounts. */
export type ReservationTerms = Pick<Throughput, 'services' | 'window' | 'overflow'>

/** The reservation that a definition is a dimension of: `throughput:sub-1.2/input` is one of `throughput:sub-1.2`. */
export function reservationOf(definition: string): string {
  const slash = definition.lastIndexOf('/')
  return slash < 0 ? definition : definition.slice(0, slash)
}

/** What fills a bucket anew with each period: a spend cap, or a dimension of a reservation. */
export interface Definition {
  readonly id: string
  readonly tenant: string
  readonly kind: 'throughput' | 'cap'
  readonly unit: string
  readonly period: PeriodKind
  readonly amount: bigint
  readonly validFromMs: number
  readonly validToMs: number | null
  /** For `throughput`, and only for it. */
  readonly terms?: ReservationTerms
}
