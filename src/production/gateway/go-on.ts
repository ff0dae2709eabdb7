import type { AttemptOutcome } from '#contract'
import { MAX_ATTEMPTS } from '#scheduler'
import { observedText } from '#metering'
import { continuationOf } from '#protocols/openai-chat'
import type { Continuation } from '#protocols/openai-chat'
import type { FailAttempt } from './attempt.ts'
import type { Line } from './directory.ts'
import type { Failed, Flight, Resume } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { owe } from './owed.ts'
import { envelopeOf } from './seam.ts'
import { startLine, startNext } from './start-attempt.ts'

/** More than this is not given to another supplier to go on from, nor held against what it says again. */
const MOST_SENT_BYTES = 65_536

/** After these the answer is over: no other supplier could make it whole. */
const FINAL: ReadonlySet<AttemptOutcome> = new Set(['served', 'client_closed', 'total_timeout', 'overrun', 'diverged'])
/** After these the same supplier may do better at once. */
const PASSING: ReadonlySet<AttemptOutcome> = new Set(['cut', 'reset', 'garbage', 'connect_failed', 'status_5xx'])

/** How an answer that broke off so may be gone on with, if at all. */
export function continuationAfter(flight: Flight, outcome: AttemptOutcome): Continuation {
  const { observer } = flight
  if (FINAL.has(outcome) || flight.clientHasLeft || flight.firstEvent === undefined || !observer) return 'none'
  if (flight.attempts.length >= MAX_ATTEMPTS || performance.now() >= flight.totalDeadline) return 'none'
  const { seen } = observer
  if (seen.finished > 0 || seen.sawOther || seen.textEvents === 0 || seen.generated.length > MOST_SENT_BYTES)
    return 'none'
  flight.envelope ??= envelopeOf(flight.firstEvent)
  return flight.envelope ? continuationOf(flight.request) : 'none'
}

/**
 * An answer broke off after the client received part of it: another supplier goes on with it, or generates it again and what the
 * client has is taken away. False: nobody can be asked now.
 */
export function goOn(
  flight: Flight,
  gateway: Gateway,
  { attempt, outcome, allowed }: Failed & { readonly allowed: Continuation },
  failAttempt: FailAttempt,
): boolean {
  const broken = flight.attempts.at(-1)
  if (!flight.observer || !broken) return false
  const sent = observedText(flight.observer.seen)
  const resumeBy = (line: Line): Resume => {
    const isRefused = line === attempt.line && attempt.resume?.mode === 'prefill'
    const goesOn = allowed === 'prefill' && line.goesOn && sent.trim() !== ''
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
