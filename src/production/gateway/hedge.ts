import { MAX_ATTEMPTS } from '#scheduler'
import type { FailAttempt } from './attempt.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { startNext } from './start-attempt.ts'

/** The first token is late: a second copy goes to another supplier, if few are under way. The first of the two to speak is heard. */
export function hedge(flight: Flight, gateway: Gateway, failAttempt: FailAttempt): void {
  flight.hedgeAt = Number.POSITIVE_INFINITY
  const { running, service } = flight
  if (!running || flight.rival || flight.hasBegun || flight.clientHasLeft || running.role !== undefined) return
  if (flight.tried.length >= MAX_ATTEMPTS || flight.othersLeft < 1 || !gateway.hedges.take(service.id)) return
  startNext(flight, gateway, { role: 'hedge', failAttempt })
}
