import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS, afterFailure } from '#scheduler'
import { endAttempt, isLive, timeoutOf } from './attempt.ts'
import { askOf } from './ask.ts'
import type { Line } from './directory.ts'
import { breakOff, dropFlight, finish } from './finish.ts'
import type { Failed, Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { continuationAfter, goOn } from './go-on.ts'
import { noSupplier, supplierBusy, supplierFailed } from './problems.ts'
import { mayAskSameAgain, pause } from './pause.ts'
import { otherGoesOn } from './race.ts'
import { isTooLong } from './refusal.ts'
import { NOBODY, startLine, startNext } from './start-attempt.ts'
import type { How } from './start-attempt.ts'

/** How often it is looked for others while a supplier is slow. */
const LOOK_AGAIN_MS = 250

const FIRST: How = { role: undefined, failAttempt }
const RETRY: How = { role: 'retry', failAttempt }

/** Finds who may serve, best first. */
export function choose(flight: Flight, gateway: Gateway): void {
  const { order, candidates } = gateway.scheduler.choose(askOf(flight, gateway, NOBODY))
  flight.order = order
  flight.candidates = candidates
}

/** Starts with the best who has room. False when all who may serve are at their limit: then it may wait. */
export function dispatch(flight: Flight, gateway: Gateway): boolean {
  flight.firstTokenBy = firstTokenBy(flight, performance.now())
  // One that lost its place may be served by whoever it lost it at.
  flight.tried = NOBODY
  if (startNext(flight, gateway, FIRST)) {
    gateway.retries.noteRequest(flight.service.id)
    return true
  }
  if (isFull(flight)) return false
  giveUp(flight, gateway)
  return true
}

/** From its arrival on; but whoever had to wait for its turn leaves its suppliers half of the time. */
function firstTokenBy({ exchange, service, totalDeadline }: Flight, now: number): number {
  const { firstByteTimeoutMs } = service
  return Math.min(totalDeadline, Math.max(exchange.acceptedAt + firstByteTimeoutMs, now + firstByteTimeoutMs / 2))
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
  if (!otherGoesOn(flight)) recover(flight, gateway, { attempt, outcome })
}

/** The pause is over: whoever has room by now is asked, else the same supplier, if that may help. */
export function resume(flight: Flight, gateway: Gateway): void {
  const { paused } = flight
  flight.paused = undefined
  if (paused) recover(flight, gateway, paused)
}

function recover(flight: Flight, gateway: Gateway, failed: Failed): void {
  if (flight.hasBegun) {
    const allowed = continuationAfter(flight, failed.outcome)
    if (
      allowed !== 'none' &&
      (goOn(flight, gateway, { ...failed, allowed }, failAttempt) || pause(flight, gateway, failed))
    )
      return
    breakOff(flight, gateway, failed.outcome)
  } else if (!mayTryAgain(flight, gateway) || !(retry(flight, gateway, failed) || pause(flight, gateway, failed)))
    giveUp(flight, gateway)
}

function mayTryAgain(flight: Flight, gateway: Gateway): boolean {
  const now = performance.now()
  if (flight.clientHasLeft || now >= flight.totalDeadline || flight.attempts.length >= MAX_ATTEMPTS) return false
  if (flight.request.stream && now >= flight.firstTokenBy) return false
  return gateway.retries.mayRetry(flight.service.id)
}

function retry(flight: Flight, gateway: Gateway, { attempt, outcome }: Failed): boolean {
  const { line } = attempt
  if (isTooLong(flight.refusal) && outcome === 'status_4xx') {
    const isLarger = (other: Line) =>
      other.contextTokens === undefined || other.contextTokens > (line.contextTokens ?? 0)
    return startNext(flight, gateway, { ...RETRY, excludes: (other) => !isLarger(other) })
  }
  if (afterFailure(outcome) === 'tell_client') return false
  if (startNext(flight, gateway, RETRY)) return true
  // Not at once: it has just stumbled, and the pause before this was for it.
  return flight.pauses > 0 && mayAskSameAgain(flight, outcome) && askSameAgain(flight, gateway, line)
}

function askSameAgain(flight: Flight, gateway: Gateway, line: Line): boolean {
  flight.hasRetriedSame = true
  return startLine(flight, gateway, line, RETRY)
}

/** Nobody else may be asked: whoever is slow is waited for, as long as anybody may be. */
export function waitsOn(flight: Flight, gateway: Gateway, now: number): boolean {
  if (flight.hasBegun || flight.clientHasLeft || !flight.running || flight.rival) return false
  const until = flight.request.stream ? flight.firstTokenBy : flight.totalDeadline
  if (now >= until) return false
  const hasOthers = gateway.scheduler.choose(askOf(flight, gateway, flight.tried)).order.length > 0
  if (hasOthers && gateway.retries.mayRetry(flight.service.id)) return false
  flight.quietDeadline = Math.min(until, now + LOOK_AGAIN_MS)
  return true
}

/** Nobody answered. The client hears the most useful reason; the request is on record and costs nothing. */
function giveUp(flight: Flight, gateway: Gateway): void {
  gateway.scheduler.lost({ service: flight.service.id, slaClass: flight.tier })
  const last = flight.attempts.at(-1)
  if (!last) {
    const { waitMs } = gateway.scheduler.outlook(askOf(flight, gateway, NOBODY))
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
