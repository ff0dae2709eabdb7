import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS, afterFailure } from '#scheduler'
import { endAttempt, isLive, timeoutOf } from './attempt.ts'
import { askOf } from './ask.ts'
import type { Line } from './directory.ts'
import { breakOff, dropFlight, finish } from './finish.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { goOn } from './go-on.ts'
import { noSupplier, supplierBusy, supplierFailed } from './problems.ts'
import { otherGoesOn } from './race.ts'
import { isTooLong } from './refusal.ts'
import { startLine, startNext } from './start-attempt.ts'

/** A supplier that stumbled is left alone for a moment, and not by everybody for the same moment. */
const PAUSE_MS = 100
const PAUSE_SPREAD_MS = 200
const BUSY_PAUSE_MS = 1_000
/** A client is told to come back later rather than kept waiting longer than this. */
const MOST_PAUSE_MS = 5_000

/** Finds who may serve, best first. */
export function choose(flight: Flight, gateway: Gateway): void {
  const { order, candidates } = gateway.scheduler.choose(askOf(flight, gateway, []))
  flight.order = order
  flight.candidates = candidates
}

/** Starts with the best who has room. False when all who may serve are at their limit: then it may wait. */
export function dispatch(flight: Flight, gateway: Gateway): boolean {
  flight.firstTokenBy = Math.min(flight.totalDeadline, performance.now() + flight.service.firstByteTimeoutMs)
  // One that lost its place may be served by whoever it lost it at.
  flight.tried.length = 0
  if (startNext(flight, gateway, { role: undefined, failAttempt })) {
    gateway.retries.noteRequest(flight.service.id)
    return true
  }
  if (isFull(flight)) return false
  giveUp(flight, gateway)
  return true
}

/** Somebody may serve it, but not now. */
export function isFull({ candidates }: Flight): boolean {
  return candidates.some(({ verdict }) => verdict === 'at_capacity')
}

/** An attempt failed: try again, elsewhere, go on with what the client has, or say why not. */
export function failAttempt(flight: Flight, gateway: Gateway, attempt: RunningAttempt, outcome: AttemptOutcome): void {
  if (!isLive(flight, attempt)) return
  endAttempt(flight, gateway, attempt, outcome)
  if (attempt.role === 'retry') gateway.retries.noteWasted(flight.service.id)
  if (otherGoesOn(flight)) return
  if (flight.hasBegun) {
    if (!goOn(flight, gateway, { attempt, outcome }, failAttempt)) breakOff(flight, gateway, outcome)
    return
  }
  if (!mayTryAgain(flight, gateway) || !retry(flight, gateway, attempt, outcome)) giveUp(flight, gateway)
}

function mayTryAgain(flight: Flight, gateway: Gateway): boolean {
  const now = performance.now()
  if (flight.clientHasLeft || now >= flight.totalDeadline || flight.attempts.length >= MAX_ATTEMPTS) return false
  if (flight.request.stream && now >= flight.firstTokenBy) return false
  return gateway.retries.mayRetry(flight.service.id)
}

function retry(
  flight: Flight,
  gateway: Gateway,
  { line, retryAfterMs }: RunningAttempt,
  outcome: AttemptOutcome,
): boolean {
  if (isTooLong(flight.refusal) && outcome === 'status_4xx') {
    const isLarger = (other: Line) =>
      other.contextTokens === undefined || other.contextTokens > (line.contextTokens ?? 0)
    return startNext(flight, gateway, { role: 'retry', failAttempt, excludes: (other) => !isLarger(other) })
  }
  const next = afterFailure(outcome)
  if (next === 'tell_client') return false
  if (startNext(flight, gateway, { role: 'retry', failAttempt })) return true
  if (flight.hasRetriedSame || (next === 'elsewhere' && outcome !== 'status_429')) return false
  return pause(flight, line, Math.max(retryAfterMs ?? 0, outcome === 'status_429' ? BUSY_PAUSE_MS : PAUSE_MS))
}

/** Nobody else is left: the same supplier is asked once more, when it has had a moment or the time that it asked for. */
function pause(flight: Flight, line: Line, leastMs: number): boolean {
  // The moment of arrival, to the microsecond, spreads what failed together.
  const until = performance.now() + leastMs + ((flight.exchange.acceptedAt * 1_000) % PAUSE_SPREAD_MS)
  if (leastMs > MOST_PAUSE_MS || until >= Math.min(flight.firstTokenBy, flight.totalDeadline)) return false
  flight.hasRetriedSame = true
  flight.pausedFor = line
  flight.quietDeadline = until
  return true
}

/** The pause is over. */
export function resume(flight: Flight, gateway: Gateway): void {
  const line = flight.pausedFor
  flight.pausedFor = undefined
  if (!line || flight.clientHasLeft || !startLine(flight, gateway, line, { role: 'retry', failAttempt }))
    giveUp(flight, gateway)
}

/** Nobody answered. The client hears the most useful reason; the request is on record and costs nothing. */
function giveUp(flight: Flight, gateway: Gateway): void {
  gateway.scheduler.lost({ service: flight.service.id, slaClass: flight.tier })
  const last = flight.attempts.at(-1)
  if (!last) {
    const { waitMs } = gateway.scheduler.outlook(askOf(flight, gateway, []))
    const busy = supplierBusy({ retryAfterMs: Math.max(1000, waitMs) })
    dropFlight(flight, gateway, isFull(flight) ? busy : noSupplier({ retryAfterMs: 5000 }))
    return
  }
  finish(flight, gateway, 'failed', reasonOf(flight, last.outcome))
}

function reasonOf(flight: Flight, outcome: AttemptOutcome) {
  const { attempts, retryAfterMs } = flight
  if (outcome === 'status_429') return supplierBusy({ retryAfterMs: retryAfterMs ?? 1000 })
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  return timeoutOf(flight, outcome) ?? supplierFailed({ attempts: attempts.length, ...wait })
}
