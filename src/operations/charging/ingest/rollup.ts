import { isBilled } from '../model.ts'
import type { RecordColumns } from './model.ts'

export const SPAN_MS = { minute: 60_000, hour: 3_600_000 } as const
export type Span = keyof typeof SPAN_MS

/** Upper ends of the histogram of time to first token, in milliseconds. The last bucket takes what is slower. */
export const TTFT_BOUNDS_MS: readonly number[] = [
  5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 30_000,
]
export const TTFT_BUCKETS = TTFT_BOUNDS_MS.length + 1

export function ttftBucket(ttftMs: number): number {
  const index = TTFT_BOUNDS_MS.findIndex((bound) => ttftMs <= bound)
  return index < 0 ? TTFT_BOUNDS_MS.length : index
}

/**
 * The value below which a share `q` of the counted values lies, in milliseconds, spread evenly inside a bucket. Null for no
 * values. What lies in the open last bucket is said to be at its lower end, because nothing more is known.
 */
export function quantile(counts: readonly number[], q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const rank = q * total
  let before = 0
  for (const [index, count] of counts.entries()) {
    const low = TTFT_BOUNDS_MS[index - 1] ?? 0
    if (count > 0 && before + count >= rank)
      return low + ((TTFT_BOUNDS_MS[index] ?? low) - low) * ((rank - before) / count)
    before += count
  }
  return TTFT_BOUNDS_MS.at(-1) ?? null
}

/** Sums over the records of one span, tenant, service, supplier and key. */
export interface Cell {
  readonly span: Span
  readonly startMs: number
  readonly tenant: string
  readonly service: string
  readonly supplier: string
  readonly key: string
  requests: number
  failed: number
  uncachedInput: number
  cacheWrite: number
  cacheRead: number
  output: number
  reasoning: number
  pacedTokens: number
  pacedMs: number
  ttft: number[]
  sellPico: bigint
  buyPico: bigint
}

const order = ({ span, startMs, tenant, service, supplier, key }: Cell): string =>
  [span, `${startMs}`.padStart(16, '0'), tenant, service, supplier, key].join('\n')

/** The cells that these records add to, in the order in which they are to be locked. */
export function rollUp(records: readonly RecordColumns[]): Cell[] {
  const cells = new Map<string, Cell>()
  for (const record of records) {
    for (const span of ['minute', 'hour'] as const) {
      const startMs = record.completedAtMs - (record.completedAtMs % SPAN_MS[span])
      const { tenant, service, supplier, key } = record
      const name = `${span}\n${startMs}\n${tenant}\n${service}\n${supplier}\n${key}`
      let cell = cells.get(name)
      if (!cell) cells.set(name, (cell = emptyCell({ span, startMs, tenant, service, supplier, key })))
      add(cell, record)
    }
  }
  return [...cells.values()]
    .map((cell) => ({ cell, at: order(cell) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ cell }) => cell)
}

function emptyCell(where: Pick<Cell, 'span' | 'startMs' | 'tenant' | 'service' | 'supplier' | 'key'>): Cell {
  return {
    ...where,
    requests: 0,
    failed: 0,
    uncachedInput: 0,
    cacheWrite: 0,
    cacheRead: 0,
    output: 0,
    reasoning: 0,
    pacedTokens: 0,
    pacedMs: 0,
    ttft: Array.from({ length: TTFT_BUCKETS }, () => 0),
    sellPico: 0n,
    buyPico: 0n,
  }
}

function add(cell: Cell, record: RecordColumns): void {
  cell.requests += 1
  if (!isBilled(record.ending)) cell.failed += 1
  cell.uncachedInput += record.uncachedInput
  cell.cacheWrite += record.cacheWrite
  cell.cacheRead += record.cacheRead
  cell.output += record.output
  cell.reasoning += record.reasoning
  cell.pacedTokens += record.pacedTokens
  cell.pacedMs += record.pacedMs
  if (record.ttftBucket !== null) cell.ttft[record.ttftBucket] = (cell.ttft[record.ttftBucket] ?? 0) + 1
  cell.sellPico += record.sellPico
  cell.buyPico += record.buyPico
}
