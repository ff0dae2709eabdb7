import type { AttemptOutcome } from '#contract'
import { StreamGarbage, observeStream } from '#metering'
import type { StreamObserver } from '#metering'
import type { CallHandler, ClientFailure, HeaderView } from '#platform/http'
import { outcomeOfStatus } from '#scheduler'
import { termsHead } from './answer-head.ts'
import { endAttempt, isLive, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { finish } from './finish.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { winRace } from './race.ts'
import { openingOf } from './record.ts'
import { collectRefusal } from './refusal.ts'
import type { RefusalCollector } from './refusal.ts'
import { streamHead } from './replies.ts'
import { firstEventOf } from './seam.ts'
import { waitForReader } from './wait-for-reader.ts'

/** Deltas beyond the cap that are tolerated before a supplier counts as ignoring it: some send empty or split ones. */
const OVERRUN_SLACK = 64
const END_AFTER_DONE_MS = 1_000

/** What comes before the first piece of an answer (a role, as a rule) is held back, but no more than this. */
const MOST_HELD_BYTES = 65_536

/** Relays one attempt's stream. Nothing reaches the client before the answer's first piece, so until then any failure is tried elsewhere. */
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
  readonly flight: Flight
  private readonly gateway: Gateway
  readonly attempt: RunningAttempt
  private readonly failAttempt: FailAttempt
  private readonly observer: StreamObserver
  private refusal: RefusalCollector | undefined = undefined
  private held: Buffer | undefined = undefined
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
    const { attempt } = this
    attempt.status = status
    if (status !== 200) this.refusal = collectRefusal(status, headers, this)
    else if (!headers.get('content-type')?.startsWith('text/event-stream')) {
      attempt.call?.abort()
      this.fail('garbage')
    }
  }

  onData(piece: Buffer): void {
    const { flight, attempt } = this
    if (!isLive(flight, attempt)) return
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
    // Until the first piece there is no answer: what keeps a connection alive neither begins one nor resets the clock.
    if (flight.hasBegun && !flight.clientHasLeft)
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
    if (!isLive(flight, attempt)) return
    if (this.refusal) {
      this.refusal.end()
      this.failAttempt(flight, gateway, attempt, outcomeOfStatus(attempt.status ?? 0))
    } else if (flight.hasBegun && this.isWhole) this.complete()
    else this.fail('cut')
  }

  onFailure(failure: ClientFailure): void {
    this.hasEnded = true
    const { flight, attempt } = this
    if (!isLive(flight, attempt)) return
    if (flight.hasBegun && this.hasFinished) this.complete()
    else this.fail(outcomeOfFailure(failure, flight.hasBegun ? 'cut' : 'reset'))
  }

  private get isWhole(): boolean {
    return this.hasFinished && !this.observer.hasPartial
  }

  /** Every choice said why it ended: whatever breaks after that, the client has the whole answer. */
  private get hasFinished(): boolean {
    return this.observer.seen.finished >= this.flight.request.choices
  }

  private fail(outcome: AttemptOutcome): void {
    this.failAttempt(this.flight, this.gateway, this.attempt, outcome)
  }

  private complete(): void {
    const { flight, gateway, attempt } = this
    if (!isLive(flight, attempt)) return
    endAttempt(flight, gateway, attempt, 'served')
    gateway.hedges.earn(flight.service.id)
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
    if (flight.hasBegun) {
      if (!exchange.closed && !exchange.write(bytes)) waitForReader(flight, this.attempt.call)
      return
    }
    const { textEvents, finished, sawOther } = this.observer.seen
    const whole = this.held ? Buffer.concat([this.held, bytes]) : bytes
    if (textEvents > 0 || finished > 0 || sawOther || whole.length > MOST_HELD_BYTES) this.begin(whole)
    // Copied because the bytes belong to the connection's read buffer.
    else this.held = this.held ? whole : Buffer.from(bytes)
  }

  private begin(first: Buffer): void {
    const { flight, gateway, attempt } = this
    const { exchange } = flight
    this.held = undefined
    winRace(flight, gateway, attempt)
    flight.hasBegun = true
    flight.lastLine = attempt
    flight.begunBy = attempt
    flight.observer = this.observer
    flight.ttftMs = elapsedMs(flight)
    flight.hedgeAt = Number.POSITIVE_INFINITY
    if (flight.request.choices === 1) flight.firstEvent = firstEventOf(first)
    attempt.firstTokenMs = flight.ttftMs
    gateway.scheduler.firstToken(attempt.run, flight.ttftMs - attempt.startMs)
    gateway.holds.open(openingOf(flight))
    if (!flight.clientHasLeft) flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
    if (exchange.closed) return
    const head = streamHead(exchange, flight.id, flight.ticket, gateway.settings.allowedOrigins) + termsHead(flight)
    if (!exchange.startStream(200, head, first)) waitForReader(flight, attempt.call)
  }
}
