import type { Commitment } from '#contract'
import { isInForce } from './span.ts'

/** Scheduling reference §2.11: the step of the shadow price per hour-equivalent that a contract is behind. */
const ETA = 0.75
/** An hour of a month: contracts of other lengths are steered in the same proportion. */
const HOURS_OF_A_PERIOD = 720
const SHORTEST_HOUR_MS = 5_000
const LONGEST_HOUR_MS = 3_600_000
/** Half a lot away from its share, a supplier's price counts for nothing (or double); three quarters away, the share decides alone. */
const FULL_AT_LOTS = 0.5
const DECIDES_AT_LOTS = 0.75
const MINUTE_MS = 60_000
const MINUTES_KEPT = 128

/** A contract and how far it is. Token counts and prices here are estimates to steer by; what is owed is charging's to say. */
export interface CommitmentState {
  terms: Commitment
  /** Part of the request's own price that the contract takes off (above 0) or puts on (below 0). */
  relief: number
  /** By this scheduler since `terms.countedToMs`. */
  ownTokens: number
  /** All commitments of the same `group`, this one among them. */
  group: readonly CommitmentState[]
  /** How many schedulers count beside this one: each knows only its own tokens and takes the others to have as many. */
  writers: number
  readonly minutes: Float64Array
  readonly minuteAt: Float64Array
}

export function createCommitment(terms: Commitment): CommitmentState {
  const minuteAt = new Float64Array(MINUTES_KEPT).fill(-1)
  const state = {
    terms,
    relief: 0,
    ownTokens: 0,
    group: [],
    writers: 1,
    minutes: new Float64Array(MINUTES_KEPT),
    minuteAt,
  }
  return state
}

/** New terms of the same contract: what they have counted meanwhile is not counted twice. */
export function renewCommitment(state: CommitmentState, terms: Commitment): void {
  state.terms = terms
  state.ownTokens = 0
  const counted = terms.countedToMs / MINUTE_MS
  for (let i = 0; i < MINUTES_KEPT; i++) {
    const minute = state.minuteAt[i] as number
    if (minute < 0 || minute + 1 <= counted) continue
    // Of the minute in which the count ended, the rest.
    state.ownTokens += (state.minutes[i] as number) * Math.min(1, minute + 1 - counted)
  }
}

/** `tokens` may be negative: an estimate that is corrected. */
export function countTokens(state: CommitmentState, tokens: number, nowMs: number): void {
  state.ownTokens += tokens
  const minute = Math.floor(nowMs / MINUTE_MS)
  const place = minute % MINUTES_KEPT
  if (state.minuteAt[place] !== minute) {
    state.minuteAt[place] = minute
    state.minutes[place] = 0
  }
  state.minutes[place] = (state.minutes[place] as number) + tokens
}

export function deliveredTokens({ terms, ownTokens, writers }: CommitmentState): number {
  return terms.delivered + writers * ownTokens
}

/** Whether these tokens would pass the contract's cap. */
export function isCapReached(state: CommitmentState, tokens: number, nowMs: number): boolean {
  const { terms } = state.terms
  return terms.kind === 'cap' && isInForce(state.terms, nowMs) && deliveredTokens(state) + tokens > terms.tokens
}

/** What part of a request's price the contract takes off: 1 makes it free, below 0 makes it dearer. */
export function reliefOf(state: CommitmentState, tokens: number, nowMs: number): number {
  if (!isInForce(state.terms, nowMs)) return 0
  const { terms } = state.terms
  switch (terms.kind) {
    case 'take_or_pay':
      return deliveredTokens(state) < terms.tokens ? state.relief : 0
    case 'cap':
      return state.relief
    case 'share':
      return Math.max(-1, Math.min(1, lotsBehind(state) / FULL_AT_LOTS))
    case 'reserved_rate': {
      const minute = Math.floor(nowMs / MINUTE_MS)
      const place = minute % MINUTES_KEPT
      const used = state.minuteAt[place] === minute ? state.writers * (state.minutes[place] as number) : 0
      return Math.max(0, Math.min(1, (terms.tokensPerMinute - used) / Math.max(1, tokens)))
    }
  }
}

/** -1: its share must be fed before all others; 1: it has had more than its share; 0: price decides. */
export function urgencyOf(state: CommitmentState, nowMs: number): -1 | 0 | 1 {
  if (state.terms.terms.kind !== 'share' || !isInForce(state.terms, nowMs)) return 0
  const lots = lotsBehind(state)
  return lots >= DECIDES_AT_LOTS ? -1 : lots <= -DECIDES_AT_LOTS ? 1 : 0
}

/** How many lots a share lacks of its minimum; below 0: how many it is above its maximum. */
function lotsBehind(state: CommitmentState): number {
  const { terms } = state.terms
  if (terms.kind !== 'share') return 0
  let all = 0
  for (const member of state.group) all += deliveredTokens(member)
  const own = deliveredTokens(state)
  const lacking = (terms.minPpm / 1e6) * all - own
  if (lacking > 0) return lacking / terms.lotTokens
  const surplus = own - (terms.maxPpm / 1e6) * all
  return surplus > 0 ? -surplus / terms.lotTokens : 0
}

/**
 * Moves the shadow price of contracts for an amount: λ ← clamp(λ + η · p · hours behind · Δ/hour), with λ as a part of the price p.
 * Take-or-pay: between 0 and all of it; a cap that is used up too fast: between -1 and 0. `target` is linear in time.
 */
export function steer(state: CommitmentState, elapsedMs: number, nowMs: number): void {
  const { terms, fromMs, toMs } = state.terms
  if ((terms.kind !== 'take_or_pay' && terms.kind !== 'cap') || !isInForce(state.terms, nowMs)) return
  const periodMs = toMs - fromMs
  const hourMs = Math.min(LONGEST_HOUR_MS, Math.max(SHORTEST_HOUR_MS, periodMs / HOURS_OF_A_PERIOD))
  const target = (terms.tokens * (nowMs - fromMs)) / periodMs
  const hoursBehind = (target - deliveredTokens(state)) / ((terms.tokens * hourMs) / periodMs)
  const next = state.relief + (ETA * hoursBehind * elapsedMs) / hourMs
  state.relief = terms.kind === 'cap' ? Math.max(-1, Math.min(0, next)) : Math.max(0, Math.min(1, next))
}
