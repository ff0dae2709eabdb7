import type { Candidate, CapacityLot } from '#contract'
import type { Tier } from '#kernel'
import type { CommitmentState } from './commitments.ts'
import type { Choice } from './ask.ts'
import type { Endpoint } from './endpoint.ts'
import type { Verdict } from './filters.ts'
import type { Lane } from './lane.ts'
import type { ServiceOffer } from './market.ts'

/** An endpoint of a service with everything that a snapshot says once and every request asks again. */
export interface Seat<E extends Endpoint> {
  readonly endpoint: E
  /** Of the supplier's model, and of the supplier: where their state is. */
  readonly slot: number
  readonly supplierSlot: number
  /** Contract limits, this gateway's part of them. */
  readonly most: number
  readonly perMinute: { readonly requests: number; readonly tokens: number } | undefined
  readonly isAllowedHere: boolean
  readonly lots: readonly CapacityLot[]
  /** How many gateway processes share what contracts allow. */
  readonly gateways: number
  readonly commitments: readonly CommitmentState[]
  /** What carrying a byte between the gateway and it costs, in pico-yuan. */
  readonly bytePico: number
  /** Candidates without a score are made once and shared by all records. */
  readonly verdicts: Partial<Record<Verdict, Candidate>>
}

/** A service as requests find it. */
export interface Place<E extends Endpoint> {
  readonly offer: ServiceOffer<E>
  /** Sorted by priority. */
  readonly seats: readonly Seat<E>[]
  readonly lanes: Partial<Record<Tier, Lane>>
  /** No two share a priority: there is never anything to weigh. */
  readonly isRanked: boolean
  /** The answer while everybody may serve and nothing is weighed; made once. */
  whole: Choice<E> | undefined
  /** Every seat's candidate while all may serve. */
  readonly candidates: readonly Candidate[]
  /** Of every seat. */
  readonly slots: Int32Array
}

export function candidateOf<E extends Endpoint>(seat: Seat<E>, verdict: Verdict): Candidate {
  const known = seat.verdicts[verdict]
  if (known) return known
  const made = Object.freeze({ supplier: seat.endpoint.supplierId, model: seat.endpoint.model, verdict })
  seat.verdicts[verdict] = made
  return made
}
