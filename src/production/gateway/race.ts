import { endAttempt } from './attempt.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** The answer of one of two has begun: the other is dropped, and what it cost is ours. */
export function winRace(flight: Flight, gateway: Gateway, winner: RunningAttempt): void {
  if (!flight.rival) return
  const loser = flight.running === winner ? flight.rival : flight.running
  flight.running = winner
  flight.rival = loser
  loser?.call?.abort()
  endAttempt(flight, gateway, loser, 'lost_race')
}

/** One of two failed: the other is heard alone. False if there is none. */
export function otherGoesOn(flight: Flight): boolean {
  if (!flight.running) {
    flight.running = flight.rival
    flight.rival = undefined
    if (flight.running) flight.quietDeadline = flight.running.firstTokenDeadline
  }
  return flight.running !== undefined
}
