import type { Running, Result, Used, Work } from './ask.ts'
import type { Affinity } from './affinity.ts'
import type { Breakers } from './breaker.ts'
import { countTokens } from './commitments.ts'
import type { Endpoint } from './endpoint.ts'
import type { ExpectedOutputs } from './expected-output.ts'
import type { Lane } from './lane.ts'
import type { Limits } from './limit.ts'
import { missProbability } from './miss.ts'
import type { Estimates } from './miss.ts'
import { healthOf } from './model.ts'
import type { PeakLatencies } from './peak-ewma.ts'
import type { Seat } from './place.ts'
import type { RateWindows } from './rate-window.ts'
import type { SharedState } from './shared-table.ts'
import { sizeClassOf } from './size-class.ts'

/** What was learned of an endpoint that has not answered for so long may be over. */
const STALE_AFTER_MS = 30_000
/** A tail is not told from fewer. */
const LEAST_SAMPLES = 20

/** What the scheduler keeps of an attempt under way. */
interface Attempt extends Running {
  readonly seat: Seat<Endpoint>
  readonly work: Work
  readonly lane: Lane | undefined
  readonly prefixHash: number
  readonly isWarm: boolean
  readonly uncachedTokens: number
  readonly tokensAhead: number
  readonly inFlight: number
  /** What was expected of it, before calibration. */
  readonly predicted: number
  readonly isProbe: boolean
  firstTokenMs: number | undefined
  endedMs: number | undefined
  wasServed: boolean
  /** Its miss has been counted already: it was late while it was still waited for. */
  isLate: boolean
  /** Tokens that contracts have been told of. */
  countedTokens: number
  /** Where it stands in the list of those under way. */
  place: number
}

export interface LearnState {
  readonly shared: SharedState
  readonly estimates: Estimates
  readonly peaks: PeakLatencies
  readonly breakers: Breakers
  readonly limits: Limits
  readonly rates: RateWindows
  readonly affinity: Affinity
  readonly outputs: ExpectedOutputs
}

/** What attempts do to the state: the only place where the scheduler learns. */
export interface Attempts {
  began(seat: Seat<Endpoint>, work: Work, lane: Lane | undefined): Running
  firstTokenMs(running: Running, sigmas: number): number | undefined
  firstToken(running: Running, ms: number): void
  ended(running: Running, result: Result): void
  settled(running: Running, used: Used): void
  /** Those that wait longer than was promised are misses now, not when they are over. */
  noticeLate(nowMs: number): void
}

