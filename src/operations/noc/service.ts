import type { DrainView, GatewayReport, NocReply, SlaTarget, SupplierView } from '#contract'
import type { Clock } from '#platform/clock'
import { keyOf, sum } from './counts.ts'
import { createHistory } from './history.ts'
import type { Sample } from './history.ts'
import type { Flow } from './preview.ts'
import { lanesOf } from './lanes.ts'
import { suppliersOf } from './suppliers.ts'

/** What reports do not say. */
export interface Surroundings {
  readonly suppliers: readonly SupplierView[]
  readonly targets: readonly (SlaTarget & { readonly service: string })[]
  readonly drains: readonly DrainView[]
}

export interface Noc {
  /** One worker's report. */
  report(report: GatewayReport): void
  view(around: Surroundings): NocReply
  /** What each supplier has served in the last five minutes, by kind. */
  flows(): readonly Flow[]
  /** Gateways report now. */
  isReporting(): boolean
}

const STALE_AFTER_MS = 10_000
const FORGOTTEN_AFTER_MS = 600_000
const MINUTE_MS = 60_000
const MINUTES_SHOWN = 30

interface Heard {
  readonly report: GatewayReport
  readonly atMs: number
}

export function createNoc({ clock }: { readonly clock: Clock }): Noc {
  const history = createHistory(clock.nowMs())
  const heard = new Map<string, Heard>()
  const present = (nowMs: number): readonly GatewayReport[] =>
    [...heard.values()].filter(({ atMs }) => nowMs - atMs <= STALE_AFTER_MS).map(({ report }) => report)
  /** The last so many minutes, the running one among them, and how long they have been going on. */
  const span = (minutes: number, nowMs: number) => {
    const fromMs = Math.max(history.sinceMs, (Math.floor(nowMs / MINUTE_MS) - minutes + 1) * MINUTE_MS)
    const samples = history.since(fromMs).flatMap((minute) => minute.samples)
    return { samples, minutes: Math.max(1 / 60, (nowMs - fromMs) / MINUTE_MS) }
  }

  return {
    report(report) {
      const nowMs = clock.nowMs()
      for (const [gateway, { atMs }] of heard) if (nowMs - atMs > FORGOTTEN_AFTER_MS) heard.delete(gateway)
      heard.set(report.gateway, { report, atMs: nowMs })
      history.add(report, nowMs)
    },
    view({ suppliers, targets, drains }) {
      const nowMs = clock.nowMs()
      const reports = present(nowMs)
      const [recent, hour] = [span(5, nowMs), span(60, nowMs)]
      return {
        atMs: nowMs,
        gateways: [...heard].map(([gateway, { atMs }]) => ({
          gateway,
          ageMs: nowMs - atMs,
          isStale: nowMs - atMs > STALE_AFTER_MS,
        })),
        lanes: lanesOf({ reports, recent, hour, targets }),
        suppliers: suppliersOf({ reports, recent, hour, suppliers, drains }),
        minutes: history.since(nowMs - (MINUTES_SHOWN - 1) * MINUTE_MS).map(({ atMs, samples }) => {
          const { durationMs: _, ...counts } = sum(samples.map((sample) => sample.counts))
          return { atMs, ...counts }
        }),
        drains: [...drains],
      }
    },
    flows() {
      const { samples, minutes } = span(5, clock.nowMs())
      return merged(samples).flatMap(({ kind, counts }) => {
        const { service, tier, supplier, strategy, regions } = kind
        if (supplier === null || strategy === null || counts.requests === 0) return []
        const each = (total: number) => total / counts.requests
        return [
          {
            ...{ service, tier, supplier, strategy, regions },
            requestsPerMinute: counts.requests / minutes,
            inputTokens: each(counts.inputTokens),
            outputTokens: each(counts.outputTokens),
            durationMs: each(counts.durationMs),
          },
        ]
      })
    },
    isReporting: () => present(clock.nowMs()).length > 0,
  }
}

/** One sample per kind. */
function merged(samples: readonly Sample[]): readonly Sample[] {
  return [...Map.groupBy(samples, ({ kind }) => keyOf(kind)).values()].map((all) => ({
    kind: (all[0] as Sample).kind,
    counts: sum(all.map(({ counts }) => counts)),
  }))
}
