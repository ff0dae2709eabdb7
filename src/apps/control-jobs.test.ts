import { expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { startChargingJobs } from './control-jobs.ts'

test('jobs run at once and then by the timer, one after the other, and a failure stops neither the others nor the next time', async () => {
  const calls: string[] = []
  const jobs = {
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
  }
  {
    await using _running = startChargingJobs({ charging: jobs, clock: manualClock(7), log: nullLog, everyMs: 5 })
    await expect.poll(() => calls.length).toBeGreaterThanOrEqual(6)
  }
  expect(calls.slice(0, 6)).toEqual(['lots 7', 'revenue', 'slices', 'lots 7', 'revenue', 'slices'])
  const before = calls.length
  await new Promise((done) => setTimeout(done, 30))
  expect(calls.length).toBe(before)
})
