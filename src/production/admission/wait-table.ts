import { CLASSES } from './class-policy.ts'
import type { Slot } from './limit-table.ts'

/**
 * Shared memory behind what the worker threads of one gateway know of each other's queues: how many requests of each class wait for a
 * supplier, and that one has become free.
 */
export interface WaitTable {
  readonly buffer: SharedArrayBuffer
  readonly slots: number
  readonly workers: number
}

/** One worker's view. `slot` is the supplier's in the limit table, `rank` the class's place among `CLASSES`. */
export interface Waits {
  add(slot: Slot, rank: number, count: 1 | -1): void
  /** A request of a higher class waits for this supplier, in any worker: it takes the next place. */
  yields(slot: Slot, rank: number): boolean
  /** Tells every worker that waits that room came back. */
  released(): void
  /** Calls back once, when any worker has released something after now. */
  onRelease(then: () => void): void
  /** Forgets this worker's waiting requests: a fresh worker has none. */
  clear(): void
}

const HEAD = 2
const RELEASES = 0
const WAITING = 1

export function createWaitTable(slots: number, workers: number): WaitTable {
  return { buffer: new SharedArrayBuffer((HEAD + workers * slots * CLASSES.length) * 4), slots, workers }
}

export function openWaits(table: WaitTable, worker: number): Waits {
  const cells = new Int32Array(table.buffer)
  const perWorker = table.slots * CLASSES.length
  const own = HEAD + worker * perWorker
  let isListening = false

  return {
    add(slot, rank, count) {
      Atomics.add(cells, own + slot * CLASSES.length + rank, count)
      Atomics.add(cells, WAITING, count)
    },
    yields(slot, rank) {
      if (rank === 0 || Atomics.load(cells, WAITING) === 0) return false
      for (let i = 0; i < table.workers; i++)
        for (let higher = 0; higher < rank; higher++)
          if (Atomics.load(cells, HEAD + i * perWorker + slot * CLASSES.length + higher) > 0) return true
      return false
    },
    released() {
      if (Atomics.load(cells, WAITING) === 0) return
      Atomics.add(cells, RELEASES, 1)
      Atomics.notify(cells, RELEASES)
    },
    onRelease(then) {
      if (isListening) return
      const woken = Atomics.waitAsync(cells, RELEASES, Atomics.load(cells, RELEASES))
      if (!woken.async) return
      isListening = true
      void woken.value.then(() => {
        isListening = false
        then()
      })
    },
    clear() {
      for (let cell = own; cell < own + perWorker; cell++) {
        const count = Atomics.exchange(cells, cell, 0)
        if (count !== 0) Atomics.sub(cells, WAITING, count)
      }
    },
  }
}
