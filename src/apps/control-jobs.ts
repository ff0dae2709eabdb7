import type { Agreements } from '#agreements'
import type { Billing } from '#billing'
import type { Charging } from '#charging'
import type { Ordering } from '#ordering'
import type { Quality } from '#quality'
import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'

/** Lots are bought and expire by the minute, and reservations are refilled by it. */
const EVERY_MS = 60_000

/** What time brings about: its name for the log, and the work, which says how much it did of what. */
type Job = readonly [name: string, work: (nowMs: number) => Promise<unknown>]

/** Orders first: what is renewed in time does not expire. */
export function jobsOf(
  charging: Pick<Charging, 'expireLots' | 'recogniseRevenue' | 'reclaimSlices' | 'endReservations' | 'prunePeriods'>,
  ordering: Pick<Ordering, 'runDue'>,
  billing: Pick<Billing, 'rollUp' | 'dun'>,
  quality: Pick<Quality, 'digest' | 'watch' | 'applyCredits'>,
  agreements: Pick<Agreements, 'runDue'>,
): readonly Job[] {
  return [
    ['orders', () => ordering.runDue()],
    ['lots', (nowMs) => charging.expireLots(nowMs)],
    ['revenue', (nowMs) => charging.recogniseRevenue(nowMs)],
    ['slices', (nowMs) => charging.reclaimSlices(nowMs)],
    ['reservations', (nowMs) => charging.endReservations(nowMs)],
    ['periods', (nowMs) => charging.prunePeriods(nowMs)],
    ['sums for billing', () => billing.rollUp()],
    ['overdue invoices', () => billing.dun()],
    ['quality', () => quality.digest()],
    ['error budgets', () => quality.watch()],
    ['service credits', () => quality.applyCredits()],
    ['agreements', () => agreements.runDue()],
  ]
}

/**
 * Does what time brings about, once a minute, one job after the other. Each may be repeated and may come late, so a failure is
 * logged and the next minute tries again. Disposing waits for the run that is going on.
 */
export function startJobs({
  jobs,
  clock,
  log,
  everyMs = EVERY_MS,
}: {
  jobs: readonly Job[]
  clock: Clock
  log: Log
  everyMs?: number
}): AsyncDisposable {
  let isStopped = false
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
    for (const [job, work] of jobs) {
      if (isStopped) return
      try {
        const done = await work(clock.nowMs())
        if (Object.values(done ?? {}).some((count) => typeof count === 'number' && count > 0))
          log.info({ job, done }, 'job')
      } catch (error) {
        log.error({ err: error, job }, 'a job failed')
      }
    }
  }
  const tick = (): void => {
    running ??= run().finally(() => {
      running = undefined
    })
  }
  tick()
  const timer = setInterval(tick, everyMs)
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true
      clearInterval(timer)
      await running
    },
  }
}
