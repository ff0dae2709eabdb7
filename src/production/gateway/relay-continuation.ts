import type { AttemptOutcome } from '#contract'
import { StreamGarbage, readStream } from '#metering'
import type { StreamReader } from '#metering'
import type { CallHandler, ClientFailure, HeaderView } from '#platform/http'
import { outcomeOfStatus } from '#scheduler'
import { endAttempt, isLive, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { finish } from './finish.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { continuing, repeating } from './overlap.ts'
import type { Overlap } from './overlap.ts'
import { collectRefusal } from './refusal.ts'
import type { RefusalCollector } from './refusal.ts'
import { chunkIn } from './seam.ts'
import { waitForReader } from './wait-for-reader.ts'

/** Deltas beyond the cap that are tolerated before a supplier counts as ignoring it. */
const OVERRUN_SLACK = 64

/** Goes on with an answer that broke off elsewhere, in events that look like those that the client has. */
export function relayContinuation(
  flight: Flight,
  gateway: Gateway,
  attempt: RunningAttempt,
  failAttempt: FailAttempt,
): CallHandler {
  return new ContinuationRelay(flight, gateway, attempt, failAttempt)
}

/** A class like its siblings for whole streams and answers. */
class ContinuationRelay implements CallHandler {
  readonly flight: Flight
  readonly attempt: RunningAttempt
  private readonly gateway: Gateway
  private readonly failAttempt: FailAttempt
  private readonly reader: StreamReader = readStream()
  private readonly overlap: Overlap
  private refusal: RefusalCollector | undefined = undefined
  private receivedBytes = 0

  constructor(flight: Flight, gateway: Gateway, attempt: RunningAttempt, failAttempt: FailAttempt) {
    this.flight = flight
    this.gateway = gateway
    this.attempt = attempt
    this.failAttempt = failAttempt
    const { mode, sent } = attempt.resume ?? { mode: 'again', sent: '' }
    this.overlap = mode === 'again' ? repeating(sent) : continuing(sent.slice(sent.trimEnd().length))
  }

  onHead(status: number, headers: HeaderView): void {
    this.attempt.status = status
    if (status !== 200) this.refusal = collectRefusal(status, headers, this)
    else if (!headers.get('content-type')?.startsWith('text/event-stream')) this.stop('garbage')
  }

  onData(piece: Buffer): void {
    const { flight, attempt, gateway, reader } = this
    if (!isLive(flight, attempt)) return
    if (this.refusal) return this.refusal.add(piece)
    this.receivedBytes += piece.length
    const outcome = this.take(piece)
    if (outcome !== undefined) return this.stop(outcome)
    const { seen } = flight.observer ?? {}
    if (reader.done) this.end()
    else if (
      this.receivedBytes > gateway.settings.maxAnswerBytes ||
      (seen?.textEvents ?? 0) > flight.outputBound + OVERRUN_SLACK
    )
      this.stop('overrun')
  }

  onEnd(): void {
    const { flight, gateway, attempt } = this
    if (!isLive(flight, attempt)) return
    if (!this.refusal) return this.end()
    this.refusal.end()
    this.failAttempt(flight, gateway, attempt, outcomeOfStatus(attempt.status ?? 0))
  }

  onFailure(failure: ClientFailure): void {
    const { flight, gateway, attempt } = this
    if (!isLive(flight, attempt)) return
    if (failure.kind === 'cut' && this.isWhole) this.end()
    else this.failAttempt(flight, gateway, attempt, outcomeOfFailure(failure, 'cut'))
  }

  private get isWhole(): boolean {
    return (this.flight.observer?.seen.finished ?? 0) > 0
  }

  /** Passes on what is new of these bytes; what is wrong with them, if anything. */
  private take(piece: Buffer): AttemptOutcome | undefined {
    const { flight, attempt, gateway } = this
    try {
      for (const { choices, usage } of this.reader.push(piece)) {
        if (usage !== undefined) attempt.usage = usage
        const [choice] = choices
        if (!choice) continue
        if (choice.toolCalls.length > 0) return 'diverged'
        if (choice.content !== '') {
          if (attempt.firstTokenMs === undefined) {
            attempt.firstTokenMs = elapsedMs(flight)
            gateway.scheduler.firstToken(attempt.run, attempt.firstTokenMs - attempt.startMs)
          }
          attempt.generated += choice.content
          const fresh = this.overlap.push(choice.content)
          if (fresh === undefined) return 'diverged'
          if (!flight.clientHasLeft) flight.quietDeadline = performance.now() + flight.service.idleTimeoutMs
          if (fresh !== '') this.send(fresh, null)
        }
        if (choice.finishReason !== null) {
          if (!this.overlap.isJoined) return 'diverged'
          this.send('', choice.finishReason)
        }
      }
    } catch (error) {
      if (error instanceof StreamGarbage) return 'garbage'
      throw error
    }
    return undefined
  }

  private send(content: string, finishReason: string | null): void {
    const { flight, attempt } = this
    const { observer, exchange } = flight
    if (!observer) return
    observer.append(content)
    if (finishReason !== null) {
      observer.seen.finished = 1
      observer.seen.finishReason = finishReason
    }
    if (exchange.closed) return
    const isTaken = exchange.write(Buffer.from(chunkIn(flight.envelope ?? {}, content, finishReason)))
    if (!isTaken) waitForReader(flight, attempt.call)
  }

  /** The response is over: well, if the answer said why it ended. */
  private end(): void {
    const { flight, gateway, attempt } = this
    if (!this.isWhole) return this.stop('cut')
    attempt.call?.abort()
    // What was generated anew is the whole answer, and its supplier's report is about all of it.
    if (attempt.resume?.mode === 'again' && flight.observer) flight.observer.seen.usage = attempt.usage
    endAttempt(flight, gateway, attempt, 'served')
    finish(flight, gateway, flight.clientHasLeft ? 'client_closed' : 'completed')
  }

  private stop(outcome: AttemptOutcome): void {
    const { flight, gateway, attempt } = this
    attempt.call?.abort()
    this.failAttempt(flight, gateway, attempt, outcome)
  }
}
