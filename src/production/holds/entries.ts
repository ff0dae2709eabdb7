import * as z from 'zod'
import { Slice, type UsageRecord } from '#contract'
import { NO_TOKENS } from '#kernel'
import { writeRecord } from './record-text.ts'
import type { Checkpoint, RequestOpening } from './types.ts'

/**
 * What this room writes into the gateway's journal, one JSON object per entry:
 *
 * - `slice`: a grant, before its first use. `records` says how many records of it precede the entry, so it may be rewritten.
 * - `closed`: charging has confirmed the end of a slice.
 * - `open` and `checkpoint`: a request that is with a supplier, and how far it got.
 * - `record`: the terminal record. Counts on its slice, ends its `open`.
 * - `kept`: a record again, because charging refuses it and the log before it shall be given back. Counts on nothing.
 * - `quarantined`: charging has set a record aside: it will never count as ingested.
 *
 * Journals of before there were buckets are read as well: their slices name a tenant, whose wallet they are of.
 */
export const sliceEntry = (slice: Slice, records: number): string => JSON.stringify({ t: 'slice', slice, records })
export const closedEntry = (id: string): string => JSON.stringify({ t: 'closed', id })
export const quarantinedEntry = (id: string, slices: readonly string[]): string =>
  JSON.stringify({ t: 'quarantined', id, slices })
export const openEntry = (request: string, checkpoint: string): string =>
  `{"t":"open","request":${request},"checkpoint":${checkpoint}}`
export const checkpointEntry = (id: string, checkpoint: string): string =>
  `{"t":"checkpoint","id":${JSON.stringify(id)},"checkpoint":${checkpoint}}`

const RECORD_PREFIX = '{"t":"record","record":'
const KEPT_PREFIX = '{"t":"kept","record":'

/** Writes the entry of a record to `target` from `from` on and returns where it ends, or -1 where it does not fit. */
export function writeRecordEntry(record: UsageRecord, target: Buffer, from: number): number {
  const start = from + target.write(RECORD_PREFIX, from, 'latin1')
  const end = writeRecord(record, target, start)
  if (end < 0 || end === target.length) return -1
  target[end] = CLOSE
  return end + 1
}
const CLOSE = 0x7d
/** The same for one of any length. */
export const recordEntry = (record: UsageRecord): Buffer => Buffer.from(`${RECORD_PREFIX}${JSON.stringify(record)}}`)

/** The record within its entry. */
export const recordIn = (entry: Buffer): Buffer => entry.subarray(RECORD_PREFIX.length, -1)
export const keptEntry = (record: string): string => `${KEPT_PREFIX}${record}}`

type Entry =
  | { readonly t: 'slice'; readonly slice: unknown; readonly records: number }
  | { readonly t: 'closed'; readonly id: string }
  | { readonly t: 'open'; readonly request: RequestOpening; readonly checkpoint: Checkpoint | null }
  | { readonly t: 'checkpoint'; readonly id: string; readonly checkpoint: Checkpoint }
  | { readonly t: 'record' | 'kept'; readonly record: NamingSlices & { readonly id: string } }
  | ({ readonly t: 'quarantined'; readonly id: string } & QuarantinedSlices)

interface NamingSlices {
  readonly slice: string | null
  readonly draws?: ReadonlyArray<{ readonly slice: string }> | undefined
}

/** `slice` was written before a record could name several. */
type QuarantinedSlices = { readonly slices: readonly string[] } | { readonly slice: string | null }

/** Every slice that a record counts on. None is named twice. */
export function slicesOf({ slice, draws }: NamingSlices): readonly string[] {
  if (!draws) return slice === null ? [] : [slice]
  const named = draws.map((draw) => draw.slice)
  return slice === null ? named : [slice, ...named]
}

const SliceOfBefore = z.object({ tenant: z.string(), amountPico: z.string() })

function readSlice(value: unknown): Slice {
  const before = SliceOfBefore.safeParse(value)
  if (!before.success) return Slice.parse(value)
  const { tenant, amountPico } = before.data
  return Slice.parse({ ...(value as object), bucket: `wallet:${tenant}`, amount: amountPico })
}

