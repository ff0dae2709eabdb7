import type { GatewayReport, LaneView, QueueRow, ServiceTier, SlaTarget } from '#contract'
import { sum } from './counts.ts'
import type { Counts } from './counts.ts'
import type { Sample } from './history.ts'

/** Samples of a span of time. */
export interface Span {
  readonly samples: readonly Sample[]
  readonly minutes: number
}

const ORDER: readonly ServiceTier[] = ['priority', 'standard', 'flex', 'batch']

/** Every service and class that anybody asks for or that something is promised for. */
export function lanesOf(options: {
  readonly reports: readonly GatewayReport[]
  readonly recent: Span
  readonly hour: Span
  readonly targets: readonly (SlaTarget & { readonly service: string })[]
}): LaneView[] {
  const { reports, recent, hour, targets } = options
  const queues = Map.groupBy(
    reports.flatMap((report) => report.queues),
    nameOf,
  )
  const now = countsByLane(recent.samples)
  const before = countsByLane(hour.samples)
  const promised = new Map(targets.map((target) => [nameOf({ ...target, tier: target.class }), target]))
  const names = new Set([...queues.keys(), ...before.keys(), ...promised.keys()])
  return [...names]
    .map((name): LaneView => {
      const [service, tier] = name.split(' ') as [string, ServiceTier]
      const rows = queues.get(name) ?? []
      const counts = now.get(name)
      const target = promised.get(name)
      const perMinute = (total: number | undefined) => (total ?? 0) / recent.minutes
      const allowed = target && 1 - target.attainmentPpm / 1e6
      return {
        service,
        tier,
        demandPerMinute: perMinute(counts && counts.requests + counts.shed),
        shedPerMinute: perMinute(counts?.shed),
        inputTokensPerMinute: perMinute(counts?.inputTokens),
        outputTokensPerMinute: perMinute(counts?.outputTokens),
        ...queueNow(rows),
        targetPpm: target?.attainmentPpm ?? null,
        attainmentPpm: { fiveMinutes: attainmentOf(counts), hour: attainmentOf(before.get(name)) },
        burnRate: { fiveMinutes: burnOf(counts, allowed), hour: burnOf(before.get(name), allowed) },
      }
    })
    .toSorted((a, b) => a.service.localeCompare(b.service) || ORDER.indexOf(a.tier) - ORDER.indexOf(b.tier))
}

/** Good of valid, in millionths; null while nothing was valid. */
export function attainmentOf(counts: Counts | undefined): number | null {
  return counts && counts.valid > 0 ? Math.round((counts.good / counts.valid) * 1e6) : null
}

function burnOf(counts: Counts | undefined, allowed: number | undefined): number | null {
  if (!counts || counts.valid === 0 || allowed === undefined || allowed <= 0) return null
  return (counts.valid - counts.good) / counts.valid / allowed
}

/** What waits and runs in all workers together. */
function queueNow(rows: readonly QueueRow[]) {
  const total = (of: (row: QueueRow) => number) => rows.reduce((all, row) => all + of(row), 0)
  const waits = rows.flatMap(({ expectedWaitMs }) => expectedWaitMs ?? [])
  return {
    running: total((row) => row.running),
    waiting: total((row) => row.waiting),
    oldestMs: Math.max(0, ...rows.map((row) => row.oldestMs)),
    // Each worker has a queue of its own: a newcomer may come to the longest.
    expectedWaitMs: waits.length > 0 ? Math.max(...waits) : null,
  }
}

function countsByLane(samples: readonly Sample[]): ReadonlyMap<string, Counts> {
  return new Map(
    [...Map.groupBy(samples, ({ kind }) => nameOf(kind))].map(([name, all]) => [
      name,
      sum(all.map(({ counts }) => counts)),
    ]),
  )
}

function nameOf({ service, tier }: { readonly service: string; readonly tier: ServiceTier }): string {
  return `${service} ${tier}`
}
