import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { createInflateRaw } from 'node:zlib'
import { statementUnreadable } from '../problems.ts'
import type { Source } from './source.ts'

/** PKWARE's APPNOTE.TXT 6.3, as far as spreadsheets use it: no encryption, no second disk, no 64-bit sizes. */
const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const MOST_COMMENT_BYTES = 0xffff
const MOST_DIRECTORY_BYTES = 1 << 20
const MOST_ENTRIES = 1_000
/** Sheets of numbers are squeezed to a tenth or so; a thousandth is nothing but room to fill. */
const MOST_RATIO = 250
const RATIO_COUNTS_FROM_BYTES = 1 << 20

interface Entry {
  readonly name: string
  readonly method: number
  readonly packedBytes: number
  readonly offset: number
}

export interface Zip extends AsyncDisposable {
  has(name: string): boolean
  /** An entry's bytes, unpacked while they are read, and never more than `mostBytes`. */
  read(name: string, mostBytes: number): AsyncGenerator<Buffer>
}

const broken = (what: string) => statementUnreadable({ flaw: 'not_xlsx', line: null, what })
const bomb = (what: string) => statementUnreadable({ flaw: 'zip_bomb', line: null, what })

export async function openZip(source: Source): Promise<Zip> {
  const file = await open(source.path, 'r')
  try {
    const entries = await directoryOf(file, source.bytes)
    return {
      has: (name) => entries.has(name),
      read: (name, mostBytes) => readEntry(file, entries.get(name), { name, mostBytes, source }),
      [Symbol.asyncDispose]: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead !== length) throw broken('cut off')
  return buffer
}

async function directoryOf(file: FileHandle, fileBytes: number): Promise<Map<string, Entry>> {
  const tailBytes = Math.min(fileBytes, END_BYTES + MOST_COMMENT_BYTES)
  if (tailBytes < END_BYTES) throw broken('not a workbook')
  const tail = await bytesAt(file, fileBytes - tailBytes, tailBytes)
  let end = tail.length - END_BYTES
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--
  if (end < 0) throw broken('not a workbook')
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (count > MOST_ENTRIES || length > MOST_DIRECTORY_BYTES) throw bomb('too many parts')
  if (offset + length > fileBytes) throw broken('cut off')
  const directory = await bytesAt(file, offset, length)
  const entries = new Map<string, Entry>()
  for (let at = 0, n = 0; n < count; n++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw broken('its directory')
    const nameBytes = directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + 46, at + 46 + nameBytes)
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1
    if (isEncrypted) throw broken('it is encrypted')
    if (entries.has(name)) throw broken('a part is there twice')
    entries.set(name, {
      name,
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    })
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

async function* readEntry(
  file: FileHandle,
  entry: Entry | undefined,
  { name, mostBytes, source: { path, bytes: fileBytes } }: { name: string; mostBytes: number; source: Source },
): AsyncGenerator<Buffer> {
  if (!entry) throw broken(`${name} is missing`)
  const head = await bytesAt(file, entry.offset, 30)
  if (head.readUInt32LE(0) !== LOCAL_SIGNATURE) throw broken('its directory')
  const start = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
  if (start + entry.packedBytes > fileBytes) throw broken('cut off')
  if (entry.method !== 0 && entry.method !== 8) throw broken('packed by an unknown method')
  if (entry.packedBytes === 0) return
  const packed = createReadStream(path, { start, end: start + entry.packedBytes - 1 })
  const bytes = entry.method === 0 ? packed : packed.pipe(createInflateRaw())
  if (bytes !== packed) packed.on('error', (error) => bytes.destroy(error))
  let unpacked = 0
  try {
    for await (const piece of bytes) {
      unpacked += (piece as Buffer).byteLength
      if (unpacked > mostBytes) throw bomb(`${name} is too large`)
      if (unpacked > RATIO_COUNTS_FROM_BYTES && unpacked > entry.packedBytes * MOST_RATIO)
        throw bomb(`${name} is too dense`)
      yield piece as Buffer
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw broken('damaged')
    throw error
  } finally {
    packed.destroy()
    bytes.destroy()
  }
}
