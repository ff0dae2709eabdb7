import type { Attempt, AttemptOutcome } from '#contract'
import type { Problem } from '#kernel'
import type { ClientFailure } from '#platform/http'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { isOwedApart, owe } from './owed.ts'
import { timedOut } from './problems.ts'

/** What the relays call when an attempt ends without a whole answer. */
export type FailAttempt = (flight: Flight, gateway: Gateway, attempt: RunningAttempt, outcome: AttemptOutcome) => void

/** Whether anything that comes of this attempt still matters. */
export function isLive(flight: Flight, attempt: RunningAttempt): boolean {
  return flight.running === attempt || flight.rival === attempt
}

/** The attempt is over: its capacity is free, its supplier's health is noted, and it is on record. */
export function endAttempt(
  flight: Flight,
  gateway: Gateway,
  attempt: RunningAttempt | undefined,
  outcome: AttemptOutcome,
): void {
  if (!attempt || !isLive(flight, attempt)) return
  if (flight.running === attempt) flight.running = undefined
  else flight.rival = undefined
  flight.lastLine = attempt
  const ended: Attempt = {
    supplier: attempt.line.supplierId,
    model: attempt.line.model,
    outcome,
    status: attempt.status,
    startMs: attempt.startMs,
    endMs: elapsedMs(flight),
  }
  if (attempt.firstTokenMs !== undefined) ended.firstTokenMs = attempt.firstTokenMs
  if (attempt.role !== undefined) ended.role = attempt.role
  flight.attempts.push(ended)
  if (isOwedApart(attempt, outcome)) owe(flight, attempt, ended)
  gateway.limits.leave(attempt.line.supplier.slot)
  gateway.waits.released()
  gateway.scheduler.ended(attempt.run, {
    outcome,
    status: attempt.status,
    retryAfterMs: attempt.retryAfterMs,
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
