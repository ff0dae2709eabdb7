import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS, afterFailure } from '#scheduler'
import { askOf } from './ask.ts'
import type { Failed, Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** A supplier that stumbled is left alone for a moment, and not by everybody for the same moment. */
const PAUSE_MS = 100
const PAUSE_SPREAD_MS = 200
const BUSY_PAUSE_MS = 1_000
/** A client is told to come back later rather than kept waiting longer than this. */
const MOST_PAUSE_MS = 5_000
const MOST_PAUSES = 5

/** After these the same supplier may do better, once. */
export function mayAskSameAgain({ hasRetriedSame }: Flight, outcome: AttemptOutcome): boolean {
  return !hasRetriedSame && (outcome === 'status_429' || afterFailure(outcome) === 'again_or_elsewhere')
}

/**
 * Nobody could be asked at once: those who are busy may have room in a moment, and a supplier that is alone may recover. False where
 * waiting could not help, or not in time; `resume` is called when it is over.
 */
export function pause(flight: Flight, gateway: Gateway, failed: Failed): boolean {
  const { attempt, outcome } = failed
  const now = performance.now()
  const until = flight.hasBegun || !flight.request.stream ? flight.totalDeadline : flight.firstTokenBy
  if (flight.clientHasLeft || flight.attempts.length >= MAX_ATTEMPTS || flight.pauses >= MOST_PAUSES) return false
  if (afterFailure(outcome) === 'tell_client' || !gateway.retries.mayRetry(flight.service.id)) return false
  const waits = [
    ...(mayAskSameAgain(flight, outcome) ? [sameAgainMs(attempt.retryAfterMs, outcome)] : []),
    ...(flight.othersBusy > 0 ? [gateway.scheduler.outlook(askOf(flight, gateway, flight.tried)).waitMs] : []),
  ]
  const leastMs = Math.max(PAUSE_MS, Math.min(...waits))
  // The moment of arrival, to the microsecond, spreads what failed together.
  const at = now + leastMs + ((flight.exchange.acceptedAt * 1_000) % PAUSE_SPREAD_MS)
  if (leastMs > MOST_PAUSE_MS || at >= until) return false
  flight.pauses++
  flight.paused = failed
  flight.quietDeadline = at
  return true
}

function sameAgainMs(retryAfterMs: number | undefined, outcome: AttemptOutcome): number {
  return Math.max(retryAfterMs ?? 0, outcome === 'status_429' ? BUSY_PAUSE_MS : PAUSE_MS)
}
