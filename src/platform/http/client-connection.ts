import { connect as connectPlain, isIP } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { discard, fail, release, type ClientConnection, type ClientShared } from './client-state.ts'
import { complete, receive } from './response-reader.ts'
import type { ActiveCall, CallHandler, CallOptions } from './types.ts'

/** Requests up to this size go out as one buffer; the parts of larger ones are written as they are. */
const COPY_LIMIT_BYTES = 65_536
const READ_BUFFER_BYTES = 65_536

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
  return new Call(c, handler)
}

/** A class, against the house rule, because every open stream holds one. */
class Call implements ActiveCall {
  private readonly connection: ClientConnection
  private readonly handler: CallHandler

  constructor(connection: ClientConnection, handler: CallHandler) {
    this.connection = connection
    this.handler = handler
  }

  abort(): void {
    const c = this.connection
    if (c.handler !== this.handler) return
    release(c)
    discard(c)
  }

  pause(): void {
    const c = this.connection
    if (c.handler === this.handler) c.socket.pause()
  }

  resume(): void {
    const c = this.connection
    if (c.handler === this.handler) c.socket.resume()
  }
}

function writeRequest(c: ClientConnection, call: CallOptions): void {
  const { socket } = c
  const { method, body } = call
  let length = 0
  for (const part of body) length += part.length
  const announced = length > 0 || (method !== 'GET' && method !== 'HEAD') ? `content-length: ${length}\r\n\r\n` : '\r\n'
  const opening = openingOf(c, call)
  const headLength = opening.length + announced.length
  const isSmall = length <= COPY_LIMIT_BYTES
  const first = Buffer.allocUnsafe(isSmall ? headLength + length : headLength)
  first.set(opening, 0)
  first.write(announced, opening.length, 'latin1')
  if (isSmall) {
    let at = headLength
    for (const part of body) {
      first.set(part, at)
      at += part.length
    }
    socket.write(first)
  } else {
    socket.cork()
    socket.write(first)
    for (const part of body) socket.write(part)
    socket.uncork()
  }
}

function openingOf({ shared }: ClientConnection, { method, target, head }: CallOptions): Buffer {
  const last = shared.opening
  if (last !== undefined && last.head === head && last.target === target && last.method === method) return last.bytes
  const text = `${method} ${target} HTTP/1.1\r\nhost: ${shared.hostHeader}\r\n${head}`
  const bytes = Buffer.from(text, 'latin1')
  shared.opening = { method, target, head, bytes }
  return bytes
}

function opened(c: ClientConnection): void {
  c.opened = true
  c.deadline = 0
}

function ended(c: ClientConnection): void {
  if (c.handler === undefined) discard(c)
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
