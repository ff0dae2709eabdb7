import { append, createByteStore } from './byte-store.ts'
import { decodeChunks, type ChunkDecoder } from './chunked.ts'
import { consume, dropInput } from './received-input.ts'
import { blame, guarded, refuse } from './refuse.ts'
import { refusal } from './request-head.ts'
import type { ServerConnection } from './server-state.ts'

const FIRST_BODY_BYTES = 16_384
const NOTHING = Buffer.alloc(0)

/** Reads what has arrived of the current body. Returns whether the connection can go on at once. */
export function readBody(c: ServerConnection): boolean {
  return c.decoder === undefined ? readSizedBody(c) : readChunkedBody(c, c.decoder)
}

function readSizedBody(c: ServerConnection): boolean {
  const input = c.input!
  const from = c.at
  const to = Math.min(input.length, from + c.bodyLeft)
  c.bodyLeft -= to - from
  consume(c, to)
  const whole = c.bodyLeft === 0
  if (c.discarding) {
    if (whole) {
      c.reading = 'answering'
      c.deadline = 0
    }
    return whole
  }
  if (whole && c.body === undefined) {
    handOver(c, input.subarray(from, to))
    return true
  }
  c.body ??= createByteStore(Math.min(to - from + c.bodyLeft, Math.max(FIRST_BODY_BYTES, to - from)))
  append(c.body, input, from, to)
  if (whole) handOver(c, c.body.bytes.subarray(0, c.body.length))
  return whole
}

function readChunkedBody(c: ServerConnection, decoder: ChunkDecoder): boolean {
  const input = c.input!
  const stop = decodeChunks(decoder, input, c.at)
  if (decoder.phase === 'bad') {
    refuse(c, refusal(400, 'malformed chunked body'))
    return false
  }
  consume(c, stop)
  const { from, to } = decoder
  const whole = decoder.phase === 'done'
  const length = (c.body?.length ?? 0) + to - from
  if (length > c.bodyAllowed || (!whole && length + decoder.remaining > c.bodyAllowed)) {
    oversize(c)
    return true
  }
  if (whole && c.body === undefined) {
    handOver(c, input.subarray(from, to))
    return true
  }
  if (to > from) {
    c.body ??= createByteStore(Math.min(c.bodyAllowed, Math.max(FIRST_BODY_BYTES, to - from)))
    append(c.body, input, from, to)
  }
  if (whole) handOver(c, c.body?.bytes.subarray(0, c.body.length))
  return whole
}

/** Gives the whole request to the handler. */
export function handOver(c: ServerConnection, body: Buffer = NOTHING): void {
  c.reading = 'answering'
  c.deadline = 0
  c.body = undefined
  const exchange = c.exchange!
  // As `guarded` does it, without a closure for every request.
  try {
    c.shared.options.onRequest(exchange, body)
  } catch (error) {
    blame(c, exchange, error)
  }
}

/** Lets the handler answer a body that is larger than it allowed; the rest of it is never read. */
export function oversize(c: ServerConnection): void {
  c.reading = 'answering'
  c.deadline = 0
  c.body = undefined
  c.closeAfter = true
  dropInput(c)
  const exchange = c.exchange!
  guarded(c, exchange, () => c.shared.options.onOversize(exchange))
}
