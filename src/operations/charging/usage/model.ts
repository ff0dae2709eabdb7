import type { UsageRecord } from '#contract'
import type { Entry } from '#ledger'
import { ownerOfTokens } from '../bucket/model.ts'
import { SPAN_MS } from '../ingest/rollup.ts'
import type { Span } from '../ingest/rollup.ts'
import { tokenEntries } from '../model.ts'

/** The accounts of a tenant's own money: wallet, gifts, credit, invoices, and what is to be paid back. */
export function tenantAccounts(tenant: string): string[] {
  return ['1100', '1110', '1190', '2000', '2001', '2400'].map((code) => `${code}:${tenant}`)
}

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

/**
 * What a record's tokens move in the books. The deferred revenue that goes with them is rounded once for all that a posting burns of
 * a lot, so no single record has a share of it.
 */
export function unitEntries({ draws = [] }: UsageRecord): Entry[] {
  return draws.flatMap(({ bucket, amount }) => {
    const owner = ownerOfTokens(bucket)
    return owner ? tokenEntries({ ...owner, units: BigInt(amount), revenuePico: 0n }) : []
  })
}
