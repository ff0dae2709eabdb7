import type { AttemptOutcome } from '#contract'
import type { Problem } from '#kernel'
import type { ClientFailure } from '#platform/http'
import { elapsedMs } from './flight.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { timedOut } from './problems.ts'

/** What the relays call when an attempt ends without an answer and nothing of it has reached the client. */
export type FailAttempt = (flight: Flight, gateway: Gateway, outcome: AttemptOutcome) => void

/** The attempt is over: its capacity is free, its supplier's health is noted, and it is on record. */
export function endAttempt(flight: Flight, gateway: Gateway, outcome: AttemptOutcome): void {
  const attempt = flight.running
  if (!attempt) return
  flight.running = undefined
  flight.attempts.push({
    supplier: attempt.line.supplierId,
    model: attempt.line.model,
    outcome,
    status: attempt.status,
    startMs: attempt.startMs,
    endMs: elapsedMs(flight),
  })
  gateway.limits.leave(attempt.line.supplier.slot)
  gateway.waits.released()
  gateway.scheduler.ended(attempt.run, {
    outcome,
    status: attempt.status,
    retryAfterMs: outcome === 'status_429' ? flight.retryAfterMs : undefined,
    nowMs: gateway.nowMs(),
  })
}

/** How a call that brought no complete answer is understood; `lost` is what a connection that broke off counts as. */
export function outcomeOfFailure({ kind }: ClientFailure, lost: 'cut' | 'reset'): AttemptOutcome {
  switch (kind) {
    case 'at_capacity':
      return 'status_429'
    case 'connect_failed':
    case 'tls_failed':
      return 'connect_failed'
    case 'garbage':
    case 'head_too_large':
      return 'garbage'
    case 'reset':
    case 'cut':
    case 'aborted':
      return lost
  }
}

/** What the client hears when time ran out; undefined for every other outcome. */
export function timeoutOf(flight: Flight, outcome: AttemptOutcome): Problem | undefined {
  if (outcome !== 'first_byte_timeout' && outcome !== 'idle_timeout' && outcome !== 'total_timeout') return undefined
  return timedOut({ afterMs: Math.round(elapsedMs(flight)) })
}
