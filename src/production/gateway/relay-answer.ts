import type { CallHandler } from '#platform/http'
import { observeAnswer } from '#metering'
import { outcomeOfStatus } from '#scheduler'
import { endAttempt, outcomeOfFailure } from './attempt.ts'
import type { FailAttempt } from './attempt.ts'
import { finish } from './finish.ts'
import type { Flight, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { collectRefusal } from './refusal.ts'

/** Collects one attempt's whole answer. The client sees nothing before it is complete and read, so every failure may be tried elsewhere. */
export function relayAnswer(
  flight: Flight,
  gateway: Gateway,
  attempt: RunningAttempt,
  failAttempt: FailAttempt,
): CallHandler {
  let refusal: ReturnType<typeof collectRefusal> | undefined
  flight.answer = []
  let receivedBytes = 0
  const isCurrent = () => flight.running === attempt

  return {
    onHead(status, headers) {
      attempt.status = status
      if (status !== 200) refusal = collectRefusal(status, headers, flight)
    },
    onData(piece) {
      if (!isCurrent()) return
      if (refusal) return refusal.add(piece)
      receivedBytes += piece.length
      if (receivedBytes > gateway.settings.maxAnswerBytes) {
        attempt.call?.abort()
        failAttempt(flight, gateway, 'garbage')
        return
      }
      // Copied because the piece belongs to the connection's read buffer.
      flight.answer.push(Buffer.from(piece))
    },
    onEnd() {
      if (!isCurrent()) return
      if (refusal) {
        refusal.end()
        failAttempt(flight, gateway, outcomeOfStatus(attempt.status ?? 0))
        return
      }
      const body = flight.answer.length === 1 ? flight.answer[0] : Buffer.concat(flight.answer)
      const seen = body && observeAnswer(body)
      if (!body || !seen) {
        failAttempt(flight, gateway, 'garbage')
        return
      }
      flight.answer = [body]
      endAttempt(flight, gateway, 'served')
      finish(flight, gateway, flight.clientHasLeft ? 'client_closed' : 'completed', undefined, seen)
    },
    onFailure(failure) {
      if (!isCurrent()) return
      failAttempt(flight, gateway, outcomeOfFailure(failure, failure.kind === 'cut' ? 'cut' : 'reset'))
    },
  }
}
