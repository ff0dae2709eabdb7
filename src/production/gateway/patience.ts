import { CLASS_POLICIES } from '#admission'
import { MAX_ATTEMPTS } from '#scheduler'
import type { Running } from '#scheduler'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** Of a target for the first token: below this much no supplier is given up for being slow (scheduling.md §2.8). */
const LEAST_SHARE_OF_TARGET = 0.25
/** Of a target: by then a second copy is due, however slow the supplier usually is (§2.7). */
const HEDGE_SHARE_OF_TARGET = 0.5
/** A second copy costs its whole prompt again. */
const MOST_HEDGED_BYTES = 32_768
/** Standard deviations: one in twenty and one in a hundred is later. */
const P95 = 1.645
const P99 = 2.326

/** The promise for this request's class, if there is one. */
function targetOf({ service, tier }: Flight): number | undefined {
  return service.sla.find((target) => target.class === tier)?.ttftMs
}

/**
 * How long an attempt may wait for its first token: one deadline is shared by all attempts, so each leaves time to those who could
 * still be asked. Where a class has a target, one that is later than this supplier nearly ever is (or than the target, while that is
 * not known) is worth less than a new attempt. The last to be asked has all that is left.
 */
export function patienceMs(
  flight: Flight,
  { scheduler }: Pick<Gateway, 'scheduler'>,
  run: Running,
  now: number,
): number {
  const isStream = flight.request.stream
  const left = Math.max(0, (isStream ? flight.firstTokenBy : flight.totalDeadline) - now)
  const others = Math.min(flight.othersLeft + flight.othersBusy, MAX_ATTEMPTS - flight.tried.length - 1)
  if (others <= 0) return left
  const share = left / (1 + others)
  const target = isStream ? targetOf(flight) : undefined
  if (target === undefined) return share
  return Math.min(share, Math.max(LEAST_SHARE_OF_TARGET * target, scheduler.firstTokenMs(run, P99) ?? target))
}

/** When a second copy of the request is due; never where it may not be sent, or where nothing says what late is. */
export function hedgeDelayMs(flight: Flight, { scheduler }: Pick<Gateway, 'scheduler'>, run: Running): number {
  const { service, request, tier, othersLeft } = flight
  if (!service.hedge || !request.stream || CLASS_POLICIES[tier].yields || othersLeft < 1)
    return Number.POSITIVE_INFINITY
  if (request.body.length > MOST_HEDGED_BYTES) return Number.POSITIVE_INFINITY
  const usual = scheduler.firstTokenMs(run, P95) ?? Number.POSITIVE_INFINITY
  return Math.min(usual, HEDGE_SHARE_OF_TARGET * (targetOf(flight) ?? Number.POSITIVE_INFINITY))
}
