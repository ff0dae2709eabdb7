import type { BreakerState, Breakers } from './breaker.ts'
import type { ReliabilityBin } from './calibration.ts'
import { deliveredTokens } from './commitments.ts'
import { floorOf } from './lane.ts'
import type { Limits } from './limit.ts'
import type { Estimates } from './miss.ts'
import type { Place } from './place.ts'
import type { Endpoint } from './endpoint.ts'
import type { Standing } from './arrange.ts'
import type { SharedState } from './shared-table.ts'

/** What a page may show of it, in plain numbers. */
export interface SchedulerView {
  readonly endpoints: readonly EndpointView[]
  readonly lanes: readonly LaneView[]
  readonly commitments: readonly CommitmentView[]
}

interface EndpointView {
  readonly supplier: string
  readonly model: string
  readonly breaker: BreakerState
  readonly isMisconfigured: boolean
  readonly isDraining: boolean
  readonly inFlight: number
  readonly prefillTokens: number
  readonly limit: number
  readonly errorRate: number
  /** Null: nothing measured yet. */
  readonly ttftMs: number | null
  readonly tpotMs: number
  readonly busyUntilMs: number
}

interface LaneView {
  readonly service: string
  readonly slaClass: string
  readonly attainment: number
  readonly valid: number
  readonly target: number
  readonly missPrice: number
  readonly floorPrice: number
  readonly isTrusted: boolean
  readonly brier: number
  readonly climatology: number
  readonly reliability: readonly ReliabilityBin[]
}

interface CommitmentView {
  readonly id: string
  readonly supplier: string
  readonly kind: string
  readonly deliveredTokens: number
  readonly relief: number
}

export interface ViewState {
  readonly shared: SharedState
  readonly breakers: Breakers
  readonly limits: Limits
  readonly estimates: Estimates
}

export function viewOf<E extends Endpoint>(
  places: Iterable<Place<E>>,
  standing: Standing,
  state: ViewState,
  nowMs: number,
): SchedulerView {
  const endpoints = new Map<number, EndpointView>()
  for (const { seats } of places)
    for (const { endpoint, slot, most } of seats)
      endpoints.set(slot, {
        supplier: endpoint.supplierId,
        model: endpoint.model,
        breaker: state.breakers.state(slot),
        isMisconfigured: state.breakers.isMisconfigured(slot, nowMs),
        isDraining: endpoint.isDraining ?? false,
        inFlight: state.shared.inFlight(slot),
        prefillTokens: state.shared.prefillTokens(slot),
        limit: state.limits.of(slot, most),
        errorRate: state.estimates.errors.rate(slot),
        ttftMs: state.estimates.ttft.samples(slot) > 0 ? Math.exp(state.estimates.ttft.lnMs(slot, 0, 0)) : null,
        tpotMs: state.estimates.tpot.ms(slot, state.shared.inFlight(slot)),
        busyUntilMs: state.limits.busyUntilMs(slot),
      })
  return {
    endpoints: [...endpoints.values()],
    lanes: [...standing.lanes.values()].map((lane) => ({
      service: lane.service,
      slaClass: lane.slaClass,
      attainment: lane.debt.attainment,
      valid: lane.debt.valid,
      target: 1 - lane.allowance,
      missPrice: lane.debt.price,
      floorPrice: floorOf(lane),
      isTrusted: lane.calibration.isTrusted,
      brier: lane.calibration.brier,
      climatology: lane.calibration.climatology,
      reliability: lane.calibration.bins(),
    })),
    commitments: [...standing.commitments.values()].map((state) => ({
      id: state.terms.id,
      supplier: state.terms.supplier,
      kind: state.terms.terms.kind,
      deliveredTokens: deliveredTokens(state),
      relief: state.relief,
    })),
  }
}
