import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'
import { RETRY_MS } from './options.ts'
import type { ChargingClient, Timer } from './types.ts'

const MAX_FENCED = 3
const FENCE_WINDOW_MS = 60_000

export interface Registration {
  start(): void
  stop(): void
  /** 0 until charging has confirmed this gateway. */
  readonly epoch: number
  /** Another process has taken over this gateway id for good. */
  readonly fenced: boolean
  /** Charging knows a newer epoch than `epoch`, under which a grant was asked for. */
  refused(epoch: number): void
}

/**
 * Keeps this gateway's epoch. A register call of ours, or of the process we replaced, may have arrived late and look like
 * another process: then registering again is right. Fenced again and again, there really is another, and one of the two must
 * give way.
 */
export function createRegistration(options: {
  readonly gateway: string
  readonly journal: string
  readonly charging: ChargingClient
  readonly clock: Clock
  readonly log: Log
  readonly timer: Timer
  readonly onRegistered: () => void
  readonly onFenced: () => void
}): Registration {
  const { gateway, journal, charging, clock, log, timer } = options
  let epoch = 0
  let fenced = false
  let stopped = false
  let refusedAtMs: number[] = []

  function register(): void {
    if (stopped) return
    charging.register(gateway, journal).then(
      (granted) => {
        epoch = granted
        log.info({ gateway, epoch }, 'registered with charging')
        options.onRegistered()
      },
      (error: unknown) => {
        log.warn({ cause: error }, 'charging cannot be reached; registering again')
        timer(RETRY_MS, register)
      },
    )
  }

  return {
    start: register,
    stop() {
      stopped = true
    },
    get epoch() {
      return epoch
    },
    get fenced() {
      return fenced
    },
    refused(refusedEpoch) {
      if (fenced || refusedEpoch !== epoch) return
      const nowMs = clock.nowMs()
      refusedAtMs = [...refusedAtMs.filter((atMs) => nowMs - atMs < FENCE_WINDOW_MS), nowMs]
      if (refusedAtMs.length <= MAX_FENCED) {
        log.warn({ gateway, epoch }, 'charging knows a newer epoch of this gateway: registering again')
        epoch = 0
        register()
        return
      }
      fenced = true
      log.error({ gateway, epoch }, 'another process has taken over this gateway id: nothing more is served here')
      options.onFenced()
    },
  }
}
