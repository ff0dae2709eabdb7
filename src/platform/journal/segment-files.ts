import * as fs from 'node:fs'
import { join } from 'node:path'
import { encodeSegmentHead, type SegmentHead } from './frame.ts'
import type { FoundSegment } from './recover.ts'

const SEGMENT_NAME = /^(\d{10})\.seg$/
const SPARE_NAME = 'recycled.spare'
const FILL = Buffer.alloc(256 * 1024)

export const segmentPath = (dir: string, id: number): string => join(dir, `${String(id).padStart(10, '0')}.seg`)

export function readSegments(dir: string): FoundSegment[] {
  return fs.readdirSync(dir).flatMap((name) => {
    const id = Number(SEGMENT_NAME.exec(name)?.[1])
    return id > 0 ? [{ id, bytes: fs.readFileSync(join(dir, name)) }] : []
  })
}

/** Makes a cut final: what was read is on stable storage, and what follows the last good frame is gone. */
export function sealSegment(path: string, cutAt: number): void {
  const fd = fs.openSync(path, 'r+')
  try {
    fs.ftruncateSync(fd, cutAt)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Keeps a copy of a file with unreadable acknowledged entries for an operator; it is never read again. */
export function keepDamaged(dir: string, id: number): void {
  fs.copyFileSync(segmentPath(dir, id), `${segmentPath(dir, id)}.damaged`)
}

export function syncDirectory(dir: string): void {
  const fd = fs.openSync(dir, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Puts a discarded segment by for recycling, or deletes it when one is already put by. */
export function retireSegment(dir: string, id: number): void {
  const path = segmentPath(dir, id)
  if (fs.existsSync(join(dir, SPARE_NAME))) fs.rmSync(path, { force: true })
  else fs.renameSync(path, join(dir, SPARE_NAME))
}

/**
 * Makes the file for segment `id`, of full size and never written to, or from a recycled one. Its name and size are on stable
 * storage before it is used. `random` seeds the checksums of this life of the file.
 */
export async function prepareSegment(
  dir: string,
  id: number,
  bytes: number,
  random: () => number,
): Promise<SegmentHead> {
  const head = { id, seed: random() >>> 0 }
  const spare = join(dir, SPARE_NAME)
  const fresh = join(dir, 'next.tmp')
  const recycled = await fs.promises.rename(spare, fresh).then(
    () => true,
    () => false,
  )
  const file = await fs.promises.open(fresh, recycled ? 'r+' : 'w+')
  try {
    const { size } = await file.stat()
    // A recycled file keeps its old bytes, so that writing to it again allocates nothing; the new seed makes them unreadable.
    for (let at = recycled && size === bytes ? bytes : 0; at < bytes; at += FILL.length) {
      await file.write(FILL, 0, Math.min(FILL.length, bytes - at), at)
    }
    if (size > bytes) await file.truncate(bytes)
    await file.write(encodeSegmentHead(head), 0, undefined, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await fs.promises.rename(fresh, segmentPath(dir, id))
  const directory = await fs.promises.open(dir, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return head
}
