import type { AttemptOutcome } from '#contract'
import type { CallHandler } from '#platform/http'
import { StreamGarbage, observeStream } from '#metering'
import { outcomeOfStatus } from '#scheduler'
import { endAttempt, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { breakOff, finish, openingOf } from './finish.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { collectRefusal } from './refusal.ts'
import { streamHead } from './replies.ts'

/** Deltas beyond the cap that are tolerated before a supplier counts as ignoring it: some send empty or split ones. */
const OVERRUN_SLACK = 64
const END_AFTER_DONE_MS = 1_000

/** Relays one attempt's stream. Nothing reaches the client before the first whole event, so until then any failure is tried elsewhere. */
export function relayStream(
  flight: Flight,
  gateway: Gateway,
  attempt: RunningAttempt,
  failAttempt: FailAttempt,
): CallHandler {
  const observer = observeStream({ keepUsageChunk: flight.request.includeUsage, choices: flight.request.choices })
  let refusal: ReturnType<typeof collectRefusal> | undefined
  const isCurrent = () => flight.running === attempt

  /** Ends the attempt in failure: elsewhere if the client has seen nothing, in-band otherwise. */
  const fail = (outcome: AttemptOutcome) => {
    if (!isCurrent()) return
    if (flight.hasBegun) breakOff(flight, gateway, outcome)
    else failAttempt(flight, gateway, outcome)
  }
  const complete = () => {
    if (!isCurrent()) return
    endAttempt(flight, gateway, 'served')
    finish(flight, gateway, flight.clientHasLeft ? 'client_closed' : 'completed')
  }
  const isWhole = () => observer.seen.finished >= flight.request.choices && !observer.hasPartial
  /** After `[DONE]` the response should end at once. One that does not would hold its connection for ever. */
  const expectEnd = () => {
    attempt.call?.resume()
    queueMicrotask(() => {
      if (!hasEnded) setTimeout(() => hasEnded || attempt.call?.abort(), END_AFTER_DONE_MS).unref()
    })
  }
  let hasEnded = false
  let receivedBytes = 0

  return {
    onHead(status, headers) {
      attempt.status = status
      if (status !== 200) refusal = collectRefusal(status, headers, flight)
      else if (!headers.get('content-type')?.startsWith('text/event-stream')) {
        attempt.call?.abort()
        fail('garbage')
      }
    },
    onData(piece) {
      if (!isCurrent()) return
      if (refusal) return refusal.add(piece)
      let relayed: Buffer | undefined
      try {
        relayed = observer.push(piece)
      } catch (error) {
        if (!(error instanceof StreamGarbage)) throw error
        attempt.call?.abort()
        fail('garbage')
        return
      }
      const { seen } = observer
      // Until the first chunk there is no answer: comments that keep a connection alive neither begin one nor reset the clock.
      if (seen.chunks > 0 && !flight.clientHasLeft)
        flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
      if (relayed && seen.chunks > 0) relay(relayed)
      receivedBytes += piece.length
      if (seen.done) {
        if (flight.hasBegun && isWhole()) {
          complete()
          expectEnd()
          return
        }
        attempt.call?.abort()
        fail(flight.hasBegun ? 'cut' : 'garbage')
      } else if (
        seen.textEvents > flight.outputBound + OVERRUN_SLACK ||
        receivedBytes > gateway.settings.maxAnswerBytes
      ) {
        attempt.call?.abort()
        fail('overrun')
      }
    },
    onEnd() {
      hasEnded = true
      if (!isCurrent()) return
      if (refusal) {
        refusal.end()
        failAttempt(flight, gateway, outcomeOfStatus(attempt.status ?? 0))
      } else if (flight.hasBegun && isWhole()) complete()
      else fail('cut')
    },
    onFailure(failure) {
      hasEnded = true
      if (!isCurrent()) return
      if (failure.kind === 'cut' && flight.hasBegun && observer.seen.usage !== undefined && isWhole()) complete()
      else fail(outcomeOfFailure(failure, flight.hasBegun ? 'cut' : 'reset'))
    },
  }

  function relay(bytes: Buffer): void {
    const { exchange } = flight
    if (!flight.hasBegun) {
      flight.hasBegun = true
      flight.observer = observer
      flight.ttftMs = elapsedMs(flight)
      gateway.holds.open(openingOf(flight))
      if (!exchange.closed)
        exchange.startStream(200, streamHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins))
    }
    if (exchange.closed || exchange.write(bytes)) return
    const { call } = attempt
    call?.pause()
    // A reader that stops reading is not a supplier that stops talking: the total deadline still bounds it.
    flight.quietDeadline = flight.totalDeadline
    exchange.onDrain(() => {
      flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
      call?.resume()
    })
  }
}
