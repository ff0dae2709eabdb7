import { SPAN_MS } from '../ingest/rollup.ts'
import type { Span } from '../ingest/rollup.ts'

export interface RollupRange {
  readonly span: Span
  /** Start inclusive, end exclusive. */
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Covers a time range with whole hours and the minutes at its two ends, so a long range reads few rows. Ends inside a minute
 * take the whole minute in.
 */
export function rollupRanges({ fromMs, toMs }: { fromMs: number; toMs: number }): RollupRange[] {
  const from = fromMs - (fromMs % SPAN_MS.minute)
  const to = Math.ceil(toMs / SPAN_MS.minute) * SPAN_MS.minute
  const firstHour = Math.ceil(from / SPAN_MS.hour) * SPAN_MS.hour
  const lastHour = to - (to % SPAN_MS.hour)
  const ranges: RollupRange[] =
    firstHour < lastHour
      ? [
          { span: 'minute', fromMs: from, toMs: firstHour },
          { span: 'hour', fromMs: firstHour, toMs: lastHour },
          { span: 'minute', fromMs: lastHour, toMs: to },
        ]
      : [{ span: 'minute', fromMs: from, toMs: to }]
  return ranges.filter((range) => range.fromMs < range.toMs)
}
