import type { AttemptOutcome } from '#contract'
import { RANKS, roomUnder } from '#admission'
import { MAX_ATTEMPTS, afterFailure } from '#scheduler'
import { encodeForSupplier } from '#protocols/openai-chat'
import { endAttempt, timeoutOf } from './attempt.ts'
import { askOf } from './ask.ts'
import type { Line } from './directory.ts'
import { dropFlight, finish } from './finish.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { noSupplier, supplierBusy, supplierFailed } from './problems.ts'
import { sheetAt } from './pricing.ts'
import { relayAnswer } from './relay-answer.ts'
import { relayStream } from './relay-stream.ts'

/** Finds who may serve, best first. */
export function choose(flight: Flight, gateway: Gateway): void {
  const { order, candidates } = gateway.scheduler.choose(askOf(flight, gateway, []))
  flight.order = order
  flight.candidates = candidates
  flight.nextInOrder = 0
}

/** Starts with the best who has room. False when all who may serve are at their limit: then it may wait. */
export function dispatch(flight: Flight, gateway: Gateway): boolean {
  choose(flight, gateway)
  if (startNext(flight, gateway)) return true
  if (isFull(flight)) return false
  giveUp(flight, gateway)
  return true
}

/** Somebody may serve it, but not now. */
export function isFull({ candidates }: Flight): boolean {
  return candidates.some(({ verdict }) => verdict === 'at_capacity')
}

function startNext(flight: Flight, gateway: Gateway): boolean {
  while (flight.attempts.length < MAX_ATTEMPTS) {
    const line = flight.order[flight.nextInOrder++]
    if (!line) return false
    if (tryLine(flight, line, gateway)) return true
  }
  return false
}

/** Starts an attempt unless the supplier is at its limit. */
function tryLine(flight: Flight, line: Line, gateway: Gateway): boolean {
  const { supplier } = line
  const buySheet = sheetAt(line.buySheets, flight.acceptedAtMs)
  if (!buySheet) return false
  const rank = RANKS[flight.tier]
  const room = roomUnder(line.ceilings[rank] ?? 1, supplier.maxConcurrency)
  if (gateway.waits.yields(supplier.slot, rank) || !gateway.limits.enter(supplier.slot, room)) {
    flight.candidates = flight.candidates.map((candidate) =>
      candidate.supplier === line.supplierId && candidate.model === line.model
        ? { ...candidate, verdict: 'at_capacity' }
        : candidate,
    )
    return false
  }
  const attempt: RunningAttempt = {
    line,
    buySheet,
    startMs: elapsedMs(flight),
    run: gateway.scheduler.began(line, askOf(flight, gateway, [])),
    call: undefined,
    status: null,
  }
  flight.running = attempt
  flight.lastLine = attempt
  flight.quietDeadline = flight.request.stream
    ? performance.now() + flight.service.firstByteTimeoutMs
    : flight.totalDeadline
  const body = encodeForSupplier(flight.request, {
    model: line.model,
    maxOutputTokens: flight.outputCap,
    maxTokensField: supplier.maxTokensField,
    isStandardTier: flight.tier === 'standard',
  })
  const relay = flight.request.stream ? relayStream : relayAnswer
  attempt.call = supplier.client.send(
    { method: 'POST', target: supplier.target, head: supplier.head, body },
    relay(flight, gateway, attempt, failAttempt),
  )
  return true
}

/** An attempt failed before anything of its answer reached the client: try again, elsewhere, or say why not. */
export function failAttempt(flight: Flight, gateway: Gateway, outcome: AttemptOutcome): void {
  const line = flight.running?.line
  endAttempt(flight, gateway, outcome)
  if (flight.clientHasLeft || performance.now() >= flight.totalDeadline) {
    giveUp(flight, gateway)
    return
  }
  const next = afterFailure(outcome)
  if (next === 'tell_client') {
    giveUp(flight, gateway)
    return
  }
  const isLast = flight.nextInOrder >= flight.order.length
  if (
    next === 'again_or_elsewhere' &&
    isLast &&
    line &&
    !flight.hasRetriedSame &&
    flight.attempts.length < MAX_ATTEMPTS
  ) {
    flight.hasRetriedSame = true
    if (tryLine(flight, line, gateway)) return
  }
  if (!startNext(flight, gateway)) giveUp(flight, gateway)
}

/** Nobody answered. The client hears the most useful reason; the request is on record and costs nothing. */
function giveUp(flight: Flight, gateway: Gateway): void {
  const last = flight.attempts.at(-1)
  if (!last) {
    dropFlight(
      flight,
      gateway,
      isFull(flight) ? supplierBusy({ retryAfterMs: 1000 }) : noSupplier({ retryAfterMs: 5000 }),
    )
    return
  }
  finish(flight, gateway, 'failed', reasonOf(flight, last.outcome))
}

function reasonOf(flight: Flight, outcome: AttemptOutcome) {
  if (outcome === 'status_429') return supplierBusy({ retryAfterMs: flight.retryAfterMs ?? 1000 })
  return timeoutOf(flight, outcome) ?? supplierFailed({ attempts: flight.attempts.length })
}
