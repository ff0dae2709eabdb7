import type { AttemptOutcome, Ending, UsageRecord } from '#contract'
import { totalTokens } from '#kernel'
import type { Problem } from '#kernel'
import type { RequestOpening } from '#holds'
import { settle } from '#metering'
import { refuseInStream } from '#protocols/openai-chat'
import { endAttempt, timeoutOf } from './attempt.ts'
import { elapsedMs } from './flight.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { answerCut, notReady } from './problems.ts'
import { recountOf, textOf } from './recount.ts'
import { jsonHead, refuse } from './replies.ts'

const DONE = Buffer.from('data: [DONE]\n\n')

/** What a whole answer said of itself; a stream's observer knows the same. */
interface Seen {
  readonly usage: unknown
  readonly finishReason: string | null
}

/** Ends a request that no supplier has seen: everything taken is given back and nothing is recorded. */
export function dropFlight(flight: Flight, gateway: Gateway, problem?: Problem): void {
  if (flight.isEnded) return
  flight.isEnded = true
  gateway.flights.remove(flight)
  flight.ticket.release(0)
  flight.hold?.void()
  if (problem) refuse(flight.exchange, flight.id, problem, gateway.settings.allowedOrigins, flight.ticket)
}

/**
 * Ends a request that a supplier has seen: whose count is charged is decided, the hold is captured, the record is journalled;
 * the last byte leaves once the record is durable. `problem` is what the client hears when there is no answer.
 */
export function finish(flight: Flight, gateway: Gateway, ending: Ending, problem?: Problem, seen?: Seen): void {
  if (flight.isEnded || !flight.hold || !flight.lastLine) return
  const record = recordOf(flight, gateway, ending, problem, seen ?? flight.observer?.seen)
  flight.isEnded = true
  gateway.flights.remove(flight)
  flight.ticket.release(totalTokens(record.tokens))
  gateway.holds.record(record, (error) => sendLast(flight, gateway, ending, problem, error))
  flight.hold.capture(BigInt(record.sellPico))
  gateway.observe(record)
}

/** A stream broke after the client received part of it: it ends with a typed error and without `[DONE]`, and is not charged. */
export function breakOff(flight: Flight, gateway: Gateway, outcome: AttemptOutcome): void {
  endAttempt(flight, gateway, outcome)
  // A client that had already left pays for what it was sent; its answer was not cut by the supplier.
  finish(
    flight,
    gateway,
    flight.clientHasLeft ? 'client_closed' : 'failed',
    timeoutOf(flight, outcome) ?? answerCut({ outcome }),
  )
}

/** The client hung up. The supplier is listened to a little longer, to learn what was generated; the sweep ends it. */
export function clientLeft(flight: Flight, gateway: Gateway): void {
  if (flight.isEnded) return
  flight.clientHasLeft = true
  const lingerMs = flight.request.stream ? gateway.settings.streamLingerMs : gateway.settings.answerLingerMs
  flight.quietDeadline = Math.min(flight.totalDeadline, performance.now() + lingerMs)
  flight.running?.call?.resume()
}

/**
 * The gateway stops before this request ends: it is ended as our failure, while its client can still be told. One whose client
 * has left by itself is left to its own end.
 */
export function cutShort(flight: Flight, gateway: Gateway): void {
  if (flight.isEnded || flight.clientHasLeft) return
  flight.running?.call?.abort()
  if (flight.hasBegun) {
    breakOff(flight, gateway, 'cut')
    return
  }
  endAttempt(flight, gateway, 'cut')
  if (flight.lastLine) finish(flight, gateway, 'failed', notReady({ retryAfterMs: 1000 }))
  else dropFlight(flight, gateway, notReady({ retryAfterMs: 1000 }))
}

/** Time is up for this request, by silence, in total, or after its client left. */
export function timeIsUp(flight: Flight, gateway: Gateway, failAttempt: (outcome: AttemptOutcome) => void): void {
  flight.running?.call?.abort()
  if (flight.clientHasLeft) {
    endAttempt(flight, gateway, 'client_closed')
    finish(flight, gateway, 'client_closed')
    return
  }
  const outcome =
    performance.now() >= flight.totalDeadline
      ? 'total_timeout'
      : flight.hasBegun
        ? 'idle_timeout'
        : 'first_byte_timeout'
  if (flight.hasBegun) breakOff(flight, gateway, outcome)
  else failAttempt(outcome)
}

