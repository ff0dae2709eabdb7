import type { UsageReply } from '#contract'
import type { Log } from '#platform/log'
import { isRefused } from './charging-client.ts'
import type { ShippableRecord } from './state-log.ts'
import type { ChargingClient, Timer } from './types.ts'

const MAX_BATCH_RECORDS = 500
const MAX_BATCH_BYTES = 4_000_000
/** A batch of this many says that many come. */
const BUSY_BATCH_RECORDS = 10
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 5_000
/** How long a record that charging cannot read is left alone before it is tried again. */
const REFUSED_RETRY_MS = 60_000

export interface Shipper {
  /** Queues a durable record. */
  add(record: ShippableRecord): void
  /** Sends what is queued without waiting for company. */
  hurry(): void
  /** Records not acknowledged yet, refused ones included. */
  readonly size: number
  stop(): void
}

export interface ShipperOptions {
  readonly gateway: string
  readonly charging: ChargingClient
  readonly log: Log
  readonly timer: Timer
  /** How long a record waits for company while few come, and while so many come that every batch costs more than it carries. */
  readonly lingerMs: number
  readonly busyLingerMs: number
  /** Charging has these, posted or, where listed, set aside. */
  readonly onAcknowledged: (records: readonly ShippableRecord[], quarantined: ReadonlySet<string>) => void
  /** Charging cannot read this record even on its own. It stays queued. */
  readonly onRefused: (record: ShippableRecord) => void
}

/**
 * Brings records to charging in the order of the journal, one batch at a time, until each is acknowledged. Nothing is ever
 * dropped: a failed batch is sent again, and one that charging refuses to read is halved until the culprit travels alone.
 */
export function createShipper(options: ShipperOptions): Shipper {
  const { gateway, charging, log, timer } = options
  const queue: ShippableRecord[] = []
  let refused: ShippableRecord[] = []
  let sending = false
  let stopped = false
  let backoffMs = 0
  let batchLimit = MAX_BATCH_RECORDS
  let cancelTimer: (() => void) | undefined
  let isBusy = false

  const linger = (): number => (isBusy ? options.busyLingerMs : options.lingerMs)

  function wake(delayMs: number): void {
    if (cancelTimer || sending || stopped || queue.length === 0) return
    cancelTimer = timer(delayMs, () => {
      cancelTimer = undefined
      send()
    })
  }

  function send(): void {
    if (sending || stopped || queue.length === 0) return
    cancelTimer?.()
    cancelTimer = undefined
    let count = 0
    for (let bytes = 0; count < Math.min(queue.length, batchLimit); count++) {
      bytes += queue[count]?.text.length ?? 0
      if (count > 0 && bytes > MAX_BATCH_BYTES) break
    }
    const batch = queue.slice(0, count)
    sending = true
    isBusy = count >= BUSY_BATCH_RECORDS
    charging
      .usage(
        gateway,
        batch.map((record) => record.text),
      )
      .then(
        (reply) => acknowledged(batch, reply),
        (error: unknown) => failed(batch, error),
      )
  }

  function acknowledged(batch: readonly ShippableRecord[], reply: UsageReply): void {
    sending = false
    backoffMs = 0
    batchLimit = MAX_BATCH_RECORDS
    queue.splice(0, batch.length)
    for (const { id, reason } of reply.quarantined) {
      log.error({ record: id, reason }, 'charging has set a usage record aside: an operator must look at it')
    }
    options.onAcknowledged(batch, new Set(reply.quarantined.map(({ id }) => id)))
    wake(queue.length >= MAX_BATCH_RECORDS ? 0 : linger())
  }

  function failed(batch: readonly ShippableRecord[], error: unknown): void {
    sending = false
    const [only] = batch
    if (isRefused(error) && batch.length > 1) {
      batchLimit = Math.ceil(batch.length / 2)
      wake(0)
      return
    }
    if (isRefused(error) && only) {
      queue.shift()
      refused.push(only)
      log.error(
        { record: only.id, cause: error },
        'charging cannot read a usage record: it stays in the journal and is not billed',
      )
      options.onRefused(only)
      if (refused.length === 1) timer(REFUSED_RETRY_MS, retryRefused)
      wake(0)
      return
    }
    backoffMs = Math.min(BACKOFF_MAX_MS, Math.max(BACKOFF_MIN_MS, backoffMs * 2))
    log.warn({ records: queue.length, cause: error, retryMs: backoffMs }, 'usage records could not be sent')
    wake(backoffMs)
  }

  function retryRefused(): void {
    queue.push(...refused)
    refused = []
    wake(0)
  }

  return {
    add(record) {
      queue.push(record)
      // While charging is failing, its back-off decides, not the arrival of more records.
      if (backoffMs === 0 && queue.length >= MAX_BATCH_RECORDS) send()
      else wake(backoffMs || linger())
    },
    hurry() {
      if (backoffMs === 0) send()
    },
    get size() {
      return queue.length + refused.length
    },
    stop() {
      stopped = true
      cancelTimer?.()
    },
  }
}
