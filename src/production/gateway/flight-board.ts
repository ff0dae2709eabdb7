import type { Flight } from './flight.ts'

/**
 * The requests under way. An array with swap-remove rather than a Set: V8 keeps every outgrown table of a Set linked to the next
 * one, and tables that have reached the old generation then keep whole requests alive until the next full collection (measured:
 * a quarter of all that requests allocate was promoted).
 */
export interface FlightBoard {
  readonly size: number
  add(flight: Flight): void
  remove(flight: Flight): void
  /** The requests under way at this moment; calling back may end them. */
  snapshot(): readonly Flight[]
}

export function createFlightBoard(): FlightBoard {
  const flights: Flight[] = []
  return {
    get size() {
      return flights.length
    },
    add(flight) {
      flight.place = flights.length
      flights.push(flight)
    },
    remove(flight) {
      if (flights[flight.place] !== flight) return
      const last = flights.pop()
      if (last === undefined || last === flight) return
      flights[flight.place] = last
      last.place = flight.place
    },
    snapshot: () => [...flights],
  }
}
