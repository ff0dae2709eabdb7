import type { Health } from './model.ts'
import { COUNTS, REALS } from './shared-table.ts'
import type { SharedState } from './shared-table.ts'

/** Closed: used. Open: not used. Half open: one probe, then three at once. Ramp: a growing part of the traffic. */
export type BreakerState = 'closed' | 'open' | 'half_open' | 'ramp'
const STATES: readonly BreakerState[] = ['closed', 'open', 'half_open', 'ramp']
const [CLOSED, OPEN, HALF_OPEN, RAMP] = [0, 1, 2, 3]

const FAILURES_IN_A_ROW = 5
const WINDOW_HALF_MS = 5_000
const LEAST_IN_WINDOW = 20
const FIRST_OPEN_MS = 5_000
const LONGEST_OPEN_MS = 300_000
const JITTER = 0.2
/** One, then three more that go well, and the ramp begins. */
const FIRST_STAGE = 1
const SECOND_STAGE = 3
const RAMP_MS = 30_000
const RAMP_FROM = 0.1
const ALARMS_TO_CLOSE = 3
const ALARM_MS = 60_000
/** A probe that is older was lost with the thread that made it. */
const LOST_PROBE_MS = 120_000
/** Above this part of the window's attempts, streams that break off count as whole failures. */
const TOO_MANY_BROKEN_OFF = 0.02

/**
 * One breaker per endpoint (scheduling reference §2.6): opens on 5 hard failures in a row or on half of at least 20 attempts in the
 * last 5 to 10 s, for 5 s · 2ᵏ ± 20 % up to 300 s, then lets one through, then three, then 10 % of the traffic growing to all of it
 * in 30 s. Whether it may be passed over is the caller's: the last one that can serve is used even when it is open.
 */
export interface Breakers {
  allows(slot: number, nowMs: number): boolean
  /** An attempt starts; true if it is a probe. */
  began(slot: number, nowMs: number): boolean
  ended(
    slot: number,
    health: Health,
    attempt: { readonly beganMs: number; readonly isProbe: boolean },
    nowMs: number,
  ): void
  /** Opens it for its latency; forgiven like any other opening. */
  trip(slot: number, nowMs: number): void
  state(slot: number): BreakerState
  /** Whether our own credentials or address there were refused so often that it is left alone for a minute. */
  isMisconfigured(slot: number, nowMs: number): boolean
}

