import type { Tier } from '#kernel'

/** Requests in order of arrival, one column per fact. */
export interface Workload {
  readonly name: string
  readonly count: number
  readonly arrivalMs: Float64Array
  readonly inputTokens: Int32Array
  readonly outputTokens: Int32Array
  /** Index into `tenants`. */
  readonly tenant: Uint16Array
  /** Index into `classes`. */
  readonly slaClass: Uint8Array
  /** Where the request comes from: index into the world's gateways' regions. */
  readonly region: Uint8Array
  /** Leading prompt blocks; those of request i are from `blockFrom[i]` to `blockFrom[i + 1]`. */
  readonly blocks: Int32Array
  readonly blockFrom: Int32Array
  readonly blockTokens: number
}

export const CLASSES: readonly Tier[] = ['priority', 'standard', 'flex', 'batch']
export const STANDARD = CLASSES.indexOf('standard')

/** One request, to be put into columns. */
export interface Row {
  readonly arrivalMs: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly tenant?: number
  readonly slaClass?: number
  readonly region?: number
  readonly blocks?: readonly number[]
}

export function workloadOf(name: string, rows: readonly Row[], blockTokens = 512): Workload {
  const count = rows.length
  const blockFrom = new Int32Array(count + 1)
  rows.forEach((row, i) => (blockFrom[i + 1] = blockFrom[i]! + (row.blocks?.length ?? 0)))
  return {
    name,
    count,
    arrivalMs: Float64Array.from(rows, (row) => row.arrivalMs),
    inputTokens: Int32Array.from(rows, (row) => row.inputTokens),
    outputTokens: Int32Array.from(rows, (row) => Math.max(1, row.outputTokens)),
    tenant: Uint16Array.from(rows, (row) => row.tenant ?? 0),
    slaClass: Uint8Array.from(rows, (row) => row.slaClass ?? STANDARD),
    region: Uint8Array.from(rows, (row) => row.region ?? 0),
    blocks: Int32Array.from(rows.flatMap((row) => row.blocks ?? [])),
    blockFrom,
    blockTokens,
  }
}

export function blocksOf({ blocks, blockFrom }: Workload, request: number): Int32Array {
  return blocks.subarray(blockFrom[request], blockFrom[request + 1])
}

export function durationMs({ count, arrivalMs }: Workload): number {
  return count === 0 ? 0 : arrivalMs[count - 1]!
}

/** The same requests, arriving that many times as fast. */
export function faster(workload: Workload, speed: number): Workload {
  return { ...workload, arrivalMs: workload.arrivalMs.map((atMs) => atMs / speed) }
}
