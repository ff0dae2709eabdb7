/** What a GGUF header states, limited to what a reader asked for. Numbers wider than 53 bits come as bigint. */
export type GgufValue = string | number | bigint | boolean | readonly GgufValue[]

/** The file is not a GGUF file, contradicts itself, or states sizes that no honest model has. */
export class GgufError extends Error {
  override readonly name: string = 'GgufError'
}

/** The bytes end before the header does: the same file with more bytes may be fine. */
export class GgufTruncated extends GgufError {
  override readonly name = 'GgufTruncated'
}

const MAGIC = 0x46554747
const MAX_KEYS = 65_536
const MAX_STRING_BYTES = 16 * 1024 * 1024
const MAX_ELEMENTS = 4_194_304
const MAX_DEPTH = 4
/** Bytes per value of types 0–12; strings (8) and arrays (9) have no fixed size. */
const WIDTHS: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]
const STRING = 8
const ARRAY = 9

/**
 * Reads the key-value header of a GGUF file (versions 2 and 3, little endian), keeping the keys for which `wants` says yes.
 * Every length is checked against the bytes that are there before anything is allocated, so a hostile file costs at most
 * the memory of its own bytes. Throws `GgufTruncated` when more bytes are needed and `GgufError` when no bytes would help.
 */
export function readGgufMetadata(bytes: Buffer, wants: (key: string) => boolean): ReadonlyMap<string, GgufValue> {
  const cursor = createCursor(bytes)
  if (cursor.uint32() !== MAGIC) throw new GgufError('not a GGUF file')
  const version = cursor.uint32()
  if (version !== 2 && version !== 3) throw new GgufError(`GGUF version ${version} is not supported`)
  cursor.count(Number.MAX_SAFE_INTEGER, 'tensor count')
  const keys = cursor.count(MAX_KEYS, 'key count')
  const found = new Map<string, GgufValue>()
  for (let i = 0; i < keys; i++) {
    const key = cursor.string()
    const type = cursor.uint32()
    if (wants(key)) found.set(key, readValue(cursor, type, 0))
    else skipValue(cursor, type, 0)
  }
  return found
}

type Cursor = ReturnType<typeof createCursor>

function createCursor(bytes: Buffer) {
  let at = 0
  function take(length: number): number {
    if (length > bytes.length - at) throw new GgufTruncated('the file ends inside its header')
    const start = at
    at += length
    return start
  }
  function count(most: number, what: string): number {
    const value = bytes.readBigUInt64LE(take(8))
    if (value > BigInt(most)) throw new GgufError(`${what} ${value} is above ${most}`)
    return Number(value)
  }
  return {
    take,
    count,
    bytes,
    uint32: () => bytes.readUInt32LE(take(4)),
    string() {
      const length = count(MAX_STRING_BYTES, 'string length')
      const start = take(length)
      return bytes.toString('utf8', start, start + length)
    },
    skipString() {
      take(count(MAX_STRING_BYTES, 'string length'))
    },
    /** Refuses an element count that the remaining bytes cannot hold, before an array of that size is made. */
    demand(elements: number, widthBytes: number) {
      if (elements * widthBytes > bytes.length - at) throw new GgufTruncated('the file ends inside its header')
    },
  }
}

function readValue(cursor: Cursor, type: number, depth: number): GgufValue {
  if (type === STRING) return cursor.string()
  if (type !== ARRAY) return readScalar(cursor, type)
  const { element, length } = readArrayHeader(cursor, depth)
  const values: GgufValue[] = []
  for (let i = 0; i < length; i++) values.push(readValue(cursor, element, depth + 1))
  return values
}

function skipValue(cursor: Cursor, type: number, depth: number): void {
  if (type === STRING) return cursor.skipString()
  if (type !== ARRAY) {
    cursor.take(widthOf(type))
    return
  }
  const { element, length } = readArrayHeader(cursor, depth)
  if (element !== STRING && element !== ARRAY) cursor.take(length * widthOf(element))
  else for (let i = 0; i < length; i++) skipValue(cursor, element, depth + 1)
}

function readArrayHeader(cursor: Cursor, depth: number) {
  if (depth >= MAX_DEPTH) throw new GgufError('arrays are nested too deeply')
  const element = cursor.uint32()
  const length = cursor.count(MAX_ELEMENTS, 'array length')
  // The shortest string is its length (8 bytes); the shortest array is its type and length (12 bytes).
  cursor.demand(length, element === STRING ? 8 : element === ARRAY ? 12 : widthOf(element))
  return { element, length }
}

function widthOf(type: number): number {
  const width = WIDTHS[type]
  if (!width) throw new GgufError(`value type ${type} is unknown`)
  return width
}

function readScalar({ bytes, take }: Cursor, type: number): GgufValue {
  const at = take(widthOf(type))
  switch (type) {
    case 0:
      return bytes.readUInt8(at)
    case 1:
      return bytes.readInt8(at)
    case 2:
      return bytes.readUInt16LE(at)
    case 3:
      return bytes.readInt16LE(at)
    case 4:
      return bytes.readUInt32LE(at)
    case 5:
      return bytes.readInt32LE(at)
    case 6:
      return bytes.readFloatLE(at)
    case 7:
      return bytes.readUInt8(at) !== 0
    case 10:
      return narrowed(bytes.readBigUInt64LE(at))
    case 11:
      return narrowed(bytes.readBigInt64LE(at))
    default:
      return bytes.readDoubleLE(at)
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