export function createBreakers(shared: SharedState, random: () => number): Breakers {
  const open = (slot: number, nowMs: number): void => {
    const openings = shared.count(slot, COUNTS.openings)
    const jitter = 1 + JITTER * (2 * random() - 1)
    shared.setReal(slot, REALS.openUntilMs, nowMs + Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** openings) * jitter)
    shared.setCount(slot, COUNTS.openings, Math.min(openings + 1, 16))
    shared.setReal(slot, REALS.openedAtMs, nowMs)
    shared.setCount(slot, COUNTS.badHalvesInARow, 0)
    clearWindow(slot)
    shared.setCount(slot, COUNTS.breakerState, OPEN)
  }
  const clearWindow = (slot: number): void => {
    for (const name of [COUNTS.goodNow, COUNTS.badNow, COUNTS.goodBefore, COUNTS.badBefore])
      shared.setCount(slot, name, 0)
  }
  /** Two halves of five seconds: what is older than both is forgotten. Counted in half failures. */
  const turnWindow = (slot: number, nowMs: number): void => {
    const half = Math.floor(nowMs / WINDOW_HALF_MS) | 0
    const at = shared.count(slot, COUNTS.windowAt)
    if (at === half || !shared.swap(slot, COUNTS.windowAt, at, half)) return
    const isNext = half - at === 1
    shared.setCount(slot, COUNTS.goodBefore, isNext ? shared.count(slot, COUNTS.goodNow) : 0)
    shared.setCount(slot, COUNTS.badBefore, isNext ? shared.count(slot, COUNTS.badNow) : 0)
    shared.setCount(slot, COUNTS.goodNow, 0)
    shared.setCount(slot, COUNTS.badNow, 0)
  }
  const wentWell = (slot: number, nowMs: number): void => {
    shared.setCount(slot, COUNTS.badHalvesInARow, 0)
    shared.setCount(slot, COUNTS.alarms, 0)
    const state = shared.count(slot, COUNTS.breakerState)
    if (state === HALF_OPEN && shared.add(slot, COUNTS.stageSuccesses, 1) >= FIRST_STAGE + SECOND_STAGE) {
      shared.setReal(slot, REALS.rampFromMs, nowMs)
      shared.setCount(slot, COUNTS.breakerState, RAMP)
    } else if (state === RAMP && nowMs - shared.real(slot, REALS.rampFromMs) >= RAMP_MS) {
      shared.setCount(slot, COUNTS.openings, 0)
      shared.setCount(slot, COUNTS.breakerState, CLOSED)
    }
  }
  const wentBadly = (slot: number, halves: number, nowMs: number): void => {
    const inARow = shared.add(slot, COUNTS.badHalvesInARow, halves)
    const bad = shared.count(slot, COUNTS.badNow) + shared.count(slot, COUNTS.badBefore)
    const all = shared.count(slot, COUNTS.goodNow) + shared.count(slot, COUNTS.goodBefore) + Math.ceil(bad / 2)
    const state = shared.count(slot, COUNTS.breakerState)
    if (state === OPEN) return
    if (state !== CLOSED || inARow >= 2 * FAILURES_IN_A_ROW || (all >= LEAST_IN_WINDOW && bad >= all)) open(slot, nowMs)
  }

  return {
    allows(slot, nowMs) {
      const state = shared.count(slot, COUNTS.breakerState)
      if (state === CLOSED) return true
      if (state === RAMP) {
        const share = RAMP_FROM + ((1 - RAMP_FROM) * (nowMs - shared.real(slot, REALS.rampFromMs))) / RAMP_MS
        return share >= 1 || random() < share
      }
      if (state === OPEN) return nowMs >= shared.real(slot, REALS.openUntilMs)
      const most = shared.count(slot, COUNTS.stageSuccesses) < FIRST_STAGE ? FIRST_STAGE : SECOND_STAGE
      return shared.count(slot, COUNTS.probes) < most || nowMs - shared.real(slot, REALS.probeAtMs) > LOST_PROBE_MS
    },
    began(slot, nowMs) {
      const state = shared.count(slot, COUNTS.breakerState)
      if (
        state === OPEN &&
        nowMs >= shared.real(slot, REALS.openUntilMs) &&
        shared.swap(slot, COUNTS.breakerState, OPEN, HALF_OPEN)
      ) {
        shared.setCount(slot, COUNTS.stageSuccesses, 0)
        shared.setCount(slot, COUNTS.probes, 0)
      } else if (state !== HALF_OPEN) return false
      shared.add(slot, COUNTS.probes, 1)
      shared.setReal(slot, REALS.probeAtMs, nowMs)
      return true
    },
    ended(slot, health, { beganMs, isProbe }, nowMs) {
      if (isProbe && shared.count(slot, COUNTS.probes) > 0) shared.add(slot, COUNTS.probes, -1)
      if (health === 'nothing') return
      if (health === 'misconfigured') {
        if (shared.add(slot, COUNTS.alarms, 1) >= ALARMS_TO_CLOSE)
          shared.setReal(slot, REALS.alarmUntilMs, nowMs + ALARM_MS)
        return
      }
      turnWindow(slot, nowMs)
      // Sent there for want of anybody else, and served: as good as a probe.
      if (
        health === 'well' &&
        beganMs >= shared.real(slot, REALS.openedAtMs) &&
        shared.swap(slot, COUNTS.breakerState, OPEN, HALF_OPEN)
      ) {
        shared.setCount(slot, COUNTS.stageSuccesses, 0)
        shared.setCount(slot, COUNTS.probes, 0)
      }
      if (health === 'well') {
        shared.add(slot, COUNTS.goodNow, 1)
        wentWell(slot, nowMs)
        return
      }
      const attempts = shared.count(slot, COUNTS.goodNow) + shared.count(slot, COUNTS.goodBefore)
      const bad = shared.count(slot, COUNTS.badNow) + shared.count(slot, COUNTS.badBefore)
      const isHalf =
        health === 'broke_off' && bad <= 2 * TOO_MANY_BROKEN_OFF * Math.max(attempts, 1 / TOO_MANY_BROKEN_OFF)
      const halves = isHalf ? 1 : 2
      shared.add(slot, COUNTS.badNow, halves)
      wentBadly(slot, halves, nowMs)
    },
    trip(slot, nowMs) {
      if (shared.count(slot, COUNTS.breakerState) === CLOSED) open(slot, nowMs)
    },
    state: (slot) => STATES[shared.count(slot, COUNTS.breakerState)] ?? 'closed',
    isMisconfigured: (slot, nowMs) => nowMs < shared.real(slot, REALS.alarmUntilMs),
  }
}
