import type { AttemptOutcome } from '#contract'
import { healthOf } from '#scheduler'
import { elapsedMs } from './flight.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

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
  gateway.breakers.ended(attempt.line.breaker, healthOf(outcome))
}