/** What the journal keeps of a stream whose answer begins, so that a crash leaves a record of what it cost us. */
export function openingOf(flight: Flight): RequestOpening {
  const served = flight.lastLine
  return {
    id: flight.id,
    slice: flight.hold?.slice ?? null,
    epoch: flight.hold?.epoch ?? 0,
    tenant: flight.caller.tenant,
    key: flight.caller.key,
    service: flight.service.id,
    supplier: served?.line.supplierId ?? '',
    model: served?.line.model ?? '',
    stream: flight.request.stream,
    acceptedAtMs: flight.acceptedAtMs,
    holdPico: flight.holdPico.toString(),
    sellSheet: flight.sellSheet.id,
    buySheet: served?.buySheet.id ?? '',
    candidates: flight.candidates,
    attempts: flight.attempts,
  }
}

function recordOf(
  flight: Flight,
  gateway: Gateway,
  ending: Ending,
  problem: Problem | undefined,
  seen: Seen | undefined,
): UsageRecord {
  const settlement = settle({
    ending,
    // A report that came before the end is an interim one.
    usage:
      ending === 'completed' || (flight.observer?.seen.finished ?? 1) >= flight.request.choices
        ? seen?.usage
        : undefined,
    hasText: () => textOf(flight) !== '',
    sawOutput: seen !== undefined,
    recount: () => recountOf(flight),
    isSampled: gateway.isSampled(),
    inputBound: flight.inputBound,
    outputBound: flight.outputBound,
    sell: flight.sellSheet.prices,
    taxPercent: flight.sellSheet.taxPercent,
    buy: flight.lastLine?.buySheet.prices ?? flight.sellSheet.prices,
  })
  const status = problem
    ? flight.hasBegun
      ? 200
      : ((isAboutTheRequest(flight) ? flight.refusal?.status : undefined) ?? problem.type.status)
    : 200
  return {
    ...openingOf(flight),
    gateway: gateway.gatewayId,
    ending,
    finishReason: seen?.finishReason ?? null,
    status,
    completedAtMs: gateway.nowMs(),
    ttftMs: flight.ttftMs,
    durationMs: elapsedMs(flight),
    reported: settlement.reported,
    counted: settlement.counted,
    tokens: settlement.tokens,
    basis: settlement.basis,
    note: settlement.note,
    sellPico: settlement.sell.toString(),
    taxPico: settlement.tax.toString(),
    buyPico: settlement.buy.toString(),
  }
}

/** The end of the answer: only a durable record lets a good one leave. */
function sendLast(
  flight: Flight,
  gateway: Gateway,
  ending: Ending,
  problem: Problem | undefined,
  error: Error | null,
): void {
  const { exchange } = flight
  if (exchange.closed || ending === 'client_closed') return
  if (error)
    gateway.log.error({ requestId: flight.id, err: error }, 'usage could not be recorded, so the answer is withheld')
  const failure = error ? notReady({ retryAfterMs: 5000 }) : problem
  if (flight.hasBegun) exchange.endStream(failure ? Buffer.from(refuseInStream(failure)) : DONE)
  else if (!failure)
    exchange.respond(
      200,
      jsonHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins),
      flight.answer[0] ?? '',
    )
  else if (!error && flight.refusal && isAboutTheRequest(flight)) sendRefusal(flight, gateway)
  else refuse(exchange, flight.id, failure, gateway.settings.allowedOrigins, flight.ticket)
}

function isAboutTheRequest(flight: Flight): boolean {
  return flight.attempts.at(-1)?.outcome === 'status_4xx'
}

/** A supplier's own words about the request (context too long, content filter) are the client's to read, if they are an error object. */
function sendRefusal(flight: Flight, gateway: Gateway): void {
  const { refusal, exchange } = flight
  if (!refusal) return
  exchange.respond(
    refusal.status,
    jsonHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins),
    errorObject(refusal.body, refusal.status),
  )
}

function errorObject(body: Buffer, status: number): string {
  const fallback = {
    message: `The supplier refused the request with status ${status}.`,
    type: 'invalid_request_error',
    param: null,
    code: 'supplier_refused',
  }
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { error?: unknown }
    if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') {
      const { message, type, param, code } = error as {
        message: string
        type?: unknown
        param?: unknown
        code?: unknown
      }
      return JSON.stringify({
        error: {
          message,
          type: typeof type === 'string' ? type : fallback.type,
          param: param ?? null,
          code: typeof code === 'string' ? code : fallback.code,
        },
      })
    }
  } catch {
    // Not JSON: the supplier's words cannot be shown in the client's protocol, its status can.
  }
  return JSON.stringify({ error: fallback })
}
