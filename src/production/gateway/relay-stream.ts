import type { AttemptOutcome } from '#contract'
import { StreamGarbage, observeStream } from '#metering'
import type { StreamObserver } from '#metering'
import type { CallHandler, ClientFailure, HeaderView } from '#platform/http'
import { outcomeOfStatus } from '#scheduler'
import { termsHead } from './answer-head.ts'
import { endAttempt, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { breakOff, finish } from './finish.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { openingOf } from './record.ts'
import { collectRefusal } from './refusal.ts'
import type { RefusalCollector } from './refusal.ts'
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
  return new StreamRelay(flight, gateway, attempt, failAttempt)
}

/** A class, against the house rule, because every open stream has one: a dozen closures took more memory than the stream's own state. */
class StreamRelay implements CallHandler {
  private readonly flight: Flight
  private readonly gateway: Gateway
  private readonly attempt: RunningAttempt
  private readonly failAttempt: FailAttempt
  private readonly observer: StreamObserver
  private refusal: RefusalCollector | undefined = undefined
  private hasEnded = false
  private receivedBytes = 0

  constructor(flight: Flight, gateway: Gateway, attempt: RunningAttempt, failAttempt: FailAttempt) {
    this.flight = flight
    this.gateway = gateway
    this.attempt = attempt
    this.failAttempt = failAttempt
    this.observer = observeStream({ keepUsageChunk: flight.request.includeUsage, choices: flight.request.choices })
  }

  onHead(status: number, headers: HeaderView): void {
    const { attempt, flight } = this
    attempt.status = status
    if (status !== 200) this.refusal = collectRefusal(status, headers, flight)
    else if (!headers.get('content-type')?.startsWith('text/event-stream')) {
      attempt.call?.abort()
      this.fail('garbage')
    }
  }

  onData(piece: Buffer): void {
    const { flight, attempt } = this
    if (flight.running !== attempt) return
    if (this.refusal) return this.refusal.add(piece)
    let relayed: Buffer | undefined
    try {
      relayed = this.observer.push(piece)
    } catch (error) {
      if (!(error instanceof StreamGarbage)) throw error
      attempt.call?.abort()
      this.fail('garbage')
      return
    }
    const { seen } = this.observer
    // Until the first chunk there is no answer: comments that keep a connection alive neither begin one nor reset the clock.
    if (seen.chunks > 0 && !flight.clientHasLeft)
      flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
    if (relayed && seen.chunks > 0) this.relay(relayed)
    this.receivedBytes += piece.length
    if (seen.done) {
      if (flight.hasBegun && this.isWhole) {
        this.complete()
        this.expectEnd()
        return
      }
      attempt.call?.abort()
      this.fail(flight.hasBegun ? 'cut' : 'garbage')
    } else if (
      seen.textEvents > flight.outputBound + OVERRUN_SLACK ||
      this.receivedBytes > this.gateway.settings.maxAnswerBytes
    ) {
      attempt.call?.abort()
      this.fail('overrun')
    }
  }

  onEnd(): void {
    this.hasEnded = true
    const { flight, gateway, attempt } = this
    if (flight.running !== attempt) return
    if (this.refusal) {
      this.refusal.end()
      this.failAttempt(flight, gateway, outcomeOfStatus(attempt.status ?? 0))
    } else if (flight.hasBegun && this.isWhole) this.complete()
    else this.fail('cut')
  }

  onFailure(failure: ClientFailure): void {
    this.hasEnded = true
    const { flight, attempt } = this
    if (flight.running !== attempt) return
    if (failure.kind === 'cut' && flight.hasBegun && this.observer.seen.usage !== undefined && this.isWhole)
      this.complete()
    else this.fail(outcomeOfFailure(failure, flight.hasBegun ? 'cut' : 'reset'))
  }

  private get isWhole(): boolean {
    return this.observer.seen.finished >= this.flight.request.choices && !this.observer.hasPartial
  }

  /** Ends the attempt in failure: elsewhere if the client has seen nothing, in-band otherwise. */
  private fail(outcome: AttemptOutcome): void {
    const { flight, gateway } = this
    if (flight.running !== this.attempt) return
    if (flight.hasBegun) breakOff(flight, gateway, outcome)
    else this.failAttempt(flight, gateway, outcome)
  }

  private complete(): void {
    const { flight, gateway } = this
    if (flight.running !== this.attempt) return
    endAttempt(flight, gateway, 'served')
    finish(flight, gateway, flight.clientHasLeft ? 'client_closed' : 'completed')
  }

  /** After `[DONE]` the response should end at once. One that does not would hold its connection for ever. */
  private expectEnd(): void {
    this.attempt.call?.resume()
    queueMicrotask(() => {
      if (!this.hasEnded) setTimeout(() => this.hasEnded || this.attempt.call?.abort(), END_AFTER_DONE_MS).unref()
    })
  }

  private relay(bytes: Buffer): void {
    const { flight } = this
    const { exchange } = flight
    if (!flight.hasBegun) this.begin(bytes)
    else if (!exchange.closed && !exchange.write(bytes)) this.waitForReader()
  }

  private begin(first: Buffer): void {
    const { flight, gateway } = this
    const { exchange } = flight
    flight.hasBegun = true
    flight.observer = this.observer
    flight.ttftMs = elapsedMs(flight)
    gateway.holds.open(openingOf(flight))
    if (exchange.closed) return
    const head = streamHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins) + termsHead(flight)
    if (!exchange.startStream(200, head, first)) this.waitForReader()
  }

  /** A reader that stops reading is not a supplier that stops talking: the total deadline still bounds it. */
  private waitForReader(): void {
    const { flight } = this
    if (flight.exchange.closed) return
    const { call } = this.attempt
    call?.pause()
    flight.quietDeadline = flight.totalDeadline
    flight.exchange.onDrain(() => {
      flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
      call?.resume()
    })
  }
}
