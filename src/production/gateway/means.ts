import type { ApiKey, BucketPeriod, SpendCap, Tenant } from '#contract'
import type { Table } from './tables.ts'

/** A tenant's means of payment with their tables at hand. Those whose table is not known are left out: nothing is paid with them. */
export type ArrangedMeans =
  | { readonly kind: 'wallet'; readonly id: string; readonly bucket: string; readonly payer: string }
  | { readonly kind: 'tokens'; readonly id: string; readonly bucket: string; readonly table: Table }
  | Reservation

/** What is refilled with each period. Either one dimension of money, or such as count tokens in tables' units. */
export interface Reservation {
  readonly kind: 'throughput'
  readonly id: string
  readonly services: ReadonlySet<string>
  readonly period: BucketPeriod
  readonly fromMs: number
  readonly toMs: number
  readonly window: { readonly fromMinute: number; readonly toMinute: number } | null
  readonly overflow: 'next' | 'reject'
  readonly dimensions: ReadonlyArray<{ readonly bucket: string; readonly table: Table }> | { readonly money: string }
}

/** How the requests of a key are paid. */
export interface Funding {
  readonly means: readonly ArrangedMeans[]
  readonly caps: readonly SpendCap[]
  /** In arrears: only what is paid for already is served. */
  readonly isRestricted: boolean
}

/** Undefined for most: the own wallet pays for everything, and nothing caps it. */
export function arrangeFunding(tenant: Tenant, key: ApiKey, tables: ReadonlyMap<string, Table>): Funding | undefined {
  const own = `wallet:${tenant.id}`
  const declared = tenant.means ?? [{ kind: 'wallet', id: own, bucket: own, payer: tenant.id }]
  const caps = uniqueBy([...(key.caps ?? []), ...(tenant.caps ?? [])], ({ bucket }) => bucket)
  const isRestricted = tenant.status === 'restricted'
  const [only] = declared
  if (caps.length === 0 && !isRestricted && declared.length === 1 && only?.kind === 'wallet' && only.bucket === own)
    return undefined
  // No record may count twice on one slice, so no bucket is asked twice.
  const means = uniqueBy(
    declared.flatMap((each) => arrangeMeans(each, tables) ?? []),
    (each) => (each.kind === 'throughput' ? each.id : each.bucket),
  )
  return { means, caps, isRestricted }
}

function arrangeMeans(
  means: NonNullable<Tenant['means']>[number],
  tables: ReadonlyMap<string, Table>,
): ArrangedMeans | undefined {
  if (means.kind === 'wallet') return means
  if (means.kind === 'tokens') {
    const table = tables.get(means.table)
    return table && { kind: 'tokens', id: means.id, bucket: means.bucket, table }
  }
  const dimensions = arrangeDimensions(means.dimensions, tables)
  return (
    dimensions && {
      kind: 'throughput',
      id: means.id,
      services: new Set(means.services),
      period: means.period,
      fromMs: means.validFromMs,
      toMs: means.validToMs,
      window: means.window,
      overflow: means.overflow,
      dimensions,
    }
  )
}

/** Money and units do not mix: units cover a request whole, and then there is nothing left that money could be counted for. */
function arrangeDimensions(
  dimensions: ReadonlyArray<{ readonly bucket: string; readonly unit: string }>,
  tables: ReadonlyMap<string, Table>,
): Reservation['dimensions'] | undefined {
  const [first] = dimensions
  if (first?.unit === 'CNY') return dimensions.length === 1 ? { money: first.bucket } : undefined
  const arranged = uniqueBy(dimensions, ({ bucket }) => bucket).flatMap(({ bucket, unit }) => {
    const table = tables.get(unit)
    return table ? [{ bucket, table }] : []
  })
  return arranged.length === dimensions.length ? arranged : undefined
}

function uniqueBy<T>(all: readonly T[], keyOf: (each: T) => string): readonly T[] {
  const seen = new Set<string>()
  return all.filter((each) => {
    const key = keyOf(each)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

export function isInForce({ fromMs, toMs, window }: Reservation, atMs: number): boolean {
  if (atMs < fromMs || atMs >= toMs) return false
  if (window === null) return true
  const minute = Math.floor((atMs + CHINA_OFFSET_MS) / 60_000) % MINUTES_PER_DAY
  const { fromMinute, toMinute } = window
  // A window that ends before it begins goes on past midnight.
  return fromMinute <= toMinute ? fromMinute <= minute && minute < toMinute : minute >= fromMinute || minute < toMinute
}

const CHINA_OFFSET_MS = 8 * 3_600_000
const MINUTES_PER_DAY = 1440
