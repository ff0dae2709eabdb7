import type { CallHandler } from '#platform/http'
import { observeAnswer } from '#metering'
import { outcomeOfStatus } from '#scheduler'
import { endAttempt } from './attempt.ts'
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
  flight.answerBytes = 0
  const isCurrent = () => flight.running === attempt

  return {
    onHead(status, headers) {
      attempt.status = status
      if (status !== 200) refusal = collectRefusal(status, headers, flight)
    },
    onData(piece) {
      if (!isCurrent()) return
      if (refusal) return refusal.add(piece)
      flight.answerBytes += piece.length
      if (flight.answerBytes > gateway.settings.maxAnswerBytes) {
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
      if (failure.kind === 'at_capacity') failAttempt(flight, gateway, 'status_429')
      else if (failure.kind === 'connect_failed' || failure.kind === 'tls_failed')
        failAttempt(flight, gateway, 'connect_failed')
      else if (failure.kind === 'garbage' || failure.kind === 'head_too_large') failAttempt(flight, gateway, 'garbage')
      else failAttempt(flight, gateway, failure.kind === 'cut' ? 'cut' : 'reset')
    },
  }
}
