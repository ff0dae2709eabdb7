import type { ServiceTier } from '#contract'
import type { ClassPolicy } from './class-policy.ts'
import { createDrainRate } from './drain-rate.ts'
import type { DrainRate } from './drain-rate.ts'
import { createFairQueue } from './fair-queue.ts'
import type { FairQueue } from './fair-queue.ts'

/** The queue of one service and class, and what is known of it. Counts since the start. */
export interface ClassQueue<W> {
  readonly service: string
  readonly tier: ServiceTier
  readonly policy: ClassPolicy
  readonly fair: FairQueue<W>
  readonly rate: DrainRate
  started: number
  waited: number
  refused: number
  expired: number
}

/** What a queue looks like at a moment. */
export interface QueueView {
  readonly service: string
  readonly tier: ServiceTier
  readonly waiting: number
  /** That wait. */
  readonly tenants: number
  readonly running: number
  readonly oldestMs: number
  /** Of a newcomer; null while nothing is known. */
  readonly expectedWaitMs: number | null
  readonly started: number
  readonly waited: number
  readonly refused: number
  readonly expired: number
}

/** Credit and debt of a tenant are bounded by what its queue serves in this time, though not below `LEAST_BURST`. */
const BURST_MS = 30_000
const LEAST_BURST = 200_000
const SHORTEST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000

export function createClassQueue<W>(
  service: string,
  tier: ServiceTier,
  policy: ClassPolicy,
  nowMs: number,
): ClassQueue<W> {
  const rate = createDrainRate(nowMs)
  const fair = createFairQueue<W>(() => Math.max(LEAST_BURST, rate.costIn(BURST_MS)))
  return { service, tier, policy, fair, rate, started: 0, waited: 0, refused: 0, expired: 0 }
}

/** When a newcomer that is turned away now would find those gone who wait: the predicted drain. */
export function retryAfterMs<W>({ fair, rate }: ClassQueue<W>, nowMs: number): number {
  rate.elapse(nowMs, fair.size > 0)
  return Math.min(Math.max(rate.waitMs(fair.size) ?? 0, SHORTEST_RETRY_MS), LONGEST_RETRY_MS)
}

export function viewQueue<W>(queue: ClassQueue<W>, nowMs: number): QueueView {
  const { service, tier, fair, rate, started, waited, refused, expired } = queue
  rate.elapse(nowMs, fair.size > 0)
  let oldestMs = 0
  for (const { sinceMs } of fair.waiting()) oldestMs = Math.max(oldestMs, nowMs - sinceMs)
  const { size: waiting, tenants, running } = fair
  const expectedWaitMs = rate.waitMs(waiting) ?? null
  return { service, tier, waiting, tenants, running, oldestMs, expectedWaitMs, started, waited, refused, expired }
}