export interface RecoveredSlice {
  readonly slice: Slice
  readonly seq: number
  /** Records that charging must have ingested before the slice can close, quarantined ones left out. */
  readonly records: number
}

export interface RecoveredRecord {
  readonly seq: number
  readonly id: string
  readonly slices: readonly string[]
  /** JSON, as bytes of the journal. */
  readonly text: Buffer
}

export interface Recovered {
  readonly slices: readonly RecoveredSlice[]
  /** Records that charging may not have, oldest first. Sending one that it has is harmless. */
  readonly unshipped: readonly RecoveredRecord[]
  /** Requests that were with a supplier when the gateway died, with the seq of the entry that must stay until each has a record. */
  readonly interrupted: ReadonlyArray<{ readonly seq: number; readonly record: UsageRecord }>
}

/** Replays the journal of `gateway`. Pure: the same entries give the same records, whoever asks and when. */
export function recover(
  gateway: string,
  entries: ReadonlyArray<{ readonly seq: number; readonly payload: Buffer }>,
): Recovered {
  const slices = new Map<string, { slice: Slice; seq: number; records: number }>()
  const opens = new Map<string, { seq: number; request: RequestOpening; checkpoint: Checkpoint | null }>()
  const unshipped = new Map<string, RecoveredRecord>()
  const count = (named: readonly string[], by: number): void => {
    for (const id of named) {
      const holder = slices.get(id)
      if (holder) holder.records += by
    }
  }
  for (const { seq, payload } of entries) {
    const text = payload.toString()
    const entry = JSON.parse(text) as Entry
    switch (entry.t) {
      case 'slice': {
        const slice = readSlice(entry.slice)
        slices.set(slice.id, { slice, seq, records: entry.records })
        break
      }
      case 'closed':
        slices.delete(entry.id)
        break
      case 'open':
        opens.set(entry.request.id, { seq, request: entry.request, checkpoint: entry.checkpoint })
        break
      case 'checkpoint': {
        const open = opens.get(entry.id)
        if (open) open.checkpoint = entry.checkpoint
        break
      }
      case 'record':
      case 'kept': {
        const { id } = entry.record
        const named = slicesOf(entry.record)
        if (entry.t === 'record') count(named, 1)
        opens.delete(id)
        const prefix = entry.t === 'record' ? RECORD_PREFIX : KEPT_PREFIX
        unshipped.delete(id) // So that a rewritten record takes its place in the order of seqs.
        unshipped.set(id, { seq, id, slices: named, text: payload.subarray(Buffer.byteLength(prefix), -1) })
        break
      }
      case 'quarantined': {
        count('slices' in entry ? entry.slices : slicesOf(entry), -1)
        unshipped.delete(entry.id)
        break
      }
    }
  }
  const interrupted = [...opens.values()].map(({ seq, request, checkpoint }) => ({
    seq,
    record: interruptedRecord(gateway, request, checkpoint),
  }))
  return { slices: [...slices.values()], unshipped: [...unshipped.values()], interrupted }
}

/** The customer never pays for our crash; what the supplier generated until the last checkpoint is our cost. */
function interruptedRecord(gateway: string, request: RequestOpening, checkpoint: Checkpoint | null): UsageRecord {
  const completedAtMs = checkpoint?.atMs ?? request.acceptedAtMs
  return {
    ...request,
    gateway,
    ending: 'interrupted',
    finishReason: null,
    // Nobody knows what the client saw.
    status: 0,
    completedAtMs,
    ttftMs: null,
    durationMs: Math.max(0, completedAtMs - request.acceptedAtMs),
    reported: null,
    counted: null,
    tokens: checkpoint?.tokens ?? NO_TOKENS,
    basis: checkpoint ? 'checkpoint' : 'none',
    note: 'the gateway stopped before the request ended',
    sellPico: '0',
    taxPico: '0',
    buyPico: checkpoint?.buyPico ?? '0',
  }
}
