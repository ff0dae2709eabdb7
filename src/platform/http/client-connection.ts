import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { append, createByteStore, type ByteStore } from './byte-store.ts'
import { createChunkDecoder, decodeChunks, type ChunkDecoder } from './chunked.ts'
import { findHeadEnd, hasStrayControl } from './head-search.ts'
import { parseResponseHead } from './response-head.ts'
import type { Sweep } from './sweep.ts'
import type { ActiveCall, CallHandler, CallOptions, ClientFailure } from './types.ts'

/** Requests up to this size go out as one buffer; the parts of larger ones are written as they are. */
const COPY_LIMIT_BYTES = 65_536
const READ_BUFFER_BYTES = 65_536
/** So many interim (1xx) responses before the final one are garbage. */
const MAX_INTERIM = 8

/** What all connections of one client share. */
export interface ClientShared {
  readonly secure: boolean
  readonly hostname: string
  readonly hostHeader: string
  readonly port: number
  readonly maxHeadBytes: number
  readonly connectTimeoutMs: number
  readonly trustedCertificates: string | readonly string[] | undefined
  readonly sweep: Sweep
  readonly connections: Set<ClientConnection>
  inFlight: number
  onIdle(connection: ClientConnection): void
  onGone(connection: ClientConnection): void
}

/** State of one connection to a supplier, carrying at most one call. */
export interface ClientConnection {
  readonly shared: ClientShared
  readonly socket: Socket
  reading: 'idle' | 'head' | 'length' | 'chunked' | 'close' | 'gone'
  /** TCP is up; with TLS, the handshake may still fail. */
  connected: boolean
  /** Ready for bytes both ways. */
  opened: boolean
  /** Served an earlier call, so the supplier may have closed it without our knowing. */
  reused: boolean
  handler: CallHandler | undefined
  method: string
  /** A head that did not arrive in one piece. */
  store: ByteStore | undefined
  searched: number
  interim: number
  bodyLeft: number
  decoder: ChunkDecoder | undefined
  keepAlive: boolean
  error: unknown
  /** Sweep tick at which connecting or idling has lasted too long; 0 for none. */
  deadline: number
}

// All plain sockets of a thread read into one buffer: libuv fills it and we use it up within the same callback.
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

export function openClientConnection(shared: ClientShared): ClientConnection {
  const { hostname, port } = shared
  const socket = shared.secure
    ? connectSecure({
        host: hostname,
        port,
        // SNI carries names only; an address is still checked against the certificate.
        ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
        ALPNProtocols: ['http/1.1'],
        ...(shared.trustedCertificates === undefined ? {} : { ca: [shared.trustedCertificates].flat() }),
      })
    : connectPlain({
        host: hostname,
        port,
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            receive(c, readBuffer.subarray(0, length))
            return true
          },
        },
      })
  const c: ClientConnection = {
    shared,
    socket,
    reading: 'idle',
    connected: false,
    opened: false,
    reused: false,
    handler: undefined,
    method: '',
    store: undefined,
    searched: 0,
    interim: 0,
    bodyLeft: 0,
    decoder: undefined,
    keepAlive: false,
    error: undefined,
    deadline: shared.sweep.after(shared.connectTimeoutMs),
  }
  shared.connections.add(c)
  if (shared.secure) {
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => receive(c, chunk))
    socket.once('secureConnect', () => opened(c))
  }
  socket.once('connect', () => {
    c.connected = true
    if (!shared.secure) opened(c)
  })
  socket.on('end', () => ended(c))
  socket.on('error', (error) => {
    c.error = error
  })
  socket.on('close', () => gone(c))
  return c
}

/** Starts a call on a connection that carries none. */
export function send(c: ClientConnection, call: CallOptions, handler: CallHandler): ActiveCall {
  c.shared.inFlight++
  c.handler = handler
  c.method = call.method
  c.reading = 'head'
  c.interim = 0
  if (c.opened) c.deadline = 0
  writeRequest(c, call)
  return {
    abort() {
      if (c.handler !== handler) return
      release(c)
      c.socket.destroy()
    },
    pause() {
      if (c.handler === handler) c.socket.pause()
    },
    resume() {
      if (c.handler === handler) c.socket.resume()
    },
  }
}

