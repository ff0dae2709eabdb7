import type { Breakers } from './breaker.ts'
import type { Endpoint } from './endpoint.ts'
import type { Estimates } from './miss.ts'
import type { Place } from './place.ts'

/** Scheduling reference §2.6. */
const TIMES_ITS_OWN = 5
const TIMES_ITS_PEERS = 2
const LEAST_SAMPLES = 20
/** The normal distribution's 95th percentile. */
const P95 = 1.645

/**
 * Opens the breaker of an endpoint whose 95th percentile of first tokens is above five times its own usual median and above twice
 * what its peers' median is now. When half of a service's endpoints are open already it is the load that is slow, and nobody is cast out for it.
 */
export function tripTheSlow(
  { seats }: Place<Endpoint>,
  { breakers, estimates: { ttft } }: { readonly breakers: Breakers; readonly estimates: Estimates },
  nowMs: number,
): void {
  const open = seats.filter(({ slot }) => breakers.state(slot) === 'open').length
  if (seats.length < 2 || 2 * open >= seats.length) return
  for (const { slot } of seats) {
    if (ttft.samples(slot) < LEAST_SAMPLES || breakers.state(slot) !== 'closed') continue
    const p95 = ttft.lnMs(slot, 0, 0) + P95 * ttft.sigma(slot, 0)
    const peers = seats
      .filter((other) => other.slot !== slot && ttft.samples(other.slot) >= LEAST_SAMPLES)
      .map((other) => ttft.lnMs(other.slot, 0, 0))
      .toSorted((a, b) => a - b)
    const peer = peers[Math.floor(peers.length / 2)]
    if (peer === undefined) continue
    if (p95 > ttft.baselineLnMs(slot) + Math.log(TIMES_ITS_OWN) && p95 > peer + Math.log(TIMES_ITS_PEERS))
      breakers.trip(slot, nowMs)
  }
}
