import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, openFrame, sealFrame, type SegmentHead } from './frame.ts'
import { realDisk, type Disk } from './disk.ts'
import { readIdentity, writeIdentity } from './identity.ts'
import { lockDirectory } from './lock.ts'
import { recoverEntries, type Recovery } from './recover.ts'
import {
  keepDamaged,
  prepareSegment,
  readSegments,
  retireSegment,
  sealSegment,
  segmentPath,
  syncDirectory,
} from './segment-files.ts'
import type { Journal, JournalDamage } from './types.ts'

type Durable = (error: Error | null) => void

export interface JournalOptions {
  /** Size of one preallocated file; the unit in which space is given back. 8 MiB unless told. */
  readonly segmentBytes?: number
  /**
   * Called when acknowledged entries cannot be read back (bit rot, a lost file). Copies of the files are kept beside, named
   * `….damaged`, and the journal opens with what precedes them. Without it opening fails, and nothing is touched.
   */
  readonly onDamage?: (damage: JournalDamage) => void
  /** Only tests pass one. */
  readonly disk?: Disk
}

/** Entries that go to disk in one write. */
interface Batch {
  /** Starts with room for one floor frame, which is filled in only when the batch is written. */
  bytes: Buffer
  used: number
  readonly durable: Durable[]
  readonly firstSeq: number
  lastSeq: number
}

/** A longer entry is a bug of the caller: a usage record is about a kilobyte. */
const MAX_PAYLOAD_BYTES = 1024 * 1024
/** A batch stops growing here, so that one write stays short. */
const BATCH_BYTES = 256 * 1024
const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024
const randomSeed = (): number => randomBytes(4).readUInt32BE()

/**
 * Opens the journal in `dir`, creating it if absent, and takes the directory for this process alone.
 * Throws when it is open elsewhere, unwritable, or damaged (see `onDamage`).
 */
export async function openJournal(dir: string, options: JournalOptions = {}): Promise<Journal> {
  const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES
  if (segmentBytes < 4096) throw new RangeError(`segmentBytes ${segmentBytes}`)
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(dir)
  try {
    const recovery = recoverEntries(readSegments(dir))
    refuseDamage(dir, recovery, options.onDamage)
    const id = settleIdentity(dir, recovery)
    const live = settleSegments(dir, recovery, options.onDamage)
    return await startJournal({ id, dir, segmentBytes, disk: options.disk ?? realDisk, unlock, recovery, ...live })
  } catch (error) {
    unlock()
    throw error
  }
}

interface LiveSegment {
  readonly id: number
  lastSeq: number
}

function damageOf(dir: string, recovery: Recovery): JournalDamage {
  return { afterSeq: recovery.nextSeq - 1, files: recovery.damagedIds.map((id) => segmentPath(dir, id)) }
}

function refuseDamage(dir: string, recovery: Recovery, onDamage: JournalOptions['onDamage']): void {
  const { afterSeq, files } = damageOf(dir, recovery)
  if (files.length > 0 && !onDamage)
    throw new Error(`acknowledged entries after seq ${afterSeq} cannot be read: ${files.join(', ')}`)
}

/**
 * Before the damage is settled, because afterwards nobody could tell. An open journal has at least the mark in its first segment, so
 * an identity without any segment has lost them.
 */
function settleIdentity(dir: string, recovery: Recovery): string {
  const isWhole = recovery.segments.length > 0 && recovery.damagedIds.length === 0
  const known = isWhole ? readIdentity(dir) : undefined
  if (known !== undefined) return known
  const id = randomBytes(16).toString('hex')
  writeIdentity(dir, id)
  return id
}

/** Makes what was recovered final on disk, and says which segments hold entries (`live`) and which only a mark (`unneeded`). */
function settleSegments(dir: string, recovery: Recovery, onDamage: JournalOptions['onDamage']) {
  const damage = damageOf(dir, recovery)
  const live: LiveSegment[] = []
  const unneeded: number[] = []
  for (const { id, entries, floor, cutAt } of recovery.segments) {
    if (recovery.damagedIds.includes(id)) keepDamaged(dir, id)
    const kept = entries.filter((entry) => entry.seq >= recovery.floor && entry.seq < recovery.nextSeq).at(-1)
    if (kept) {
      sealSegment(segmentPath(dir, id), cutAt)
      live.push({ id, lastSeq: kept.seq })
    } else if (floor > 0 || entries.length > 0) unneeded.push(id)
    else retireSegment(dir, id)
  }
  syncDirectory(dir)
  if (damage.files.length > 0) onDamage?.(damage)
  return { live, unneeded }
}

