import { expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { jobsOf, startJobs } from './control-jobs.ts'

test('jobs run at once and then by the timer, one after the other, and a failure stops neither the others nor the next time', async () => {
  const calls: string[] = []
  const charging = {
    expireLots: async (nowMs: number) => {
      calls.push(`lots ${nowMs}`)
      throw new Error('the database is away')
    },
    recogniseRevenue: async () => {
      calls.push('revenue')
      return { fees: 1 }
    },
    reclaimSlices: async () => {
      calls.push('slices')
      return { reclaimed: 0 }
    },
    endReservations: async () => {
      calls.push('reservations')
      return { ended: 0 }
    },
    prunePeriods: async () => {
      calls.push('periods')
      return { pruned: 0 }
    },
  }
  const billing = {
    rollUp: async () => {
      calls.push('sums')
      return 0
    },
    dun: async () => {
      calls.push('overdue')
      return []
    },
  }
  const ordering = {
    runDue: async () => {
      calls.push('orders')
      return { renewed: 0, failed: 0, ended: 0, arrears: 0 }
    },
  }
  const quality = {
    digest: async () => {
      calls.push('quality')
      return { records: 0 }
    },
    watch: async () => {
      calls.push('budgets')
      return { opened: 0, closed: 0 }
    },
    applyCredits: async () => {
      calls.push('credits')
      return { applied: 0 }
    },
  }
  const agreements = {
    runDue: async () => {
      calls.push('agreements')
      return { turned: 0 }
    },
  }
  {
    await using _running = startJobs({
      jobs: jobsOf(charging, ordering, billing, quality, agreements),
      clock: manualClock(7),
      log: nullLog,
      everyMs: 5,
    })
    await expect.poll(() => calls.length).toBeGreaterThanOrEqual(24)
  }
  const round = [
    'orders',
    'lots 7',
    'revenue',
    'slices',
    'reservations',
    'periods',
    'sums',
    'overdue',
    'quality',
    'budgets',
    'credits',
    'agreements',
  ]
  expect(calls.slice(0, 24)).toEqual([...round, ...round])
  const before = calls.length
  await new Promise((done) => setTimeout(done, 30))
  expect(calls.length).toBe(before)
})
