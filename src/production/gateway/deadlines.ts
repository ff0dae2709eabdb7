import { failAttempt, resume, waitsOn } from './dispatch.ts'
import { timeIsUp } from './finish.ts'
import { hedge } from './hedge.ts'
import { NO_TOKENS, rate } from '#kernel'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { pricesOf } from './pricing.ts'
import { sweepQueue } from './queueing.ts'

const SWEEP_MS = 100
const CHECKPOINT_EVERY_SWEEPS = 5

/**
 * One timer for all requests of a worker: a timer per request would cost more than the request's own bookkeeping. Deadlines are
 * therefore kept to a tenth of a second. Every half second each open stream's progress is journalled.
 */
export function startSweep(gateway: Gateway): () => void {
  let sweeps = 0
  const marked = new WeakMap<Flight, number>()
  const timer = setInterval(() => {
    const now = performance.now()
    gateway.scheduler.tick(gateway.nowMs())
    sweepQueue(gateway, now)
    const checkpoints = ++sweeps % CHECKPOINT_EVERY_SWEEPS === 0
    for (const flight of gateway.flights.snapshot()) {
      try {
        if (flight.hold && (now >= flight.quietDeadline || now >= flight.totalDeadline)) {
          if (flight.paused && now < flight.totalDeadline) resume(flight, gateway)
          else if (!waitsOn(flight, gateway, now)) timeIsUp(flight, gateway, failAttempt)
        } else if (now >= flight.hedgeAt) hedge(flight, gateway, failAttempt)
        else if (checkpoints && flight.hasBegun && flight.observer) checkpoint(flight, gateway, marked)
      } catch (error) {
        // One request's trouble must not end the sweep, and with it everybody's deadlines.
        gateway.log.error({ requestId: flight.id, err: error }, 'request could not be ended in time')
      }
    }
  }, SWEEP_MS)
  return () => clearInterval(timer)
}

/** Deltas stand for tokens here: the record only matters if this process dies, and then it is our cost and never the tenant's. */
function checkpoint(flight: Flight, gateway: Gateway, marked: WeakMap<Flight, number>): void {
  const output = Math.min(flight.observer?.seen.textEvents ?? 0, flight.outputBound)
  if (marked.get(flight) === output || !flight.begunBy) return
  marked.set(flight, output)
  if (flight.turn) gateway.flow.progress(flight.turn, output)
  const tokens = { ...NO_TOKENS, output }
  const moment = { tier: flight.tier, atMs: flight.acceptedAtMs }
  gateway.holds.checkpoint(flight.id, {
    atMs: gateway.nowMs(),
    tokens,
    // By the sheet that the journal knows, whoever goes on with the answer by now.
    buyPico: rate(tokens, pricesOf(flight.begunBy.buySheet, moment, 0)).toString(),
  })
}