export function createAttempts(state: LearnState): Attempts {
  const { shared, estimates, breakers, limits } = state
  const waiting: Attempt[] = []
  const stopWaiting = (attempt: Attempt): void => {
    if (waiting[attempt.place] !== attempt) return
    const last = waiting.pop() as Attempt
    if (last === attempt) return
    waiting[attempt.place] = last
    last.place = attempt.place
  }
  const tellContracts = (attempt: Attempt, tokens: number, nowMs: number): void => {
    for (const commitment of attempt.seat.commitments) countTokens(commitment, tokens - attempt.countedTokens, nowMs)
    attempt.countedTokens = tokens
  }
  /** Once per attempt: what was predicted of it, and what came. */
  const judge = (attempt: Attempt, isMiss: boolean): void => {
    if (!attempt.isLate) attempt.lane?.calibration.learn(attempt.predicted, isMiss)
  }
  const learnFirstToken = (attempt: Attempt, ms: number, nowMs: number): void => {
    const { slot, endpoint, most } = attempt.seat
    if (state.peaks.silentMs(slot, nowMs) > STALE_AFTER_MS) {
      estimates.ttft.doubt(slot)
      estimates.tpot.doubt(slot)
    }
    estimates.ttft.learn(slot, sizeClassOf(attempt.uncachedTokens), attempt.tokensAhead, ms)
    state.peaks.learn(slot, ms, nowMs)
    if (endpoint.learnLimitBy === 'latency') limits.measured(slot, most, ms / Math.max(1, attempt.tokensAhead))
  }
  const learnPace = (attempt: Attempt, outputTokens: number): number | undefined => {
    const { endedMs, firstTokenMs, beganMs, seat } = attempt
    if (endedMs === undefined || outputTokens < 2) return undefined
    // A whole answer has no first token of its own: it is taken for as late as it was expected.
    const first =
      firstTokenMs ??
      beganMs + Math.exp(estimates.ttft.lnMs(seat.slot, sizeClassOf(attempt.uncachedTokens), attempt.tokensAhead))
    const ms = (endedMs - first) / (outputTokens - 1)
    if (ms > 0) estimates.tpot.learn(seat.slot, attempt.inFlight, ms)
    return ms
  }

  return {
    began(seat, work, lane) {
      const { slot } = seat
      const prefixHash = state.affinity.hash(work.tenant, work.prefixKey)
      const isWarm = state.affinity.warmSlot(prefixHash, work.nowMs) === slot
      const uncachedTokens = Math.ceil(work.inputTokens * (1 - state.affinity.hitRate(slot, isWarm)))
      const load = {
        uncachedTokens,
        tokensAhead: uncachedTokens + shared.prefillTokens(slot),
        inFlight: shared.inFlight(slot),
      }
      const tokens = work.inputTokens + work.expectedOutputTokens
      const attempt: Attempt = {
        beganMs: work.nowMs,
        seat,
        work,
        lane,
        prefixHash,
        isWarm,
        ...load,
        predicted: lane ? missProbability(estimates, slot, load, lane) : 0,
        isProbe: breakers.began(slot, work.nowMs),
        firstTokenMs: undefined,
        endedMs: undefined,
        wasServed: false,
        isLate: false,
        countedTokens: 0,
        place: waiting.length,
      }
      waiting.push(attempt)
      shared.enter(slot, uncachedTokens)
      if (seat.perMinute) state.rates.count(seat.supplierSlot, tokens, work.nowMs)
      if (seat.endpoint.needsLot) state.rates.count(slot, tokens, work.nowMs)
      tellContracts(attempt, tokens, work.nowMs)
      state.affinity.remember(prefixHash, slot, work.nowMs)
      return attempt
    },

    firstTokenMs(running, sigmas) {
      const { seat, uncachedTokens, tokensAhead } = running as Attempt
      const { ttft } = estimates
      if (ttft.samples(seat.slot) < LEAST_SAMPLES) return undefined
      const sizeClass = sizeClassOf(uncachedTokens)
      return Math.exp(ttft.lnMs(seat.slot, sizeClass, tokensAhead) + sigmas * ttft.sigma(seat.slot, sizeClass))
    },

    firstToken(running, ms) {
      const attempt = running as Attempt
      if (attempt.firstTokenMs !== undefined || attempt.endedMs !== undefined) return
      attempt.firstTokenMs = attempt.beganMs + ms
      stopWaiting(attempt)
      shared.prefilled(attempt.seat.slot, attempt.uncachedTokens)
      learnFirstToken(attempt, ms, attempt.firstTokenMs)
    },

    ended(running, { outcome, status, retryAfterMs, nowMs }) {
      const attempt = running as Attempt
      if (attempt.endedMs !== undefined) return
      attempt.endedMs = nowMs
      attempt.wasServed = outcome === 'served'
      const { seat, firstTokenMs } = attempt
      const { slot } = seat
      const health = healthOf(outcome, status, firstTokenMs !== undefined)
      breakers.ended(slot, health, attempt, nowMs)
      if (outcome === 'status_429') limits.rejected(slot, seat.most, retryAfterMs, nowMs)
      else if (outcome === 'served') limits.succeeded(slot, seat.most)
      if (firstTokenMs === undefined) {
        stopWaiting(attempt)
        shared.prefilled(slot, attempt.uncachedTokens)
      }
      shared.leave(slot)
      const isOurs = health === 'failed' || health === 'broke_off' || outcome === 'status_429'
      if (isOurs) estimates.errors.learn(slot, health === 'broke_off' ? 0.5 : 1)
      else if (health === 'well') estimates.errors.learn(slot, 0)
      if (isOurs) judge(attempt, true)
      if (!attempt.wasServed) tellContracts(attempt, 0, nowMs)
    },

    settled(running, { inputTokens, cachedInputTokens, outputTokens }) {
      const attempt = running as Attempt
      const { lane, work, seat, endedMs = attempt.beganMs } = attempt
      tellContracts(attempt, inputTokens + outputTokens, endedMs)
      if (inputTokens > 0) state.affinity.learn(seat.slot, attempt.isWarm, Math.min(1, cachedInputTokens / inputTokens))
      const msPerToken = learnPace(attempt, outputTokens)
      if (attempt.wasServed) state.outputs.learn(work.tenant, work.service, outputTokens)
      if (!lane || !attempt.wasServed) return
      const { ttftMs, tpotMs } = lane.target
      const isSlow = (msPerToken ?? 0) > tpotMs
      const wholeMs = ttftMs + tpotMs * Math.max(0, outputTokens - 1)
      const lateBy = (fromMs: number) =>
        attempt.firstTokenMs === undefined
          ? endedMs - fromMs > wholeMs
          : attempt.firstTokenMs - fromMs > ttftMs || isSlow
      judge(attempt, lateBy(attempt.beganMs))
      // The promise is about the request, which may have waited and been tried elsewhere before.
      lane.debt.count(!lateBy(work.acceptedAtMs))
    },

    noticeLate(nowMs) {
      for (const attempt of waiting) {
        const { lane, seat } = attempt
        if (!lane || attempt.isLate || nowMs - attempt.beganMs <= lane.target.ttftMs) continue
        lane.calibration.learn(attempt.predicted, true)
        attempt.isLate = true
        const sizeClass = sizeClassOf(attempt.uncachedTokens)
        estimates.ttft.learnAtLeast(seat.slot, sizeClass, attempt.tokensAhead, nowMs - attempt.beganMs)
      }
    },
  }
}
