import { append, createByteStore } from './byte-store.ts'
import { createChunkDecoder, decodeChunks } from './chunked.ts'
import { blame, discard, fail, release, type ClientConnection } from './client-state.ts'
import { findHeadEnd, hasStrayControl } from './head-search.ts'
import { parseResponseHead, type ResponseHead } from './response-head.ts'
import type { CallHandler } from './types.ts'

/** So many interim (1xx) responses before the final one are garbage. */
const MAX_INTERIM = 8

/** Takes in what the supplier has sent. `chunk` is not kept. */
export function receive(c: ClientConnection, chunk: Buffer): void {
  switch (c.reading) {
    case 'head':
      return readHead(c, chunk)
    case 'length':
      return readSized(c, chunk)
    case 'chunked':
      return readChunked(c, chunk)
    case 'close':
      return void deliver(c, chunk)
    case 'idle':
    case 'gone':
      // Nobody asked: answering before the question would hand these bytes to the next caller.
      discard(c)
  }
}

function readHead(c: ClientConnection, chunk: Buffer): void {
  let input = chunk
  if (c.store !== undefined) {
    append(c.store, chunk, 0, chunk.length)
    input = c.store.bytes.subarray(0, c.store.length)
  }
  let at = 0
  for (;;) {
    const end = findHeadEnd(input, Math.max(at, c.searched - 3))
    if (end < 0) break
    if (end - at > c.shared.maxHeadBytes) return fail(c, 'head_too_large', undefined)
    const head = parseResponseHead(input.toString('latin1', at, end), c.method)
    if (typeof head === 'string') return fail(c, 'garbage', new Error(head))
    at = end
    c.searched = end
    if (head.status < 200) {
      if (++c.interim > MAX_INTERIM) return fail(c, 'garbage', new Error('too many interim responses'))
      continue
    }
    c.store = undefined
    c.searched = 0
    c.keepAlive = head.keepAlive
    c.bodyLeft = head.contentLength
    c.reading = head.framing === 'none' ? 'length' : head.framing
    if (head.framing === 'chunked') c.decoder = createChunkDecoder()
    const handler = c.handler!
    if (!announce(c, handler, head)) return
    const rest = at === 0 ? input : input.subarray(at)
    if (c.reading === 'length') readSized(c, rest)
    else if (rest.length > 0) receive(c, rest)
    return
  }
  if (hasStrayControl(input, Math.max(at, c.searched - 1))) {
    return fail(c, 'garbage', new Error('stray control character in the response head'))
  }
  if (input.length - at > c.shared.maxHeadBytes) return fail(c, 'head_too_large', undefined)
  keep(c, input, at)
}

/** Hands the head on and returns whether the call is still on. As `guarded` does it, without a closure for every response. */
function announce(c: ClientConnection, handler: CallHandler, { status, headers }: ResponseHead): boolean {
  try {
    handler.onHead(status, headers)
  } catch (error) {
    blame(c, handler, error)
  }
  return c.handler === handler
}

/** Keeps an unfinished head beyond this read. */
function keep(c: ClientConnection, input: Buffer, at: number): void {
  if (c.store === undefined || at > 0) {
    const store = createByteStore(input.length - at)
    append(store, input, at, input.length)
    c.store = store
  }
  c.searched = input.length - at
  if (c.searched === 0) c.store = undefined
}

function readSized(c: ClientConnection, input: Buffer): void {
  const size = Math.min(input.length, c.bodyLeft)
  c.bodyLeft -= size
  if (size > 0) {
    if (!deliver(c, size === input.length ? input : input.subarray(0, size))) return
  }
  if (c.bodyLeft === 0) complete(c, input.length > size)
}

function readChunked(c: ClientConnection, input: Buffer): void {
  const decoder = c.decoder!
  const stop = decodeChunks(decoder, input, 0)
  const { from, to } = decoder
  if (to > from) {
    const whole = from === 0 && to === input.length
    if (!deliver(c, whole ? input : input.subarray(from, to))) return
  }
  if (decoder.phase === 'bad') fail(c, 'garbage', new Error('malformed chunked body'))
  else if (decoder.phase === 'done') complete(c, stop < input.length)
}

/** Hands a piece on and returns whether the call is still on. */
function deliver(c: ClientConnection, piece: Buffer): boolean {
  const handler = c.handler!
  // As `guarded` does it, without a closure for every piece.
  try {
    handler.onData(piece)
  } catch (error) {
    blame(c, handler, error)
  }
  return c.handler === handler
}

/** The response is whole. The connection serves again unless the request is still being sent. */
export function complete(c: ClientConnection, hasSurplus: boolean): void {
  // More than was announced: one of us misread the framing, so none of it can be believed.
  if (hasSurplus) return fail(c, 'garbage', new Error('bytes after the end of the response'))
  const handler = release(c)
  const { socket } = c
  c.reused = true
  if (socket.isPaused()) socket.resume()
  if (!c.keepAlive || socket.writableLength > 0 || socket.destroyed || !c.opened) discard(c)
  else c.shared.onIdle(c)
  if (handler === undefined) return
  try {
    handler.onEnd()
  } catch (error) {
    blame(c, handler, error)
  }
}