interface Start {
  readonly id: string
  readonly dir: string
  readonly segmentBytes: number
  readonly disk: Disk
  readonly unlock: () => void
  readonly recovery: Recovery
  readonly live: LiveSegment[]
  readonly unneeded: readonly number[]
}

async function startJournal({
  id,
  dir,
  segmentBytes,
  disk,
  unlock,
  recovery,
  live,
  unneeded,
}: Start): Promise<Journal> {
  const prepare = (id: number): Promise<SegmentHead> => prepareSegment(dir, id, segmentBytes, randomSeed)
  const capacity = segmentBytes - SEGMENT_HEADER_BYTES
  const maxPayloadBytes = Math.min(MAX_PAYLOAD_BYTES, capacity - 2 * FRAME_HEADER_BYTES)

  let floor = recovery.floor
  let nextSeq = recovery.nextSeq
  let failed: Error | null = null
  let closing = false
  let segment = await prepare(Math.max(0, ...recovery.segments.map(({ id }) => id)) + 1)
  let fd = disk.open(segmentPath(dir, segment.id))
  let position = SEGMENT_HEADER_BYTES
  let following: Promise<SegmentHead> | undefined
  /** The discard mark as last written into the current segment; 0 right after a rotation, so that every segment has one. */
  let floorWritten = 0
  let writing = false
  let scheduled = false
  let onIdle: (() => void) | undefined
  const queue: Batch[] = []
  const idleBuffers: Buffer[] = []

  function newBatch(firstSeq: number, atLeast: number): Batch {
    const idle = atLeast <= BATCH_BYTES ? idleBuffers.pop() : undefined
    const bytes = idle ?? Buffer.allocUnsafeSlow(Math.max(BATCH_BYTES, atLeast))
    return { bytes, used: FRAME_HEADER_BYTES, durable: [], firstSeq, lastSeq: firstSeq - 1 }
  }

  function append(payload: string | Buffer, durable?: Durable): number {
    if (failed || closing) {
      const reason = failed ?? new Error('the journal is closed')
      if (durable) queueMicrotask(() => durable(reason))
      return nextSeq
    }
    // Three bytes per UTF-16 unit is the most UTF-8 takes; counting exactly is needed only where that does not fit.
    let most = typeof payload === 'string' ? payload.length * 3 : payload.length
    if (most > maxPayloadBytes) {
      most = Buffer.byteLength(payload)
      if (most > maxPayloadBytes)
        throw new RangeError(`a journal entry of ${most} bytes; at most ${maxPayloadBytes} fit`)
    }
    const room = FRAME_HEADER_BYTES + most
    let batch = queue.at(-1)
    if (!batch || batch.used + room > Math.min(batch.bytes.length, capacity)) {
      batch = newBatch(nextSeq, FRAME_HEADER_BYTES + room)
      queue.push(batch)
    }
    const seq = nextSeq++
    const at = batch.used
    const start = at + FRAME_HEADER_BYTES
    const length = typeof payload === 'string' ? batch.bytes.write(payload, start) : payload.copy(batch.bytes, start)
    openFrame(batch.bytes, at, 'entry', length, seq)
    batch.used = at + FRAME_HEADER_BYTES + length
    batch.lastSeq = seq
    if (durable) batch.durable.push(durable)
    schedule()
    return seq
  }

  /** Waits for the end of the current callback, so that what one event appends goes out in one write. */
  function schedule(): void {
    if (writing || scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      flush()
    })
  }

  function flush(): void {
    if (writing || failed) return
    const batch = queue.shift() ?? (floor > floorWritten ? newBatch(nextSeq, FRAME_HEADER_BYTES) : undefined)
    if (!batch) {
      onIdle?.()
      return
    }
    writing = true
    if (position + batch.used <= segmentBytes) write(batch)
    else {
      rotate().then(
        () => write(batch),
        (error: unknown) => fail(error, batch),
      )
    }
  }

  async function rotate(): Promise<void> {
    // What went wrong when it was prepared ahead may be over by now: room may have been made on the disk.
    const next = await (following?.catch(() => prepare(segment.id + 1)) ?? prepare(segment.id + 1))
    following = undefined
    const nextFd = disk.open(segmentPath(dir, next.id))
    disk.close(fd)
    live.push({ id: segment.id, lastSeq: lastWritten })
    segment = next
    fd = nextFd
    position = SEGMENT_HEADER_BYTES
    floorWritten = 0
  }

  let lastWritten = nextSeq - 1

  function write(batch: Batch): void {
    const withFloor = floor > floorWritten
    const floorInBatch = withFloor ? floor : floorWritten
    const start = withFloor ? 0 : FRAME_HEADER_BYTES
    if (withFloor) openFrame(batch.bytes, 0, 'floor', 0, floor)
    for (let at = start, entry = withFloor ? -1 : 0; at < batch.used; entry++) {
      at = sealFrame(batch.bytes, at, segment, Math.max(0, entry))
    }
    const length = batch.used - start
    disk.write(fd, batch.bytes, start, length, position, (error) => {
      if (error) {
        fail(error, batch)
        return
      }
      writing = false
      position += length
      lastWritten = batch.lastSeq
      floorWritten = floorInBatch
      if (batch.bytes.length === BATCH_BYTES && idleBuffers.length < 2) idleBuffers.push(batch.bytes)
      settle(batch, null)
      giveBack()
      prepareAhead()
      flush()
    })
  }

  /** Half a segment ahead is early enough, and keeps a journal that writes little to one file. */
  function prepareAhead(): void {
    if (following || closing || position < segmentBytes / 2) return
    following = prepare(segment.id + 1)
    following.catch(() => {}) // Looked at when it is needed: the current segment may still do its work.
  }

  /** Only segments below the discard mark that is itself on disk: after a crash the rest must still be a run without gaps. */
  function giveBack(): void {
    for (let first = live[0]; first && first.lastSeq < floorWritten; first = live[0]) {
      live.shift()
      retireSegment(dir, first.id)
    }
  }

  /** After a refused write nobody knows what is on disk, so trying again could acknowledge what is not there. */
  function fail(error: unknown, batch: Batch): void {
    failed = error instanceof Error ? error : new Error(String(error))
    writing = false
    settle(batch, failed)
    for (const waiting of queue.splice(0)) settle(waiting, failed)
    onIdle?.()
  }

  await new Promise<void>((resolve, reject) => {
    const mark = newBatch(nextSeq, FRAME_HEADER_BYTES)
    mark.durable.push((error) => (error ? reject(error) : resolve()))
    writing = true
    write(mark)
  }).catch((error: unknown) => {
    disk.close(fd)
    throw error
  })
  // The mark is in the new segment now, so older marks are no longer needed.
  for (const id of unneeded) retireSegment(dir, id)
  // From here on segments are usually recycled: filling a fresh one disturbs the writes beside it.
  following = prepare(segment.id + 1)
  await following.catch(() => {}) // The first segment is there, so it can begin.

  return {
    id,
    append,
    discardBefore(seq) {
      floor = Math.max(floor, Math.min(seq, nextSeq))
      if (floor > floorWritten && !failed && !closing) schedule()
    },
    recovered: recovery.entries,
    get failed() {
      return failed
    },
    async [Symbol.asyncDispose]() {
      if (closing) return
      closing = true
      if (!failed && (writing || queue.length > 0 || floor > floorWritten))
        await new Promise<void>((resolve) => (onIdle = resolve))
      await following?.catch(() => {})
      disk.close(fd)
      unlock()
    },
  }
}

/** A callback that throws is a bug of its owner: it surfaces as uncaught, and the ones after it still hear of their entries. */
function settle(batch: Batch, error: Error | null): void {
  for (const durable of batch.durable) {
    try {
      durable(error)
    } catch (bug) {
      queueMicrotask(() => {
        throw bug
      })
    }
  }
}
