import { crc32 } from 'node:zlib'

/**
 * Layout of a segment file, all integers big-endian:
 *
 *   header  'TFJ1' · segment id u32 · seed u32 · crc u32 · zeros up to 64 bytes
 *   frames  crc u32 · length u32 (top bit: control) · segment id u32 · back u32 · seq u64 · payload
 *
 * A frame's crc covers everything after it and starts from the segment's random seed, so bytes left over from an earlier life
 * of a recycled file can never be taken for entries. `back` is how many entries of the same write precede this one: every
 * entry before `seq - back` was on stable storage when the write began, which tells a torn tail from damage.
 */
export const SEGMENT_HEADER_BYTES = 64
export const FRAME_HEADER_BYTES = 24
const MAGIC = 0x54464a31
const CONTROL = 0x8000_0000
const TWO_32 = 0x1_0000_0000

export interface SegmentHead {
  readonly id: number
  readonly seed: number
}

export interface Frame {
  /** An entry of the log; or a control frame, whose `seq` is the seq below which nothing is needed any more. */
  readonly kind: 'entry' | 'floor'
  readonly seq: number
  readonly back: number
  readonly payload: Buffer
  /** Offset of the byte after this frame. */
  readonly end: number
}

export function encodeSegmentHead({ id, seed }: SegmentHead): Buffer {
  const head = Buffer.alloc(SEGMENT_HEADER_BYTES)
  head.writeUInt32BE(MAGIC, 0)
  head.writeUInt32BE(id, 4)
  head.writeUInt32BE(seed, 8)
  head.writeUInt32BE(crc32(head.subarray(0, 12)), 12)
  return head
}

export function decodeSegmentHead(bytes: Buffer): SegmentHead | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32BE(12)) return undefined
  return { id: bytes.readUInt32BE(4), seed: bytes.readUInt32BE(8) }
}

/** Writes all of a frame's header but what only the flush knows: `sealFrame` completes it. */
export function openFrame(bytes: Buffer, at: number, kind: Frame['kind'], payloadBytes: number, seq: number): void {
  bytes.writeUInt32BE(kind === 'floor' ? payloadBytes + CONTROL : payloadBytes, at + 4)
  bytes.writeUInt32BE(Math.floor(seq / TWO_32), at + 16)
  bytes.writeUInt32BE(seq % TWO_32, at + 20)
}

/** Completes the frame at `at` for the segment it goes into and returns where it ends. */
export function sealFrame(bytes: Buffer, at: number, segment: SegmentHead, back: number): number {
  const end = at + FRAME_HEADER_BYTES + (bytes.readUInt32BE(at + 4) % CONTROL)
  bytes.writeUInt32BE(segment.id, at + 8)
  bytes.writeUInt32BE(back, at + 12)
  bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end), segment.seed), at)
  return end
}

/** The whole and untampered frame at `at`, or undefined. */
export function decodeFrame(bytes: Buffer, at: number, segment: SegmentHead): Frame | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32BE(at + 8) !== segment.id) return undefined
  const lengthField = bytes.readUInt32BE(at + 4)
  const end = at + FRAME_HEADER_BYTES + (lengthField % CONTROL)
  if (end > bytes.length || crc32(bytes.subarray(at + 4, end), segment.seed) !== bytes.readUInt32BE(at))
    return undefined
  return {
    kind: lengthField >= CONTROL ? 'floor' : 'entry',
    seq: bytes.readUInt32BE(at + 16) * TWO_32 + bytes.readUInt32BE(at + 20),
    back: bytes.readUInt32BE(at + 12),
    payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
    end,
  }
}
