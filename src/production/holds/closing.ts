import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'
import { canClose, drain } from './model.ts'
import type { BucketAccount, HeldSlice } from './model.ts'
import { RETRY_MS } from './options.ts'
import type { ChargingClient } from './types.ts'

/** Gives slices back to charging, once nothing is held in them and all their records are acknowledged. */
export function createClosing(options: {
  readonly gateway: string
  readonly journal: string
  readonly charging: ChargingClient
  readonly clock: Clock
  readonly log: Log
  readonly isStopped: () => boolean
  readonly onClosed: (held: HeldSlice) => void
}) {
  const { gateway, journal, charging, clock, log, isStopped, onClosed } = options

  function drainAndClose(account: BucketAccount, held: HeldSlice): void {
    drain(account, held)
    closeIfDue(held)
  }

  /** Looks once the current callback is over: a record and the capture of its hold may come in either order. */
  function closeIfDue(held: HeldSlice): void {
    if (held.phase === 'draining') queueMicrotask(() => canClose(held, clock.nowMs()) && !isStopped() && close(held))
  }

  function close(held: HeldSlice): void {
    const { id } = held.slice
    const { records } = held
    held.phase = 'closing'
    const again = (fields: object, message: string): void => {
      held.phase = 'draining'
      held.retryAtMs = clock.nowMs() + RETRY_MS
      log.warn({ slice: id, records, ...fields }, message)
    }
    charging.close(gateway, journal, id, records).then(
      (reply) => {
        if (reply.outcome === 'missing') {
          again({ ingested: reply.ingested }, 'charging misses records of a slice that it had acknowledged')
          return
        }
        // Only after the journal's files were changed behind its back: what they say of the slice may not be all there was.
        if (reply.outcome === 'foreign')
          log.error({ slice: id, records }, 'this slice belongs to another journal: it stays set aside for an operator')
        onClosed(held)
      },
      (error: unknown) => again({ cause: error }, 'a slice could not be given back yet'),
    )
  }

  return { closeIfDue, drainAndClose }
}
