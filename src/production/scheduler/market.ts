import type { CapacityLot, Commitment, NetworkLink, SlaTarget } from '#contract'
import type { Endpoint } from './endpoint.ts'

/** All that is for the scheduler in a snapshot. */
export interface Market<E extends Endpoint> {
  readonly services: readonly ServiceOffer<E>[]
  readonly links: readonly NetworkLink[]
  readonly commitments: readonly Commitment[]
  readonly lots: readonly CapacityLot[]
}

export interface ServiceOffer<E extends Endpoint> {
  readonly id: string
  readonly sla: readonly SlaTarget[]
  /** Where it may be served; undefined: anywhere. */
  readonly regions: readonly string[] | undefined
  /** Sorted by priority. */
  readonly endpoints: readonly E[]
}
