import type { Clock } from '#platform/clock'
import type { Journal } from '#platform/journal'
import type { Log } from '#platform/log'
import type { ChargingClient, HoldsLimits, Timer } from './types.ts'

export interface HoldsOptions {
  /** This gateway's id at charging. One journal belongs to one id. */
  readonly gateway: string
  readonly journal: Journal
  readonly charging: ChargingClient
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<HoldsLimits>
  /** Only tests and simulations pass one. */
  readonly timer?: Timer
}

const YUAN = 1_000_000_000_000n

export const DEFAULT_LIMITS: HoldsLimits = {
  sliceMinPico: YUAN / 10n,
  sliceMaxPico: 50n * YUAN,
  sliceMs: 2_000,
  idleMs: 5_000,
  refusedRetries: 8,
  refusedRetryMs: 60,
  maxWaiting: 4_096,
  shipLingerMs: 20,
  shipBusyLingerMs: 250,
  reconcileMs: 30_000,
  compactAfterEntries: 20_000,
}

/** How long a bucket's desk stays without anything to do: those of past minutes and days never come back. */
export const FORGET_DESK_MS = 60_000

/** How long a call to charging that failed is left alone. */
export const RETRY_MS = 500

export const systemTimer: Timer = (delayMs, run) => {
  const handle = setTimeout(run, delayMs).unref()
  return () => clearTimeout(handle)
}
