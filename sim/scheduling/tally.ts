import type { SimulatedMarket } from './market.ts'
import type { Workload } from './workload.ts'

export const SERVED = 1
/** Nobody could be asked. */
export const SHED = 2
/** Everybody who was asked failed. */
export const FAILED = 3
/** Broken off in the middle of an answer, and nobody could go on with it. */
export const BROKEN = 4

/** What came of each request, and what each supplier did: everything that a report is made from. */
export interface Tally {
  readonly workload: Workload
  readonly market: SimulatedMarket
  /** From arrival to first token, failed attempts included; NaN: none came. */
  readonly ttftMs: Float64Array
  readonly tpotMs: Float64Array
  readonly fate: Uint8Array
  readonly supplier: Int16Array
  readonly attempts: Uint8Array
  readonly cachedTokens: Int32Array
  /** Of the first choice; NaN: no opinion. */
  readonly missProbability: Float64Array
  readonly delivered: Float64Array
  readonly usagePico: Float64Array
  readonly networkPico: Float64Array
  /** Per supplier, what was used in each minute: for contracts that pay by the minute. */
  readonly minutes: readonly Map<number, { tokens: number; pico: number }>[]
  events: number
}

export function createTally(workload: Workload, market: SimulatedMarket): Tally {
  const { count } = workload
  const suppliers = market.suppliers.length
  return {
    workload,
    market,
    ttftMs: new Float64Array(count).fill(Number.NaN),
    tpotMs: new Float64Array(count).fill(Number.NaN),
    fate: new Uint8Array(count),
    supplier: new Int16Array(count).fill(-1),
    attempts: new Uint8Array(count),
    cachedTokens: new Int32Array(count),
    missProbability: new Float64Array(count).fill(Number.NaN),
    delivered: new Float64Array(suppliers),
    usagePico: new Float64Array(suppliers),
    networkPico: new Float64Array(suppliers),
    minutes: market.suppliers.map(() => new Map()),
    events: 0,
  }
}
