import type { Columns } from './columns.ts'

/**
 * What the workers of one gateway know together of every endpoint: how much is under way there, its breaker, its learned limit. One
 * block of shared memory, dense by slot. Counts that must not lose an update are changed with `Atomics`; the numbers in `reals` are
 * aligned 64-bit words that are read and written whole on every machine V8 runs on, and losing one of two simultaneous updates of
 * an estimate costs nothing. There is no staleness: a worker sees the others' writes at once.
 */
export interface SchedulerTable {
  readonly buffer: SharedArrayBuffer
  /** Endpoints that have a place of their own; further ones share the last. */
  readonly slots: number
  readonly workers: number
}

/** Shared integers per slot, by their place. */
export const COUNTS = {
  breakerState: 0,
  /** In halves of a failure. */
  badHalvesInARow: 1,
  openings: 2,
  stageSuccesses: 3,
  windowAt: 4,
  goodNow: 5,
  badNow: 6,
  goodBefore: 7,
  badBefore: 8,
  alarms: 9,
  minute: 10,
  requestsNow: 11,
  requestsBefore: 12,
  tokensNow: 13,
  tokensBefore: 14,
  probes: 15,
} as const
const COUNTS_PER_SLOT = 16

/** Shared numbers per slot, by their place. */
export const REALS = {
  openUntilMs: 0,
  rampFromMs: 1,
  alarmUntilMs: 2,
  limit: 3,
  loweredAtMs: 4,
  busyUntilMs: 5,
  longRtt: 6,
  shortRtt: 7,
  openedAtMs: 8,
  probeAtMs: 9,
} as const
const REALS_PER_SLOT = 10

/** In flight, and prefill tokens in flight: per worker, so that a worker that dies takes its own with it. */
const OWN_PER_SLOT = 2

export function createSchedulerTable(slots: number, workers: number): SchedulerTable {
  const bytes = slots * (REALS_PER_SLOT * 8 + COUNTS_PER_SLOT * 4) + workers * slots * OWN_PER_SLOT * 4
  return { buffer: new SharedArrayBuffer(bytes), slots, workers }
}

export interface SharedState {
  readonly slots: number
  /** How many workers write here. */
  readonly workers: number
  count(slot: number, field: number): number
  setCount(slot: number, field: number, value: number): void
  /** The value after adding. */
  add(slot: number, field: number, by: number): number
  /** Whether it was `from` and is `to` now. */
  swap(slot: number, field: number, from: number, to: number): boolean
  real(slot: number, field: number): number
  setReal(slot: number, field: number, value: number): void
  /** Nothing is known against it: closed breaker, no alarm, not told to wait. One look, since every choice asks it of every endpoint. */
  isCalm(slot: number, nowMs: number): boolean
  enter(slot: number, prefillTokens: number): void
  leave(slot: number): void
  /** What was to be read there has been read. */
  prefilled(slot: number, tokens: number): void
  /** Into `inFlight`, and into `tokensAhead` beside the seat's own uncached tokens. */
  readLoads(columns: Columns): void
  inFlight(slot: number): number
  prefillTokens(slot: number): number
  /** Forgets what this worker has under way: a fresh one has nothing. */
  clearOwn(): void
}

export function openSchedulerTable({ buffer, slots, workers }: SchedulerTable, worker: number): SharedState {
  const reals = new Float64Array(buffer, 0, slots * REALS_PER_SLOT)
  const counts = new Int32Array(buffer, slots * REALS_PER_SLOT * 8, slots * COUNTS_PER_SLOT)
  const under = new Int32Array(
    buffer,
    slots * (REALS_PER_SLOT * 8 + COUNTS_PER_SLOT * 4),
    workers * slots * OWN_PER_SLOT,
  )
  const row = slots * OWN_PER_SLOT
  const own = worker * row
  const sum = (at: number): number => {
    let total = 0
    for (let i = at; i < under.length; i += row) total += under[i] as number
    return total
  }
  return {
    slots,
    workers,
    count: (slot, field) => Atomics.load(counts, slot * COUNTS_PER_SLOT + field),
    setCount: (slot, field, value) => void Atomics.store(counts, slot * COUNTS_PER_SLOT + field, value),
    add: (slot, field, by) => Atomics.add(counts, slot * COUNTS_PER_SLOT + field, by) + by,
    swap: (slot, field, from, to) => Atomics.compareExchange(counts, slot * COUNTS_PER_SLOT + field, from, to) === from,
    real: (slot, field) => reals[slot * REALS_PER_SLOT + field] as number,
    setReal(slot, field, value) {
      reals[slot * REALS_PER_SLOT + field] = value
    },
    isCalm(slot, nowMs) {
      const at = slot * REALS_PER_SLOT
      return (
        counts[slot * COUNTS_PER_SLOT + COUNTS.breakerState] === 0 &&
        (reals[at + REALS.alarmUntilMs] as number) <= nowMs &&
        (reals[at + REALS.busyUntilMs] as number) <= nowMs
      )
    },
    enter(slot, prefillTokens) {
      Atomics.add(under, own + slot * OWN_PER_SLOT, 1)
      Atomics.add(under, own + slot * OWN_PER_SLOT + 1, prefillTokens)
    },
    leave: (slot) => void Atomics.sub(under, own + slot * OWN_PER_SLOT, 1),
    prefilled: (slot, tokens) => void Atomics.sub(under, own + slot * OWN_PER_SLOT + 1, tokens),
    readLoads({ picked, count, slots, inFlight, uncachedTokens, tokensAhead }) {
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        let running = 0
        let tokens = 0
        for (let at = (slots[seat] as number) * OWN_PER_SLOT; at < under.length; at += row) {
          running += under[at] as number
          tokens += under[at + 1] as number
        }
        inFlight[seat] = running
        tokensAhead[seat] = (uncachedTokens[seat] as number) + tokens
      }
    },
    inFlight: (slot) => sum(slot * OWN_PER_SLOT),
    prefillTokens: (slot) => sum(slot * OWN_PER_SLOT + 1),
    clearOwn: () => void under.fill(0, own, own + row),
  }
}
