import type { Attempt, AttemptOutcome, Candidate } from '#contract'
import type { RequestId, Tier } from '#kernel'
import type { Slot, Ticket, Turn } from '#admission'
import type { Hold } from '#holds'
import type { StreamObserver } from '#metering'
import type { ActiveCall, Exchange } from '#platform/http'
import type { ChatRequest } from '#protocols/openai-chat'
import type { Running } from '#scheduler'
import type { Caller, Line, OfferedService } from './directory.ts'
import type { FinalUnit } from './final-unit.ts'
import type { HeldPart } from './fund.ts'
import type { Sheet } from './pricing.ts'
import type { Envelope } from './seam.ts'

/** The attempt under way. */
export interface RunningAttempt {
  readonly line: Line
  readonly buySheet: Sheet
  readonly startMs: number
  /** What the scheduler knows it by. */
  readonly run: Running
  /** Why it is made, where it is not the first choice's turn. */
  readonly role: Attempt['role']
  /** How it goes on with an answer that broke off elsewhere; undefined: it is asked for a whole one. */
  readonly resume: Resume | undefined
  /** `performance.now()` at which it is given up if nothing of the answer has come. */
  firstTokenDeadline: number
  call: ActiveCall | undefined
  status: number | null
  firstTokenMs: number | undefined
  /** What it generated and reported, where it goes on with an answer. */
  generated: string
  usage: unknown
  /** What the supplier wants to be left alone for. */
  retryAfterMs: number | undefined
}

/** An attempt that brought no whole answer. */
export interface Failed {
  readonly attempt: RunningAttempt
  readonly outcome: AttemptOutcome
}

/** How an answer that broke off is gone on with. */
export interface Resume {
  /** `prefill`: the supplier goes on from what was sent. `again`: it generates all of it anew, and what was sent is taken away. */
  readonly mode: 'prefill' | 'again'
  /** What the client has. */
  readonly sent: string
}

/** What we owe for an attempt, where the record's own tokens do not say it. */
export interface Owed {
  readonly attempt: Attempt
  readonly run: Running
  readonly buySheet: Sheet
  /** It never began to answer. */
  readonly isFree: boolean
  /** Tokens that it was given beside the request's own. */
  readonly extraInputTokens: number
  readonly outputTokens: number
  /** What the supplier reported, if it did. */
  readonly usage: unknown
}

/**
 * One request on its way: the only mutable state that serving has. It ends exactly once (`isEnded`), and what it holds — ticket,
 * holds, supplier capacity — is given back there.
 */
export interface Flight {
  readonly id: RequestId
  readonly exchange: Exchange
  readonly caller: Caller
  readonly service: OfferedService
  readonly request: ChatRequest
  readonly sellSheet: Sheet
  /** The tier that is served and billed. */
  readonly tier: Tier
  readonly acceptedAtMs: number
  readonly inputBound: number
  /** Cap per choice and for all choices together, which may be less than was asked: see `isShortened`. */
  outputCap: number
  outputBound: number
  /** How much shorter the answer may become to be affordable; undefined: not at all. */
  readonly finalUnit: FinalUnit | undefined
  /** The account could not pay for more than `outputCap`. */
  isShortened: boolean
  readonly ticket: Ticket
  /** The wallet's hold; of nothing where `parts` pay for whatever the request may use. */
  hold: Hold | undefined
  /** What is held beside the wallet. */
  parts: readonly HeldPart[]
  /** Whose wallet it is, if not the tenant's own. */
  payer: string | undefined
  /** Its place among those who want the same suppliers; from when it is paid for. */
  turn: Turn<Flight> | undefined
  /** Suppliers that it is known to wait for. */
  waitsFor: readonly Slot[]
  order: readonly Line[]
  candidates: readonly Candidate[]
  /** Lines that were asked. */
  tried: readonly Line[]
  /** How many others might have been asked when the scheduler chose last, and how many of the rest were only busy. */
  othersLeft: number
  othersBusy: number
  hasRetriedSame: boolean
  /** `performance.now()` by which the answer should have begun, whoever is asked for it. */
  firstTokenBy: number
  /** What failed, while nobody can be asked until `quietDeadline`. */
  paused: Failed | undefined
  pauses: number
  readonly attempts: Attempt[]
  running: RunningAttempt | undefined
  /** A second copy of the request, sent because the first is slow. The first piece of an answer decides between them. */
  rival: RunningAttempt | undefined
  /** `performance.now()` at which the second copy is due. */
  hedgeAt: number
  /** The last line that was tried, for the record of a request that failed everywhere. */
  lastLine: RunningAttempt | undefined
  /** The least that suppliers asked to wait, to be passed on. */
  retryAfterMs: number | undefined
  /** What a supplier said against the request itself, to be passed on. */
  refusal: { readonly status: number; readonly body: Buffer } | undefined
  observer: StreamObserver | undefined
  /** The first event that reached the client, for the shape of what another supplier may have to add; undefined where none may. */
  firstEvent: string | undefined
  /** What is read of it when another supplier goes on. */
  envelope: Envelope | undefined
  /** Whose answer it is that the journal knows to have begun. */
  begunBy: RunningAttempt | undefined
  /** The answer was gone on with elsewhere, this many times. */
  continued: number
  /** Attempts that are owed for something else than the record's tokens; undefined: none. */
  owed: Owed[] | undefined
  /** Pieces of a whole answer. */
  answer: Buffer[]
  /** The status line and headers of the answer have left. */
  hasBegun: boolean
  ttftMs: number | null
  clientHasLeft: boolean
  isEnded: boolean
  /** Where it stands on the flight board. */
  place: number
  /** `performance.now()` times at which the sweep steps in. */
  quietDeadline: number
  readonly totalDeadline: number
}

/** Milliseconds since the request was accepted, to the microsecond. */
export function elapsedMs(flight: Flight): number {
  return Math.round((performance.now() - flight.exchange.acceptedAt) * 1000) / 1000
}
