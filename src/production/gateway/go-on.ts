import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS } from '#scheduler'
import { observedText } from '#metering'
import { continuationOf } from '#protocols/openai-chat'
import type { FailAttempt } from './attempt.ts'
import type { Line } from './directory.ts'
import type { Flight, Resume, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { owe } from './owed.ts'
import { startLine, startNext } from './start-attempt.ts'

/** More than this is not given to another supplier to go on from, nor held against what it says again. */
const MOST_SENT_BYTES = 65_536

/** After these the answer is over: no other supplier could make it whole. */
const FINAL: ReadonlySet<AttemptOutcome> = new Set(['served', 'client_closed', 'total_timeout', 'overrun', 'diverged'])
/** After these the same supplier may do better at once. */
const PASSING: ReadonlySet<AttemptOutcome> = new Set(['cut', 'reset', 'garbage', 'connect_failed', 'status_5xx'])

/**
 * An answer broke off after the client received part of it: another supplier goes on with it, or generates it again and what the
 * client has is taken away. False: it may not be, or nobody is left.
 */
export function goOn(
  flight: Flight,
  gateway: Gateway,
  { attempt, outcome }: { readonly attempt: RunningAttempt; readonly outcome: AttemptOutcome },
  failAttempt: FailAttempt,
): boolean {
  if (!mayGoOn(flight, outcome)) return false
  const allowed = continuationOf(flight.request)
  const broken = flight.attempts.at(-1)
  if (allowed === 'none' || !flight.observer || !broken) return false
  const sent = observedText(flight.observer.seen)
  const resumeBy = (line: Line): Resume => {
    const isRefused = line === attempt.line && attempt.resume?.mode === 'prefill'
    const goesOn = allowed === 'prefill' && line.features?.has('prefill') === true && sent.trim() !== ''
    return { mode: goesOn && !isRefused ? 'prefill' : 'again', sent }
  }
  const how = { role: 'continuation', failAttempt, resumeBy } as const
  const wasWhole = flight.continued === 0
  flight.firstTokenBy = Math.min(flight.totalDeadline, performance.now() + flight.service.firstByteTimeoutMs)
  // A supplier that cannot go on from a partial answer may still give a whole one.
  const isPrefillRefused = attempt.resume?.mode === 'prefill' && outcome === 'status_4xx'
  const isStarted =
    (isPrefillRefused && startLine(flight, gateway, attempt.line, how)) ||
    startNext(flight, gateway, how) ||
    (PASSING.has(outcome) && !flight.hasRetriedSame && startAgain(flight, gateway, attempt.line, how))
  if (!isStarted) return false
  if (wasWhole) owe(flight, attempt, broken)
  // A report in the middle is about a part.
  flight.observer.seen.usage = undefined
  flight.continued++
  return true
}

function startAgain(flight: Flight, gateway: Gateway, line: Line, how: Parameters<typeof startLine>[3]): boolean {
  flight.hasRetriedSame = true
  return startLine(flight, gateway, line, how)
}

function mayGoOn(flight: Flight, outcome: AttemptOutcome): boolean {
  const { observer } = flight
  if (FINAL.has(outcome) || flight.clientHasLeft || flight.firstEvent === undefined || !observer) return false
  if (flight.attempts.length >= MAX_ATTEMPTS || performance.now() >= flight.totalDeadline) return false
  const { seen } = observer
  return seen.finished === 0 && !seen.sawOther && seen.textEvents > 0 && seen.generated.length <= MOST_SENT_BYTES
}
