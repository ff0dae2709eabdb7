/** Where one key's or tenant's buckets live. Given out by the main thread, the same in every worker. */
export type Slot = number

/** Shared memory behind the limits: pass `buffer` to workers and open it there with the same numbers. */
export interface LimitTable {
  readonly buffer: SharedArrayBuffer
  readonly slots: number
  readonly workers: number
}

const NANOS_PER_MINUTE = 60_000_000_000

/** `slots` bounds the keys and tenants that can carry limits at once (24 bytes each plus 4 per worker). */
export function createLimitTable(slots: number, workers: number): LimitTable {
  return { buffer: new SharedArrayBuffer(slots * 16 + workers * slots * 4), slots, workers }
}

/** What taking from a bucket brought: how much is left, or how long to wait. */
export type Take =
  | { readonly ok: true; readonly remaining: number; readonly resetMs: number }
  | { readonly ok: false; readonly waitMs: number }

/** One worker's view of the table. Times are nanoseconds of a clock that all threads share. */
export interface Limits {
  take(bucket: 'requests' | 'tokens', slot: Slot, perMinute: number, amount: number, nowNs: bigint): Take
  giveBack(bucket: 'requests' | 'tokens', slot: Slot, perMinute: number, amount: number): void
  /** False when `max` requests are already running; counts this one otherwise. */
  enter(slot: Slot, max: number): boolean
  leave(slot: Slot): void
  running(slot: Slot): number
  /** Those of this worker alone. */
  runningHere(slot: Slot): number
  /** Makes a slot clean for somebody else: full buckets, nothing running in any worker. */
  reset(slot: Slot): void
  /** Forgets this worker's running requests: a fresh worker starts with none. */
  clear(): void
}

export function openLimits(table: LimitTable, worker: number): Limits {
  const emptyAt = new BigInt64Array(table.buffer, 0, table.slots * 2)
  const runningOf = new Int32Array(table.buffer, table.slots * 16, table.workers * table.slots)
  const own = worker * table.slots

  const index = (bucket: 'requests' | 'tokens', slot: Slot) => slot * 2 + (bucket === 'requests' ? 0 : 1)
  const running = (slot: Slot) => {
    let sum = 0
    for (let i = 0; i < table.workers; i++) sum += Atomics.load(runningOf, i * table.slots + slot)
    return sum
  }

  return {
    take(bucket, slot, perMinute, amount, nowNs) {
      const at = index(bucket, slot)
      const cost = BigInt(Math.ceil((amount * NANOS_PER_MINUTE) / perMinute))
      for (;;) {
        const before = Atomics.load(emptyAt, at)
        const after = (before > nowNs ? before : nowNs) + cost
        const debtNs = Number(after - nowNs)
        if (debtNs > NANOS_PER_MINUTE) return { ok: false, waitMs: Math.ceil((debtNs - NANOS_PER_MINUTE) / 1e6) }
        if (Atomics.compareExchange(emptyAt, at, before, after) === before)
          return {
            ok: true,
            remaining: Math.floor(((NANOS_PER_MINUTE - debtNs) * perMinute) / NANOS_PER_MINUTE),
            resetMs: Math.ceil(debtNs / 1e6),
          }
      }
    },
    giveBack(bucket, slot, perMinute, amount) {
      Atomics.sub(emptyAt, index(bucket, slot), BigInt(Math.floor((amount * NANOS_PER_MINUTE) / perMinute)))
    },
    enter(slot, max) {
      Atomics.add(runningOf, own + slot, 1)
      if (running(slot) <= max) return true
      Atomics.sub(runningOf, own + slot, 1)
      return false
    },
    leave(slot) {
      Atomics.sub(runningOf, own + slot, 1)
    },
    running,
    runningHere: (slot) => Atomics.load(runningOf, own + slot),
    reset(slot) {
      Atomics.store(emptyAt, index('requests', slot), 0n)
      Atomics.store(emptyAt, index('tokens', slot), 0n)
      for (let i = 0; i < table.workers; i++) Atomics.store(runningOf, i * table.slots + slot, 0)
    },
    clear() {
      for (let slot = 0; slot < table.slots; slot++) Atomics.store(runningOf, own + slot, 0)
    },
  }
}
