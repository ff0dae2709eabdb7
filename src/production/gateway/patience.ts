import { CLASS_POLICIES } from '#admission'
import { MAX_ATTEMPTS } from '#scheduler'
import type { Flight } from './flight.ts'

/** A second copy costs its whole prompt again. */
const MOST_HEDGED_BYTES = 32_768
const HEDGE_SHARE_OF_TARGET = 0.5

/** The promise for this request's class, if there is one. */
function targetOf({ service, tier }: Flight): number | undefined {
  return service.sla.find((target) => target.class === tier)?.ttftMs
}

/**
 * How long an attempt may wait for its first token: one deadline is shared by all attempts, so each leaves time to those who could
 * still be asked. Where a class has a target, what is late by it is worth less than a new attempt. The last to be asked has all
 * that is left.
 */
export function patienceMs(flight: Flight, now: number): number {
  const isStream = flight.request.stream
  const left = Math.max(0, (isStream ? flight.firstTokenBy : flight.totalDeadline) - now)
  const others = Math.min(flight.othersLeft + flight.othersBusy, MAX_ATTEMPTS - flight.tried.length - 1)
  if (others <= 0) return left
  const share = left / (1 + others)
  const target = isStream ? targetOf(flight) : undefined
  return target === undefined ? share : Math.min(share, target)
}

/** When a second copy of the request is due; never where it may not be sent. */
export function hedgeDelayMs(flight: Flight): number {
  const { service, request, tier, othersLeft } = flight
  const target = targetOf(flight)
  if (!service.hedge || !request.stream || CLASS_POLICIES[tier].yields || othersLeft < 1 || target === undefined)
    return Number.POSITIVE_INFINITY
  return request.body.length > MOST_HEDGED_BYTES ? Number.POSITIVE_INFINITY : HEDGE_SHARE_OF_TARGET * target
}
