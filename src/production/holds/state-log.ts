import type { Slice, UsageRecord } from '#contract'
import type { Journal } from '#platform/journal'
import {
  checkpointEntry,
  closedEntry,
  keptEntry,
  openEntry,
  quarantinedEntry,
  recordEntry,
  recordIn,
  sliceEntry,
  writeRecordEntry,
  type Recovered,
} from './entries.ts'
import { USUAL_RECORD_BYTES } from './record-text.ts'
import { createTextSlabs } from './text-slabs.ts'
import type { Checkpoint, RequestOpening } from './types.ts'

type Durable = (error: Error | null) => void

export interface ShippableRecord {
  readonly id: string
  /** Every slice that it counts on. */
  readonly slices: readonly string[]
  /** JSON, outside the heap. */
  readonly text: Buffer
  seq: number
}

interface LiveEntry {
  seq: number
  rewriting: boolean
  /** What replaces it is in the log: written again after that, it would look as if it had begun anew. */
  isOver: boolean
  /** The entry as it would be written now. */
  readonly text: () => string
}

/**
 * The journal as this room uses it: knows which entries are still needed, gives back what precedes them, and rewrites the few
 * that are long-lived, so that the log stays small. An entry counts as replaced only when its replacement is durable.
 */
export interface StateLog {
  slice(slice: Slice, records: () => number, durable: Durable): void
  closed(id: string): void
  open(request: RequestOpening): void
  checkpoint(id: string, checkpoint: Checkpoint): void
  /** Appends; `durable` gets the record ready for shipping, which it then keeps needed until `shipped`. */
  record(
    record: UsageRecord,
    slices: readonly string[],
    durable: (error: Error | null, record: ShippableRecord) => void,
  ): void
  /** Charging refuses to read the record: it stays in the log for as long as it takes, without holding back the rest. */
  keep(record: ShippableRecord): void
  quarantined(record: ShippableRecord): void
  shipped(records: readonly ShippableRecord[]): void
  readonly openRequests: number
  readonly failed: Error | null
}

export function createStateLog(
  journal: Journal,
  recovered: Recovered,
  sliceRecords: (id: string) => number,
  compactAfterEntries: number,
): StateLog {
  const slabs = createTextSlabs()
  let durableThrough = journal.recovered.at(-1)?.seq ?? 0
  const slices = new Map<string, LiveEntry>()
  const opens = new Map<string, LiveEntry & { request: string; checkpoint: string }>()
  const kept = new Map<string, LiveEntry>()
  /** Durable and not shipped; records become durable in the order of their seqs, so the first is the oldest. */
  const unshipped = new Map<string, ShippableRecord>()

  for (const { slice, seq } of recovered.slices)
    slices.set(
      slice.id,
      liveSlice(slice, seq, () => sliceRecords(slice.id)),
    )
  for (const record of recovered.unshipped) unshipped.set(record.id, record)
  // Until an interrupted request has its record in the journal, what tells of it must stay.
  for (const { seq, record } of recovered.interrupted)
    opens.set(record.id, { ...liveOpen(seq, 'null', 'null'), isOver: true })

  function liveSlice(slice: Slice, seq: number, records: () => number): LiveEntry {
    return { seq, rewriting: false, isOver: false, text: () => sliceEntry(slice, records()) }
  }

  function liveOpen(seq: number, request: string, checkpoint: string) {
    const live = {
      seq,
      rewriting: false,
      isOver: false,
      request,
      checkpoint,
      text: () => openEntry(live.request, live.checkpoint),
    }
    return live
  }

  function append(payload: string, durable?: Durable): number {
    const seq = journal.append(payload, (error) => {
      if (!error) durableThrough = seq
      durable?.(error)
    })
    return seq
  }

  function oldestNeeded(): number {
    let oldest = durableThrough + 1
    for (const live of [slices, opens, kept]) for (const { seq } of live.values()) if (seq < oldest) oldest = seq
    for (const { id, seq } of unshipped.values()) {
      if (kept.has(id)) continue
      return Math.min(oldest, seq)
    }
    return oldest
  }

  function giveBack(): void {
    const oldest = oldestNeeded()
    journal.discardBefore(oldest)
    if (durableThrough - oldest < compactAfterEntries) return
    const oldEnough = durableThrough - compactAfterEntries / 2
    for (const live of [slices, opens, kept]) {
      for (const entry of live.values()) {
        if (entry.rewriting || entry.isOver || entry.seq > oldEnough) continue
        entry.rewriting = true
        const seq = append(entry.text(), (error) => {
          if (error) return
          entry.seq = seq
          entry.rewriting = false
        })
      }
    }
  }

  return {
    slice(slice, records, durable) {
      const seq = append(sliceEntry(slice, 0), (error) => {
        if (!error) slices.set(slice.id, liveSlice(slice, seq, records))
        durable(error)
      })
    },
    closed(id) {
      slices.delete(id)
      append(closedEntry(id))
      giveBack()
    },
    open(request) {
      const text = JSON.stringify(request)
      const before = opens.get(request.id)
      const live = liveOpen(0, text, 'null')
      const seq = append(openEntry(text, 'null'), (error) => {
        if (!error) live.seq = seq
      })
      // After a failover the older entry stays needed until the newer is durable.
      live.seq = before?.seq ?? seq
      opens.set(request.id, live)
    },
    checkpoint(id, checkpoint) {
      const live = opens.get(id)
      if (!live) return
      live.checkpoint = JSON.stringify(checkpoint)
      append(checkpointEntry(id, live.checkpoint))
    },
    record(usage, named, durable) {
      const { id } = usage
      // Encoded once: what the journal writes and what charging is sent are the same bytes.
      const entry =
        slabs.fill(USUAL_RECORD_BYTES, (slab, from) => writeRecordEntry(usage, slab, from)) ?? recordEntry(usage)
      const record: ShippableRecord = { id, slices: named, text: recordIn(entry), seq: 0 }
      const open = opens.get(id)
      if (open) open.isOver = true
      record.seq = journal.append(entry, (error) => {
        if (!error) {
          durableThrough = record.seq
          opens.delete(id)
          unshipped.set(id, record)
        }
        durable(error, record)
      })
    },
    keep(record) {
      kept.set(record.id, {
        seq: record.seq,
        rewriting: false,
        isOver: false,
        text: () => keptEntry(record.text.toString()),
      })
    },
    quarantined(record) {
      append(quarantinedEntry(record.id, record.slices))
    },
    shipped(records) {
      for (const { id } of records) {
        unshipped.delete(id)
        kept.delete(id)
      }
      giveBack()
    },
    get openRequests() {
      return opens.size
    },
    get failed() {
      return journal.failed
    },
  }
}
