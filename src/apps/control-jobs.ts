import { setTimeout as sleep } from 'node:timers/promises'
import type { Charging } from '#charging'
import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'

/** Lots are bought and expire by the minute, and reservations are refilled by it. */
const EVERY_MS = 60_000

type Jobs = Pick<Charging, 'expireLots' | 'recogniseRevenue' | 'reclaimSlices'>

/**
 * Does what time brings about in charging, once a minute, one job after the other. Each may be repeated and may come late, so a
 * failure is logged and the next minute tries again. Disposing waits for the run that is going on.
 */
export function startChargingJobs({
  charging,
  clock,
  log,
  everyMs = EVERY_MS,
}: {
  charging: Jobs
  clock: Clock
  log: Log
  everyMs?: number
}): AsyncDisposable {
  let isStopped = false
  let running: Promise<void> | undefined
  const jobs = [
    ['lots', (nowMs: number) => charging.expireLots(nowMs)],
    ['revenue', (nowMs: number) => charging.recogniseRevenue(nowMs)],
    ['slices', (nowMs: number) => charging.reclaimSlices(nowMs)],
  ] as const
  const run = async (): Promise<void> => {
    for (const [job, work] of jobs) {
      if (isStopped) return
      try {
        const done = await work(clock.nowMs())
        if (Object.values(done).some((count) => count > 0)) log.info({ job, ...done }, 'charging job')
      } catch (error) {
        log.error({ err: error, job }, 'a charging job failed')
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

/** Does a job every minute until it is disposed of, one round at a time; a round that fails is logged, and the next one tries again. */
export function everyMinute(log: Log, name: string, job: () => Promise<unknown>): AsyncDisposable {
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await job()
      } catch (error) {
        log.error({ err: error, job: name }, 'a job failed')
      }
      await sleep(60_000, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}
