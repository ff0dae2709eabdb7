import { SEGMENT_HEADER_BYTES, decodeFrame, decodeSegmentHead, type SegmentHead } from './frame.ts'
import type { JournalEntry } from './types.ts'

/** A segment file as found in the directory. */
export interface FoundSegment {
  /** From the file's name. */
  readonly id: number
  readonly bytes: Buffer
}

/** What a segment holds up to its first bad frame. */
export interface ScannedSegment {
  readonly id: number
  readonly entries: readonly JournalEntry[]
  /** Highest discard mark in the segment, 0 for none. */
  readonly floor: number
  /** Offset of the first byte that is not part of a good frame. */
  readonly cutAt: number
  /** First seq of the last write that left a readable frame after the cut; undefined when there is none. */
  readonly beyondSeq: number | undefined
}

export interface Recovery {
  readonly entries: readonly JournalEntry[]
  readonly floor: number
  readonly nextSeq: number
  /** Sorted by id; those after a break in the sequence are included, their entries are not. */
  readonly segments: readonly ScannedSegment[]
  /** Ids of segments that hold acknowledged entries which could not be returned, or that show where they were lost. */
  readonly damagedIds: readonly number[]
}

export function scanSegment({ id, bytes }: FoundSegment): ScannedSegment {
  const head = decodeSegmentHead(bytes)
  // A file gets its name only after its head is on disk, so an unreadable head is damage. A head of another id is harmless: the
  // file was being recycled when the crash undid its new name.
  if (!head || head.id !== id) return { id, entries: [], floor: 0, cutAt: 0, beyondSeq: head ? undefined : Infinity }
  const entries: JournalEntry[] = []
  let floor = 0
  let at = SEGMENT_HEADER_BYTES
  for (let frame = decodeFrame(bytes, at, head); frame; frame = decodeFrame(bytes, at, head)) {
    if (frame.kind === 'floor') floor = Math.max(floor, frame.seq)
    else {
      const last = entries.at(-1)
      if (last && frame.seq !== last.seq + 1) break
      entries.push({ seq: frame.seq, payload: frame.payload })
    }
    at = frame.end
  }
  return { id, entries, floor, cutAt: at, beyondSeq: lastWriteBeyond(bytes, at, head) }
}

/** Where the last write that left a readable frame after the cut began. Everything before that seq had been acknowledged. */
function lastWriteBeyond(bytes: Buffer, cutAt: number, head: SegmentHead): number | undefined {
  let latest: number | undefined
  const idBytes = Buffer.alloc(4)
  idBytes.writeUInt32BE(head.id)
  for (let at = bytes.indexOf(idBytes, cutAt); at !== -1; at = bytes.indexOf(idBytes, at + 1)) {
    const frame = at - 8 >= cutAt ? decodeFrame(bytes, at - 8, head) : undefined
    if (frame?.kind === 'entry') latest = Math.max(latest ?? 0, frame.seq - frame.back)
  }
  return latest
}

/** Joins the segments into the longest unbroken run of entries from the discard mark on. */
export function recoverEntries(found: readonly FoundSegment[]): Recovery {
  const segments = [...found].sort((a, b) => a.id - b.id).map(scanSegment)
  const floor = Math.max(1, ...segments.map((segment) => segment.floor))
  const entries: JournalEntry[] = []
  const damagedIds: number[] = []
  let nextSeq = floor
  let broken = false
  for (const segment of segments) {
    const needed = segment.entries.filter((entry) => entry.seq >= floor)
    const first = needed[0]
    if (!broken && first && first.seq > nextSeq) {
      broken = true
      damagedIds.push(segment.id)
    }
    if (broken) {
      if (first && !damagedIds.includes(segment.id)) damagedIds.push(segment.id)
      continue
    }
    for (const entry of needed) {
      // Entries that an earlier opening cut away as unacknowledged may still be there; the newer segment wins.
      if (entry.seq < nextSeq) entries.length -= nextSeq - entry.seq
      entries.push(entry)
      nextSeq = entry.seq + 1
    }
    // A write past the cut began only after the entry expected here was acknowledged, so that entry was lost, not torn.
    if (segment.beyondSeq !== undefined && segment.beyondSeq > nextSeq) {
      broken = true
      damagedIds.push(segment.id)
    }
  }
  return { entries, floor, nextSeq, segments, damagedIds }
}
