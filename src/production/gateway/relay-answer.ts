import { observeAnswer } from '#metering'
import type { CallHandler, ClientFailure, HeaderView } from '#platform/http'
import { outcomeOfStatus } from '#scheduler'
import { endAttempt, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { finish } from './finish.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { collectRefusal } from './refusal.ts'
import type { RefusalCollector } from './refusal.ts'

/** Collects one attempt's whole answer. The client sees nothing before it is complete and read, so every failure may be tried elsewhere. */
export function relayAnswer(
  flight: Flight,
  gateway: Gateway,
  attempt: RunningAttempt,
  failAttempt: FailAttempt,
): CallHandler {
  flight.answer = []
  return new AnswerRelay(flight, gateway, attempt, failAttempt)
}

/** A class, against the house rule, because one is made per request. */
class AnswerRelay implements CallHandler {
  readonly flight: Flight
  private readonly gateway: Gateway
  readonly attempt: RunningAttempt
  private readonly failAttempt: FailAttempt
  private refusal: RefusalCollector | undefined = undefined
  private receivedBytes = 0

  constructor(flight: Flight, gateway: Gateway, attempt: RunningAttempt, failAttempt: FailAttempt) {
    this.flight = flight
    this.gateway = gateway
    this.attempt = attempt
    this.failAttempt = failAttempt
  }

  onHead(status: number, headers: HeaderView): void {
    this.attempt.status = status
    if (status !== 200) this.refusal = collectRefusal(status, headers, this)
  }

  onData(piece: Buffer): void {
    const { flight, gateway, attempt } = this
    if (flight.running !== attempt) return
    if (this.refusal) return this.refusal.add(piece)
    this.receivedBytes += piece.length
    if (this.receivedBytes > gateway.settings.maxAnswerBytes) {
      attempt.call?.abort()
      this.failAttempt(flight, gateway, attempt, 'garbage')
      return
    }
    // Copied because the piece belongs to the connection's read buffer.
    flight.answer.push(Buffer.from(piece))
  }

  onEnd(): void {
    const { flight, gateway, attempt } = this
    if (flight.running !== attempt) return
    if (this.refusal) {
      this.refusal.end()
      this.failAttempt(flight, gateway, attempt, outcomeOfStatus(attempt.status ?? 0))
      return
    }
    const body = flight.answer.length === 1 ? flight.answer[0] : Buffer.concat(flight.answer)
    const seen = body && observeAnswer(body)
    if (!body || !seen) {
      this.failAttempt(flight, gateway, attempt, 'garbage')
      return
    }
    flight.answer = [body]
    endAttempt(flight, gateway, attempt, 'served')
    finish(flight, gateway, flight.clientHasLeft ? 'client_closed' : 'completed', undefined, seen)
  }

  onFailure(failure: ClientFailure): void {
    const { flight, gateway, attempt } = this
    if (flight.running !== attempt) return
    this.failAttempt(flight, gateway, attempt, outcomeOfFailure(failure, failure.kind === 'cut' ? 'cut' : 'reset'))
  }
}
