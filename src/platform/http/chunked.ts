import { CR, LF } from './characters.ts'
import { parseFields } from './fields.ts'

/** Longest chunk-size line with its extensions, in bytes. */
export const MAX_CHUNK_LINE_BYTES = 256
/** All trailers of a message together, in bytes. They are checked and thrown away. */
export const MAX_TRAILER_BYTES = 4096
/** All chunk extensions of a message together, in bytes: they carry nothing, so they may not keep us busy either. */
export const MAX_EXTENSION_BYTES = 16_384

// At most eight digits: 4 GiB in one chunk is more than any message we accept and far from what a number cannot hold.
const MAX_SIZE_DIGITS = 8
const SIZE_LINE =
  /^[0-9A-Fa-f]{1,8}(?:;[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:=(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+|"(?:[\t !#-[\]-~]|\\[\t -~])*"))?)*$/

/** Decoder state of one chunked body. After `decodeChunks`, the payload found lies at `from`…`to` of the same buffer. */
export interface ChunkDecoder {
  phase: 'size' | 'data' | 'data_cr' | 'data_lf' | 'trailers' | 'done' | 'bad'
  /** Bytes of the current chunk still to come. */
  remaining: number
  /** A size line or trailer section that arrived in several pieces. */
  pending: string
  extensionBytes: number
  from: number
  to: number
}

export function createChunkDecoder(): ChunkDecoder {
  return { phase: 'size', remaining: 0, pending: '', extensionBytes: 0, from: 0, to: 0 }
}

/**
 * Decodes what `buffer` holds from `start` on and returns where it stopped: the end, or just after the message (`done`).
 * Payloads of several chunks are moved together in place, so that one read makes one piece and one write further on.
 */
export function decodeChunks(decoder: ChunkDecoder, buffer: Buffer, start: number): number {
  const end = buffer.length
  let at = start
  let from = start
  let to = start
  while (at < end) {
    switch (decoder.phase) {
      case 'size':
        at = readSizeLine(decoder, buffer, at)
        break
      case 'data': {
        const size = Math.min(decoder.remaining, end - at)
        if (from === to) from = to = at
        else if (to !== at) buffer.copyWithin(to, at, at + size)
        to += size
        at += size
        decoder.remaining -= size
        if (decoder.remaining === 0) decoder.phase = 'data_cr'
        break
      }
      case 'data_cr':
        decoder.phase = buffer[at++] === CR ? 'data_lf' : 'bad'
        break
      case 'data_lf':
        decoder.phase = buffer[at++] === LF ? 'size' : 'bad'
        break
      case 'trailers':
        at = readTrailers(decoder, buffer, at)
        break
      case 'done':
      case 'bad':
        decoder.from = from
        decoder.to = to
        return at
    }
  }
  decoder.from = from
  decoder.to = to
  return at
}

function readSizeLine(decoder: ChunkDecoder, buffer: Buffer, at: number): number {
  if (decoder.pending === '') {
    const plain = readPlainSize(decoder, buffer, at)
    if (plain > 0) return plain
  }
  const room = MAX_CHUNK_LINE_BYTES - decoder.pending.length
  const lineFeed = buffer.indexOf(LF, at)
  const stop = lineFeed < 0 ? buffer.length : lineFeed + 1
  if (stop - at > room) return fail(decoder, at)
  decoder.pending += buffer.toString('latin1', at, stop)
  if (lineFeed < 0) {
    // Refusing a doomed line at once spares waiting for an end that may never come.
    if (!isSizeLineStart(decoder.pending)) return fail(decoder, at)
    return stop
  }
  const line = decoder.pending.slice(0, -2)
  if (!decoder.pending.endsWith('\r\n') || !SIZE_LINE.test(line)) return fail(decoder, at)
  const digits = line.indexOf(';') < 0 ? line : line.slice(0, line.indexOf(';'))
  decoder.extensionBytes += line.length - digits.length
  if (decoder.extensionBytes > MAX_EXTENSION_BYTES) return fail(decoder, at)
  startChunk(decoder, Number.parseInt(digits, 16))
  return stop
}

/** The usual case: a size without extensions, whole in this piece. Returns 0 when it is anything else. */
function readPlainSize(decoder: ChunkDecoder, buffer: Buffer, at: number): number {
  let size = 0
  let digits = 0
  for (;;) {
    const value = hexValue(buffer[at + digits])
    if (value < 0) break
    size = size * 16 + value
    if (++digits > MAX_SIZE_DIGITS) return 0
  }
  if (digits === 0 || buffer[at + digits] !== CR || buffer[at + digits + 1] !== LF) return 0
  startChunk(decoder, size)
  return at + digits + 2
}

function startChunk(decoder: ChunkDecoder, size: number): void {
  decoder.pending = ''
  decoder.remaining = size
  decoder.phase = size === 0 ? 'trailers' : 'data'
}

function isSizeLineStart(text: string): boolean {
  return /^[0-9A-Fa-f]{1,8}(?:\r?|;[\t -~]*\r?)$/.test(text)
}

function readTrailers(decoder: ChunkDecoder, buffer: Buffer, at: number): number {
  if (decoder.pending === '' && buffer[at] === CR && buffer[at + 1] === LF) {
    decoder.phase = 'done'
    return at + 2
  }
  let stop = at
  while (stop < buffer.length) {
    decoder.pending += String.fromCharCode(buffer[stop++]!)
    const { pending } = decoder
    if (pending.length > MAX_TRAILER_BYTES) return fail(decoder, stop)
    if (!pending.endsWith('\n')) continue
    if (!pending.endsWith('\r\n')) return fail(decoder, stop)
    if (pending !== '\r\n' && !pending.endsWith('\r\n\r\n')) continue
    decoder.pending = ''
    decoder.phase = areTrailersSound(pending) ? 'done' : 'bad'
    return stop
  }
  return stop
}

function areTrailersSound(text: string): boolean {
  const fields = parseFields(text, 0)
  if ('fault' in fields) return false
  // A trailer that would reframe the message is an attack on whoever merges trailers into headers.
  return fields.contentLength === undefined && fields.transferEncoding === undefined && fields.host === undefined
}

function fail(decoder: ChunkDecoder, at: number): number {
  decoder.phase = 'bad'
  return at
}

function hexValue(code: number | undefined): number {
  if (code === undefined) return -1
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return -1
}