function writeRequest(c: ClientConnection, { method, target, head, body }: CallOptions): void {
  const { socket } = c
  let length = 0
  for (const part of body) length += part.length
  const announced = length > 0 || (method !== 'GET' && method !== 'HEAD') ? `content-length: ${length}\r\n` : ''
  const text = `${method} ${target} HTTP/1.1\r\nhost: ${c.shared.hostHeader}\r\n${head}${announced}\r\n`
  if (length === 0) socket.write(text, 'latin1')
  else if (length <= COPY_LIMIT_BYTES) {
    const whole = Buffer.allocUnsafe(text.length + length)
    let at = whole.write(text, 0, 'latin1')
    for (const part of body) at += part.copy(whole, at)
    socket.write(whole)
  } else {
    socket.cork()
    socket.write(text, 'latin1')
    for (const part of body) socket.write(part)
    socket.uncork()
  }
}

function opened(c: ClientConnection): void {
  c.opened = true
  c.deadline = 0
}

function receive(c: ClientConnection, chunk: Buffer): void {
  switch (c.reading) {
    case 'head':
      return readHead(c, chunk)
    case 'length':
      return readSized(c, chunk)
    case 'chunked':
      return readChunked(c, chunk)
    case 'close':
      deliver(c, chunk)
      return
    case 'idle':
      // Nobody asked: answering before the question would hand these bytes to the next caller.
      c.socket.destroy()
      return
    case 'gone':
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
    const { handler } = c
    if (!guarded(c, () => handler?.onHead(head.status, head.headers)) || c.handler !== handler) return
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
  const { handler } = c
  const size = Math.min(input.length, c.bodyLeft)
  c.bodyLeft -= size
  if (size > 0) {
    if (!deliver(c, size === input.length ? input : input.subarray(0, size)) || c.handler !== handler) return
  }
  if (c.bodyLeft === 0) complete(c, input.length > size)
}

function readChunked(c: ClientConnection, input: Buffer): void {
  const { handler } = c
  const decoder = c.decoder!
  const stop = decodeChunks(decoder, input, 0)
  const { from, to } = decoder
  if (to > from) {
    const whole = from === 0 && to === input.length
    if (!deliver(c, whole ? input : input.subarray(from, to)) || c.handler !== handler) return
  }
  if (decoder.phase === 'bad') fail(c, 'garbage', new Error('malformed chunked body'))
  else if (decoder.phase === 'done') complete(c, stop < input.length)
}

function deliver(c: ClientConnection, piece: Buffer): boolean {
  const { handler } = c
  return guarded(c, () => handler?.onData(piece))
}

/** The response is whole. The connection serves again unless the request is still being sent. */
function complete(c: ClientConnection, hasSurplus: boolean): void {
  // More than was announced: one of us misread the framing, so none of it can be believed.
  if (hasSurplus) return fail(c, 'garbage', new Error('bytes after the end of the response'))
  const handler = release(c)
  const { socket } = c
  c.reused = true
  if (socket.isPaused()) socket.resume()
  if (!c.keepAlive || socket.writableLength > 0 || socket.destroyed || !c.opened) socket.destroy()
  else c.shared.onIdle(c)
  if (handler !== undefined) guarded(c, () => handler.onEnd())
}

/** Takes the call off the connection. From here on its handler hears nothing more through it. */
function release(c: ClientConnection): CallHandler | undefined {
  const { handler } = c
  if (handler !== undefined) c.shared.inFlight--
  c.handler = undefined
  c.decoder = undefined
  c.store = undefined
  c.searched = 0
  if (c.reading !== 'gone') c.reading = 'idle'
  return handler
}

function fail(c: ClientConnection, kind: ClientFailure['kind'], cause: unknown): void {
  const handler = release(c)
  c.socket.destroy()
  if (handler === undefined) return
  const failure = { kind, reused: c.reused, ...(cause === undefined ? {} : { cause }) }
  guarded(c, () => handler.onFailure(failure))
}

function ended(c: ClientConnection): void {
  if (c.handler === undefined) c.socket.destroy()
  else if (c.reading === 'close') {
    c.keepAlive = false
    complete(c, false)
  } else failAsLost(c)
}

function gone(c: ClientConnection): void {
  if (c.handler !== undefined) failAsLost(c)
  c.reading = 'gone'
  c.shared.onGone(c)
}

function failAsLost(c: ClientConnection): void {
  const kind = !c.connected ? 'connect_failed' : !c.opened ? 'tls_failed' : c.reading === 'head' ? 'reset' : 'cut'
  fail(c, kind, c.error)
}

/** Runs a callback of the caller. One that throws loses its call, not the process. */
function guarded(c: ClientConnection, run: () => void): boolean {
  try {
    run()
    return true
  } catch (error) {
    const handler = release(c)
    c.socket.destroy()
    try {
      handler?.onFailure({ kind: 'aborted', reused: c.reused, cause: error })
    } catch {
      // It has now thrown twice; its own code has every means to report that.
    }
    return false
  }
}
