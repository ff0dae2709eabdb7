import type { ActiveCall } from '#platform/http'
import type { Flight } from './flight.ts'

/** A reader that stops reading is not a supplier that stops talking: the total deadline still bounds it. */
export function waitForReader(flight: Flight, call: ActiveCall | undefined): void {
  if (flight.exchange.closed) return
  call?.pause()
  flight.quietDeadline = flight.totalDeadline
  flight.exchange.onDrain(() => {
    flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
    call?.resume()
  })
}
