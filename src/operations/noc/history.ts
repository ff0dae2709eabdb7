import type { GatewayReport } from '#contract'
import { NOTHING, keyOf, plus } from './counts.ts'
import type { Counts, Kind } from './counts.ts'

/** One kind of traffic in one minute. */
export interface Sample {
  readonly kind: Kind
  readonly counts: Counts
}

/** The last hour, minute by minute. */
export interface History {
  add(report: GatewayReport, nowMs: number): void
  /** Minutes from the one that contains `fromMs` on, the oldest first; those in which nobody reported are missing. */
  since(fromMs: number): readonly { readonly atMs: number; readonly samples: readonly Sample[] }[]
  /** From when on it is complete. */
  readonly sinceMs: number
}

const MINUTE_MS = 60_000
const KEPT_MINUTES = 61
const FORGOTTEN_AFTER_MS = 600_000

interface Baseline {
  readonly startedAtMs: number
  readonly atMs: number
  readonly totals: ReadonlyMap<string, Sample>
}

export function createHistory(nowMs: number): History {
  const minutes = new Map<number, Map<string, Sample>>()
  const baselines = new Map<string, Baseline>()

  return {
    sinceMs: nowMs,
    add(report, atMs) {
      const totals = totalsOf(report)
      const { gateway, startedAtMs } = report
      const before = baselines.get(gateway)
      baselines.set(gateway, { startedAtMs, atMs, totals })
      forget(baselines, atMs)
      const isSame = before?.startedAtMs === startedAtMs
      // What it counted before we first heard of it belongs to minutes that we do not know.
      if (!isSame && startedAtMs < nowMs && before === undefined) return
      const minute = Math.floor(atMs / MINUTE_MS)
      const samples = minutes.get(minute) ?? new Map<string, Sample>()
      minutes.set(minute, samples)
      for (const old of minutes.keys()) if (old <= minute - KEPT_MINUTES) minutes.delete(old)
      for (const [key, { kind, counts }] of totals) {
        const earlier = isSame ? (before.totals.get(key)?.counts ?? NOTHING) : NOTHING
        const grown = plus(counts, earlier, -1)
        if (grown.requests + grown.shed > 0)
          samples.set(key, { kind, counts: plus(samples.get(key)?.counts ?? NOTHING, grown) })
      }
    },
    since(fromMs) {
      const first = Math.floor(fromMs / MINUTE_MS)
      return [...minutes]
        .filter(([minute]) => minute >= first)
        .toSorted(([a], [b]) => a - b)
        .map(([minute, samples]) => ({ atMs: minute * MINUTE_MS, samples: [...samples.values()] }))
    },
  }
}

function totalsOf({ served, queues }: GatewayReport): ReadonlyMap<string, Sample> {
  const totals = new Map<string, Sample>()
  for (const { service, tier, supplier, strategy, regions, ...counts } of served) {
    const kind = { service, tier, supplier, strategy, regions }
    totals.set(keyOf(kind), { kind, counts: { ...counts, shed: 0 } })
  }
  for (const { service, tier, refused, expired } of queues) {
    const kind = { service, tier, supplier: null, strategy: null, regions: null }
    totals.set(keyOf(kind), { kind, counts: { ...NOTHING, shed: refused + expired } })
  }
  return totals
}

function forget(baselines: Map<string, Baseline>, nowMs: number): void {
  for (const [gateway, { atMs }] of baselines) if (nowMs - atMs > FORGOTTEN_AFTER_MS) baselines.delete(gateway)
}
