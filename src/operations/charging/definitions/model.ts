import type { Means } from '#contract'
import type { PeriodKind } from '#kernel'

type Throughput = Extract<Means, { kind: 'throughput' }>

/**
 * What gateways are told of a reservation. Definitions with the same `id` are its dimensions, in the order of their ids.
 */
export type Reservation = Pick<Throughput, 'id' | 'services' | 'window' | 'overflow'>

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
  /** For `throughput`. */
  readonly reservation?: Reservation
}
