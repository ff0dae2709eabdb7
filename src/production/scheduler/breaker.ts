import type { Health } from './model.ts'
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
    const openings = shared.count(slot, 'openings')
    const jitter = 1 + JITTER * (2 * random() - 1)
    shared.setReal(slot, 'openUntilMs', nowMs + Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** openings) * jitter)
    shared.setCount(slot, 'openings', Math.min(openings + 1, 16))
    shared.setReal(slot, 'openedAtMs', nowMs)
    shared.setCount(slot, 'badHalvesInARow', 0)
    clearWindow(slot)
    shared.setCount(slot, 'breakerState', OPEN)
  }
  const clearWindow = (slot: number): void => {
    for (const name of ['goodNow', 'badNow', 'goodBefore', 'badBefore'] as const) shared.setCount(slot, name, 0)
  }
  /** Two halves of five seconds: what is older than both is forgotten. Counted in half failures. */
  const turnWindow = (slot: number, nowMs: number): void => {
    const half = Math.floor(nowMs / WINDOW_HALF_MS) | 0
    const at = shared.count(slot, 'windowAt')
    if (at === half || !shared.swap(slot, 'windowAt', at, half)) return
    const isNext = half - at === 1
    shared.setCount(slot, 'goodBefore', isNext ? shared.count(slot, 'goodNow') : 0)
    shared.setCount(slot, 'badBefore', isNext ? shared.count(slot, 'badNow') : 0)
    shared.setCount(slot, 'goodNow', 0)
    shared.setCount(slot, 'badNow', 0)
  }
  const wentWell = (slot: number, nowMs: number): void => {
    shared.setCount(slot, 'badHalvesInARow', 0)
    shared.setCount(slot, 'alarms', 0)
    const state = shared.count(slot, 'breakerState')
    if (state === HALF_OPEN && shared.add(slot, 'stageSuccesses', 1) >= FIRST_STAGE + SECOND_STAGE) {
      shared.setReal(slot, 'rampFromMs', nowMs)
      shared.setCount(slot, 'breakerState', RAMP)
    } else if (state === RAMP && nowMs - shared.real(slot, 'rampFromMs') >= RAMP_MS) {
      shared.setCount(slot, 'openings', 0)
      shared.setCount(slot, 'breakerState', CLOSED)
    }
  }
  const wentBadly = (slot: number, halves: number, nowMs: number): void => {
    const inARow = shared.add(slot, 'badHalvesInARow', halves)
    const bad = shared.count(slot, 'badNow') + shared.count(slot, 'badBefore')
    const all = shared.count(slot, 'goodNow') + shared.count(slot, 'goodBefore') + Math.ceil(bad / 2)
    const state = shared.count(slot, 'breakerState')
    if (state === OPEN) return
    if (state !== CLOSED || inARow >= 2 * FAILURES_IN_A_ROW || (all >= LEAST_IN_WINDOW && bad >= all)) open(slot, nowMs)
  }

  return {
    allows(slot, nowMs) {
      const state = shared.count(slot, 'breakerState')
      if (state === CLOSED) return true
      if (state === RAMP) {
        const share = RAMP_FROM + ((1 - RAMP_FROM) * (nowMs - shared.real(slot, 'rampFromMs'))) / RAMP_MS
        return share >= 1 || random() < share
      }
      if (state === OPEN) return nowMs >= shared.real(slot, 'openUntilMs')
      const most = shared.count(slot, 'stageSuccesses') < FIRST_STAGE ? FIRST_STAGE : SECOND_STAGE
      return shared.count(slot, 'probes') < most || nowMs - shared.real(slot, 'probeAtMs') > LOST_PROBE_MS
    },
    began(slot, nowMs) {
      const state = shared.count(slot, 'breakerState')
      if (
        state === OPEN &&
        nowMs >= shared.real(slot, 'openUntilMs') &&
        shared.swap(slot, 'breakerState', OPEN, HALF_OPEN)
      ) {
        shared.setCount(slot, 'stageSuccesses', 0)
        shared.setCount(slot, 'probes', 0)
      } else if (state !== HALF_OPEN) return false
      shared.add(slot, 'probes', 1)
      shared.setReal(slot, 'probeAtMs', nowMs)
      return true
    },
    ended(slot, health, { beganMs, isProbe }, nowMs) {
      if (isProbe && shared.count(slot, 'probes') > 0) shared.add(slot, 'probes', -1)
      if (health === 'nothing') return
      if (health === 'misconfigured') {
        if (shared.add(slot, 'alarms', 1) >= ALARMS_TO_CLOSE) shared.setReal(slot, 'alarmUntilMs', nowMs + ALARM_MS)
        return
      }
      turnWindow(slot, nowMs)
      // Sent there for want of anybody else, and served: as good as a probe.
      if (
        health === 'well' &&
        beganMs >= shared.real(slot, 'openedAtMs') &&
        shared.swap(slot, 'breakerState', OPEN, HALF_OPEN)
      ) {
        shared.setCount(slot, 'stageSuccesses', 0)
        shared.setCount(slot, 'probes', 0)
      }
      if (health === 'well') {
        shared.add(slot, 'goodNow', 1)
        wentWell(slot, nowMs)
        return
      }
      const attempts = shared.count(slot, 'goodNow') + shared.count(slot, 'goodBefore')
      const bad = shared.count(slot, 'badNow') + shared.count(slot, 'badBefore')
      const isHalf =
        health === 'broke_off' && bad <= 2 * TOO_MANY_BROKEN_OFF * Math.max(attempts, 1 / TOO_MANY_BROKEN_OFF)
      const halves = isHalf ? 1 : 2
      shared.add(slot, 'badNow', halves)
      wentBadly(slot, halves, nowMs)
    },
    trip(slot, nowMs) {
      if (shared.count(slot, 'breakerState') === CLOSED) open(slot, nowMs)
    },
    state: (slot) => STATES[shared.count(slot, 'breakerState')] ?? 'closed',
    isMisconfigured: (slot, nowMs) => nowMs < shared.real(slot, 'alarmUntilMs'),
  }
}
