import type { DrainView, EndpointRow, GatewayReport, ShareRow, SupplierLoadView, SupplierView } from '#contract'
import { NOTHING, sum } from './counts.ts'
import type { Counts } from './counts.ts'
import type { Sample } from './history.ts'
import { attainmentOf } from './lanes.ts'
import type { Span } from './lanes.ts'

/** Every supplier that is declared, and what goes on there. */
export function suppliersOf(options: {
  readonly reports: readonly GatewayReport[]
  readonly recent: Span
  readonly hour: Span
  readonly suppliers: readonly SupplierView[]
  readonly drains: readonly DrainView[]
}): SupplierLoadView[] {
  const { reports, recent, hour, suppliers, drains } = options
  const now = countsBySupplier(recent.samples)
  const before = countsBySupplier(hour.samples)
  const all = sum(now.values())
  const tokens = (counts: Counts) => counts.inputTokens + counts.outputTokens
  return suppliers.map(({ id, displayName, maxConcurrency }) => {
    const counts = now.get(id) ?? NOTHING
    const seen = reports.flatMap((report) => report.suppliers.filter(({ supplier }) => supplier === id))
    return {
      supplier: id,
      displayName,
      drain: drains.find(({ supplier, undrainedAtMs }) => supplier === id && undrainedAtMs === null) ?? null,
      hasCredentials: seen.every(({ hasCredentials }) => hasCredentials),
      inFlight: seen.reduce((total, { inFlight }) => total + inFlight, 0),
      maxConcurrency,
      requestsPerMinute: counts.requests / recent.minutes,
      inputTokensPerMinute: counts.inputTokens / recent.minutes,
      outputTokensPerMinute: counts.outputTokens / recent.minutes,
      sharePpm: tokens(all) > 0 ? Math.round((tokens(counts) / tokens(all)) * 1e6) : 0,
      attainmentPpm: { fiveMinutes: attainmentOf(now.get(id)), hour: attainmentOf(before.get(id)) },
      endpoints: endpointsOf(reports.flatMap((report) => report.endpoints.filter(({ supplier }) => supplier === id))),
      shares: sharesOf(reports.flatMap((report) => report.shares.filter(({ supplier }) => supplier === id))),
    }
  })
}

const WORSE: readonly EndpointRow['breaker'][] = ['closed', 'ramp', 'half_open', 'open']

/** Workers that see the same model: the most alarming of what they say of it, and the middle of what they measured. */
function endpointsOf(rows: readonly EndpointRow[]): EndpointRow[] {
  return [...Map.groupBy(rows, ({ model }) => model)].map(([model, seen]) => {
    const known = (of: (row: EndpointRow) => number | null | undefined) => middle(seen.flatMap((row) => of(row) ?? []))
    const limit = known((row) => row.limit)
    const errorRate = known((row) => row.errorRate)
    return {
      supplier: (seen[0] as EndpointRow).supplier,
      model,
      breaker: WORSE[Math.max(...seen.map(({ breaker }) => WORSE.indexOf(breaker)))] ?? 'closed',
      isMisconfigured: seen.some(({ isMisconfigured }) => isMisconfigured),
      inFlight: Math.max(...seen.map(({ inFlight }) => inFlight)),
      ...(limit === null ? {} : { limit }),
      ...(errorRate === null ? {} : { errorRate }),
      ttftMs: known((row) => row.ttftMs),
      tpotMs: known((row) => row.tpotMs),
    }
  })
}

/** Each worker adds its own deliveries to what charging knows: the largest is the nearest to the truth. */
function sharesOf(rows: readonly ShareRow[]): ShareRow[] {
  return [...Map.groupBy(rows, ({ commitment }) => commitment).values()].map((seen) =>
    seen.reduce((most, row) => (row.deliveredTokens > most.deliveredTokens ? row : most)),
  )
}

function middle(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
}

function countsBySupplier(samples: readonly Sample[]): ReadonlyMap<string, Counts> {
  const served = samples.filter(({ kind }) => kind.supplier !== null)
  return new Map(
    [...Map.groupBy(served, ({ kind }) => kind.supplier ?? '')].map(([id, all]) => [
      id,
      sum(all.map(({ counts }) => counts)),
    ]),
  )
}
