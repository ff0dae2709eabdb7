import type { BucketPeriod } from '#contract'
import type * as z from 'zod'

/** Months, days and minutes of buckets are China's, which has no summer time. */
const OFFSET_MS = 8 * 3_600_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export type Period = z.infer<typeof BucketPeriod>

export const walletOf = (tenant: string): string => `wallet:${tenant}`

export const tokensOf = (tenant: string, table: string): string => `tokens:${tenant}/${table}`

/** Undefined for buckets of something else. */
export function ownerOfTokens(bucket: string): { tenant: string; table: string } | undefined {
  const [, tenant, table] = /^tokens:([^/]+)\/([^/]+)$/.exec(bucket) ?? []
  return tenant === undefined || table === undefined ? undefined : { tenant, table }
}

/** The name of a period's bucket without and with its period; undefined for wallets and lots of tokens. */
export function splitPeriod(bucket: string): { definition: string; period: string } | undefined {
  const at = bucket.lastIndexOf('@')
  return at > 0 && /^(throughput|cap):/.test(bucket)
    ? { definition: bucket.slice(0, at), period: bucket.slice(at + 1) }
    : undefined
}

/** What the period that an instant lies in is called: `2026-11-25`, `2026-11`, or the number of the minute since 1970. */
export function periodAt(period: Period, atMs: number): string {
  if (period === 'minute') return `${Math.floor(atMs / MINUTE_MS)}`
  return new Date(atMs + OFFSET_MS).toISOString().slice(0, period === 'day' ? 10 : 7)
}

/** Start (inclusive) and end (exclusive) of a period by its name; undefined if it is not a name of that kind of period. */
export function periodBounds(period: Period, name: string): { fromMs: number; toMs: number } | undefined {
  const bounds = boundsOf(period, name)
  return bounds && Number.isSafeInteger(bounds.fromMs) && periodAt(period, bounds.fromMs) === name ? bounds : undefined
}

function boundsOf(period: Period, name: string): { fromMs: number; toMs: number } | undefined {
  if (period === 'minute') {
    if (!/^\d{1,11}$/.test(name)) return undefined
    const fromMs = Number(name) * MINUTE_MS
    return { fromMs, toMs: fromMs + MINUTE_MS }
  }
  const parts = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(name)
  if (!parts || (parts[3] === undefined) === (period === 'day')) return undefined
  const [year, month, day] = [Number(parts[1]), Number(parts[2]) - 1, Number(parts[3] ?? 1)]
  const fromMs = Date.UTC(year, month, day) - OFFSET_MS
  return { fromMs, toMs: period === 'day' ? fromMs + DAY_MS : Date.UTC(year, month + 1, 1) - OFFSET_MS }
}
