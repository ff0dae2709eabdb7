import type { Ask } from './ask.ts'
import type { ChooseState } from './first-choice.ts'
import type { Endpoint } from './endpoint.ts'
import { verdictOf } from './filters.ts'
import { missProbability } from './miss.ts'
import type { Place } from './place.ts'
import { sizeClassOf } from './size-class.ts'

/** How it stands for a request of this kind, over all endpoints that may serve it by law and contract. */
export interface Outlook {
  /** How full the emptiest is: in flight over its learned limit. 1 when none may be used now. */
  readonly saturation: number
  /** The least of the calibrated miss probabilities; undefined where the class promises nothing. */
  readonly missProbability: number | undefined
  /** When its first token would come from the fastest that may be used now, in milliseconds; undefined: nobody may. */
  readonly ttftMs: number | undefined
  /** How long until one that said "come back later" may be asked again; 0: nobody has to wait. */
  readonly waitMs: number
}

const NOBODY: Outlook = { saturation: 1, missProbability: undefined, ttftMs: undefined, waitMs: 0 }

export function outlookOf(place: Place<Endpoint> | undefined, ask: Ask, state: ChooseState): Outlook {
  if (!place) return NOBODY
  const { shared, limits, estimates } = state
  const lane = place.lanes[ask.slaClass]
  let saturation = 1
  let least: number | undefined
  let ttftMs: number | undefined
  let freeAtMs = Number.POSITIVE_INFINITY
  for (const seat of place.seats) {
    const costs = seat.endpoint.costsAt(ask.acceptedAtMs, ask.slaClass, ask.inputTokens)
    const verdict = verdictOf(seat, costs, ask, state)
    const { slot } = seat
    if (verdict === 'at_capacity') freeAtMs = Math.min(freeAtMs, limits.busyUntilMs(slot))
    // An open breaker is used when nobody else is left.
    if (verdict !== 'eligible' && verdict !== 'breaker_open') continue
    freeAtMs = Math.min(freeAtMs, ask.nowMs)
    saturation = Math.min(saturation, shared.inFlight(slot) / Math.max(1, limits.of(slot, seat.most)))
    const load = {
      uncachedTokens: ask.inputTokens,
      tokensAhead: ask.inputTokens + shared.prefillTokens(slot),
      inFlight: shared.inFlight(slot),
    }
    const expected = Math.exp(estimates.ttft.lnMs(slot, sizeClassOf(ask.inputTokens), load.tokensAhead))
    ttftMs = ttftMs === undefined ? expected : Math.min(ttftMs, expected)
    if (!lane) continue
    const probability = lane.calibration.correct(missProbability(estimates, slot, load, lane))
    least = least === undefined ? probability : Math.min(least, probability)
  }
  const waitMs = Number.isFinite(freeAtMs) ? Math.max(0, freeAtMs - ask.nowMs) : 0
  return { saturation, missProbability: least, ttftMs, waitMs }
}
