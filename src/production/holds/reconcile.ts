import type { Slice } from '#contract'
import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'
import { RETRY_MS } from './options.ts'
import type { ChargingClient } from './types.ts'

/**
 * Returns what to call now and then: at most every `everyMs` it gives back the slices that charging believes we have and our
 * journal does not know. They were granted to this very journal and never used, because a slice is journalled first: the grant's
 * reply was lost. What was granted to another journal under the same gateway id is not listed, and not ours to judge.
 */
export function createReconcile(options: {
  readonly gateway: string
  readonly journal: string
  readonly charging: ChargingClient
  readonly clock: Clock
  readonly log: Log
  readonly everyMs: number
  readonly mayBeOurs: (slice: Slice) => boolean
}): () => void {
  const { gateway, journal, charging, clock, log } = options
  let nextAtMs = 0
  let running = false

  async function run(): Promise<void> {
    running = true
    try {
      for (const slice of await charging.openSlices(gateway, journal)) {
        if (options.mayBeOurs(slice)) continue
        log.warn({ slice: slice.id, bucket: slice.bucket }, 'giving back a slice that never reached the journal')
        await charging.close(gateway, journal, slice.id, 0)
      }
      nextAtMs = clock.nowMs() + options.everyMs
    } catch (error) {
      nextAtMs = clock.nowMs() + RETRY_MS
      log.warn({ cause: error }, 'open slices could not be compared with charging')
    } finally {
      running = false
    }
  }

  return () => {
    if (!running && clock.nowMs() >= nextAtMs) void run()
  }
}
