import type { Attempt, Candidate } from '#contract'
import { encodeForSupplier } from '#protocols/openai-chat'
import type { Work } from '#scheduler'
import type { FailAttempt } from './attempt.ts'
import { askOf } from './ask.ts'
import type { Line } from './directory.ts'
import { elapsedMs } from './flight.ts'
import type { Flight, Resume, RunningAttempt } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { hedgeDelayMs, patienceMs } from './patience.ts'
import { sheetAt } from './pricing.ts'
import { hasRoom, roomAt } from './room.ts'
import { countText } from './recount.ts'
import { relayAnswer } from './relay-answer.ts'
import { relayContinuation } from './relay-continuation.ts'
import { relayStream } from './relay-stream.ts'

/** No line was asked yet. */
export const NOBODY: readonly Line[] = []

/** How an attempt is made. */
export interface How {
  readonly role: Attempt['role']
  readonly failAttempt: FailAttempt
  /** Lines that are out of the question for it. */
  readonly excludes?: (line: Line) => boolean
  /** How a line is to go on with an answer that broke off. */
  readonly resumeBy?: (line: Line) => Resume
}

/** Starts an attempt with the best line that was not asked yet; false if there is none. */
export function startNext(flight: Flight, gateway: Gateway, how: How): boolean {
  const ask = askOf(flight, gateway, flight.tried)
  const { order, candidates } = gateway.scheduler.choose(ask)
  if (flight.tried.length === 0) flight.candidates = candidates
  const { excludes, resumeBy } = how
  let lines = excludes ? order.filter((line) => !excludes(line)) : order
  // One that goes on from where the answer broke says nothing else than what was sent; one that begins anew may.
  if (resumeBy) lines = lines.toSorted((a, b) => Number(goesOn(b, resumeBy)) - Number(goesOn(a, resumeBy)))
  flight.order = lines
  flight.othersLeft = lines.length
  flight.othersBusy = busyAmong(candidates, flight.tried)
  for (const line of lines) {
    flight.othersLeft--
    if (startLine(flight, gateway, line, how, ask)) return true
  }
  return false
}

function busyAmong(candidates: readonly Candidate[], tried: readonly Line[]): number {
  let busy = 0
  for (const { verdict, supplier, model } of candidates) {
    if (verdict !== 'at_capacity') continue
    if (!tried.some((line) => line.supplierId === supplier && line.model === model)) busy++
  }
  return busy
}

function goesOn(line: Line, resumeBy: (line: Line) => Resume): boolean {
  return resumeBy(line).mode === 'prefill'
}

/** Starts an attempt unless the supplier is at its limit. `work` is the ask that chose the line, if one did. */
export function startLine(
  flight: Flight,
  gateway: Gateway,
  line: Line,
  how: How,
  work: Work = askOf(flight, gateway, NOBODY),
): boolean {
  const { supplier } = line
  const buySheet = sheetAt(line.buySheets, flight.acceptedAtMs)
  if (!buySheet) return false
  if (!hasRoom(flight, gateway, line) || !gateway.limits.enter(supplier.slot, roomAt(flight, line))) {
    flight.candidates = flight.candidates.map((candidate) =>
      candidate.supplier === line.supplierId && candidate.model === line.model
        ? { ...candidate, verdict: 'at_capacity' }
        : candidate,
    )
    flight.othersBusy++
    return false
  }
  const now = performance.now()
  const run = gateway.scheduler.began(line, work)
  const attempt: RunningAttempt = {
    line,
    buySheet,
    startMs: elapsedMs(flight),
    run,
    role: how.role,
    resume: how.resumeBy?.(line),
    firstTokenDeadline: now + patienceMs(flight, gateway, run, now),
    generated: '',
    usage: undefined,
    call: undefined,
    status: null,
    firstTokenMs: undefined,
    retryAfterMs: undefined,
  }
  // Of the exact size: an empty list that is pushed to makes room for sixteen.
  flight.tried = flight.tried === NOBODY ? [line] : [...flight.tried, line]
  if (how.role === 'hedge') flight.rival = attempt
  else {
    flight.running = attempt
    flight.lastLine = attempt
    flight.quietDeadline = attempt.firstTokenDeadline
    if (how.role === undefined) flight.hedgeAt = now + hedgeDelayMs(flight, gateway, run)
  }
  attempt.call = supplier.client.send(
    { method: 'POST', target: supplier.target, head: supplier.head, body: bodyOf(flight, attempt) },
    relayOf(flight, attempt)(flight, gateway, attempt, how.failAttempt),
  )
  return true
}

function bodyOf(flight: Flight, { line, resume }: RunningAttempt): Buffer[] {
  const said = resume?.mode === 'prefill' ? resume.sent.trimEnd() : undefined
  return encodeForSupplier(flight.request, {
    model: line.model,
    maxOutputTokens:
      said === undefined ? flight.outputCap : Math.max(1, flight.outputCap - countText(flight.service.tokenizer, said)),
    maxTokensField: line.supplier.maxTokensField,
    isStandardTier: flight.tier === 'standard',
    said,
  })
}

function relayOf({ request }: Flight, { resume }: RunningAttempt) {
  if (resume) return relayContinuation
  return request.stream ? relayStream : relayAnswer
}
