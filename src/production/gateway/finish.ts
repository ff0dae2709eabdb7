import type { AttemptOutcome, Ending, UsageRecord } from '#contract'
import { NO_TOKENS, totalTokens } from '#kernel'
import type { Problem } from '#kernel'
import { refuseInStream } from '#protocols/openai-chat'
import { chargeComment, chargeHead, termsHead } from './answer-head.ts'
import { endAttempt, timeoutOf } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, Owed } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { usedOf } from './ask.ts'
import { answerCut, notReady, supplierBusy, timedOut } from './problems.ts'
import { isAboutTheRequest, recordOf } from './record.ts'
import type { Seen } from './record.ts'
import { jsonHead, refuse } from './replies.ts'
import { usageChunkIn } from './seam.ts'
import { endTurn } from './turn.ts'

const DONE = 'data: [DONE]\n\n'
const NOTHING_OWED: readonly Owed[] = []

/** Ends a request that no supplier has seen: everything taken is given back and nothing is recorded. */
export function dropFlight(flight: Flight, gateway: Gateway, problem?: Problem): void {
  if (flight.isEnded) return
  flight.isEnded = true
  gateway.flights.remove(flight)
  flight.ticket.release(0)
  voidHolds(flight)
  endTurn(flight, gateway, NO_TOKENS)
  if (problem) refuse(flight.exchange, flight.id, problem, gateway.settings.allowedOrigins, flight.ticket)
}

export function voidHolds({ hold, parts }: Flight): void {
  hold?.void()
  for (const part of parts) part.hold.void()
}

/**
 * Ends a request that a supplier has seen: whose count is charged is decided, the holds are captured, the record is journalled;
 * the last byte leaves once the record is durable. `problem` is what the client hears when there is no answer.
 */
export function finish(flight: Flight, gateway: Gateway, ending: Ending, problem?: Problem, seen?: Seen): void {
  if (flight.isEnded || !flight.hold || !flight.lastLine) return
  const record = recordOf(flight, gateway, ending, problem, seen ?? flight.observer?.seen)
  flight.isEnded = true
  gateway.flights.remove(flight)
  flight.ticket.release(totalTokens(record.tokens))
  endTurn(flight, gateway, record.tokens)
  gateway.holds.record(record, (error) => sendLast(flight, gateway, record, problem, error))
  flight.hold.capture(BigInt(record.sellPico))
  flight.parts.forEach((part, i) => part.hold.capture(BigInt(record.draws?.[i]?.amount ?? '0')))
  gateway.scheduler.settled(flight.lastLine.run, usedOf(record.attempts.at(-1)?.tokens ?? record.tokens))
  for (const { attempt, run } of flight.owed ?? NOTHING_OWED)
    if (attempt.tokens && attempt.buyPico !== undefined) gateway.scheduler.settled(run, usedOf(attempt.tokens))
  gateway.observe(record)
}

/** A stream broke after the client received part of it: it ends with a typed error and without `[DONE]`, and is not charged. */
export function breakOff(flight: Flight, gateway: Gateway, outcome: AttemptOutcome): void {
  // A client that had already left pays for what it was sent; its answer was not cut by the supplier.
  finish(
    flight,
    gateway,
    flight.clientHasLeft ? 'client_closed' : 'failed',
    timeoutOf(flight, outcome) ?? answerCut({ outcome }),
  )
}

/** The client hung up while it waited: nobody is left to serve. One that had lost its place at a supplier is on record. */
function giveUpWaiting(flight: Flight, gateway: Gateway): void {
  if (flight.lastLine) finish(flight, gateway, 'failed', supplierBusy({ retryAfterMs: 1000 }))
  else dropFlight(flight, gateway)
}

/** The client hung up. The supplier is listened to a little longer, to learn what was generated; the sweep ends it. */
export function clientLeft(flight: Flight, gateway: Gateway): void {
  if (flight.isEnded) return
  flight.clientHasLeft = true
  if (flight.turn?.state === 'waiting') return giveUpWaiting(flight, gateway)
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
  endAll(flight, gateway, 'cut')
  if (flight.hasBegun) {
    breakOff(flight, gateway, 'cut')
    return
  }
  if (flight.lastLine) finish(flight, gateway, 'failed', notReady({ retryAfterMs: 1000 }))
  else dropFlight(flight, gateway, notReady({ retryAfterMs: 1000 }))
}

/** Time is up for this request, by silence, in total, or after its client left. */
export function timeIsUp(flight: Flight, gateway: Gateway, failAttempt: FailAttempt): void {
  const { running, rival } = flight
  if (flight.clientHasLeft) {
    endAll(flight, gateway, 'client_closed')
    if (flight.lastLine) finish(flight, gateway, 'client_closed')
    else dropFlight(flight, gateway)
    return
  }
  running?.call?.abort()
  const isOver = performance.now() >= flight.totalDeadline
  if (isOver) {
    rival?.call?.abort()
    endAttempt(flight, gateway, rival, 'total_timeout')
  }
  if (!running) {
    const problem = timedOut({ afterMs: Math.round(elapsedMs(flight)) })
    if (flight.lastLine) finish(flight, gateway, 'failed', problem)
    else dropFlight(flight, gateway, problem)
  } else if (isWholeThough(flight)) {
    endAttempt(flight, gateway, running, 'served')
    finish(flight, gateway, 'completed')
  } else
    failAttempt(
      flight,
      gateway,
      running,
      isOver ? 'total_timeout' : flight.hasBegun ? 'idle_timeout' : 'first_byte_timeout',
    )
}

/** The answer said why it ended, and only the end of its stream never came. */
function isWholeThough({ hasBegun, observer, request }: Flight): boolean {
  return hasBegun && (observer?.seen.finished ?? 0) >= request.choices
}

function endAll(flight: Flight, gateway: Gateway, outcome: AttemptOutcome): void {
  flight.paused = undefined
  for (const attempt of [flight.rival, flight.running]) {
    attempt?.call?.abort()
    endAttempt(flight, gateway, attempt, outcome)
  }
}

/** The end of the answer: only a durable record lets a good one leave. */
function sendLast(
  flight: Flight,
  gateway: Gateway,
  record: UsageRecord,
  problem: Problem | undefined,
  error: Error | null,
): void {
  const { exchange } = flight
  if (exchange.closed || record.ending === 'client_closed') return
  if (error)
    gateway.log.error({ requestId: flight.id, err: error }, 'usage could not be recorded, so the answer is withheld')
  const failure = error ? notReady({ retryAfterMs: 5000 }) : problem
  if (flight.hasBegun)
    exchange.endStream(
      Buffer.from(failure ? refuseInStream(failure) : lastUsage(flight, record) + chargeComment(flight, record) + DONE),
    )
  else if (!failure)
    exchange.respond(
      200,
      jsonHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins) +
        termsHead(flight) +
        chargeHead(flight, record),
      flight.answer[0] ?? '',
    )
  else if (!error && flight.refusal && isAboutTheRequest(flight)) sendRefusal(flight, gateway)
  else refuse(exchange, flight.id, failure, gateway.settings.allowedOrigins, flight.ticket)
}

/** The usage that the client asked for, where suppliers only told that of parts. */
function lastUsage(flight: Flight, { tokens }: UsageRecord): string {
  if (flight.continued === 0 || !flight.request.includeUsage) return ''
  const input = tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead
  return usageChunkIn(flight.envelope ?? {}, { input, output: tokens.output + tokens.reasoning })
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
