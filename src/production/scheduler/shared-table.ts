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

/** Shared integers per slot. */
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

/** Shared numbers per slot. */
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
  count(slot: number, name: keyof typeof COUNTS): number
  setCount(slot: number, name: keyof typeof COUNTS, value: number): void
  /** The value after adding. */
  add(slot: number, name: keyof typeof COUNTS, by: number): number
  /** Whether it was `from` and is `to` now. */
  swap(slot: number, name: keyof typeof COUNTS, from: number, to: number): boolean
  real(slot: number, name: keyof typeof REALS): number
  setReal(slot: number, name: keyof typeof REALS, value: number): void
  enter(slot: number, prefillTokens: number): void
  leave(slot: number): void
  /** What was to be read there has been read. */
  prefilled(slot: number, tokens: number): void
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
    count: (slot, name) => Atomics.load(counts, slot * COUNTS_PER_SLOT + COUNTS[name]),
    setCount: (slot, name, value) => void Atomics.store(counts, slot * COUNTS_PER_SLOT + COUNTS[name], value),
    add: (slot, name, by) => Atomics.add(counts, slot * COUNTS_PER_SLOT + COUNTS[name], by) + by,
    swap: (slot, name, from, to) =>
      Atomics.compareExchange(counts, slot * COUNTS_PER_SLOT + COUNTS[name], from, to) === from,
    real: (slot, name) => reals[slot * REALS_PER_SLOT + REALS[name]] as number,
    setReal(slot, name, value) {
      reals[slot * REALS_PER_SLOT + REALS[name]] = value
    },
    enter(slot, prefillTokens) {
      Atomics.add(under, own + slot * OWN_PER_SLOT, 1)
      Atomics.add(under, own + slot * OWN_PER_SLOT + 1, prefillTokens)
    },
    leave: (slot) => void Atomics.sub(under, own + slot * OWN_PER_SLOT, 1),
    prefilled: (slot, tokens) => void Atomics.sub(under, own + slot * OWN_PER_SLOT + 1, tokens),
    inFlight: (slot) => sum(slot * OWN_PER_SLOT),
    prefillTokens: (slot) => sum(slot * OWN_PER_SLOT + 1),
    clearOwn: () => void under.fill(0, own, own + row),
  }
}
