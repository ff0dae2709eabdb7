import type { Socket } from 'node:net'
import { createChunkDecoder } from './chunked.ts'
import { createExchange } from './exchange.ts'
import { findHeadEnd, hasStrayControl } from './head-search.ts'
import { consume, dropInput, join } from './received-input.ts'
import { blame, refuse } from './refuse.ts'
import { handOver, oversize, readBody } from './request-body.ts'
import { parseRequestHead, refusal, type Refusal, type RequestHead } from './request-head.ts'
import { answerBegins, closeGracefully, DRAIN_BYTES, type ServerConnection, type ServerShared } from './server-state.ts'

/** How much we still read and drop from a client that sends on after the last answer. */
const LINGER_BYTES = 67_108_864
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

export function openServerConnection(shared: ServerShared, socket: Socket): void {
  const c: ServerConnection = {
    shared,
    socket,
    reading: 'head',
    input: undefined,
    at: 0,
    store: undefined,
    searched: 0,
    exchange: undefined,
    bodyLeft: 0,
    bodyAllowed: 0,
    body: undefined,
    decoder: undefined,
    discarding: false,
    awaitsContinue: false,
    closeAfter: false,
    deadline: shared.sweep.after(shared.options.headTimeoutMs),
    lingered: 0,
    advancing: false,
    remoteAddress: undefined,
    context: undefined,
  }
  shared.connections.add(c)
  socket.on('data', (chunk: Buffer) => receive(c, chunk))
  socket.on('end', () => hangUp(c))
  socket.on('drain', () => drained(c))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => gone(c))
}

/** Looks whether the connection has overstayed its present state, and ends that state if so. */
export function expire(c: ServerConnection, tick: number): void {
  if (c.deadline === 0 || tick < c.deadline || c.reading === 'gone') return
  if (c.exchange !== undefined && c.exchange.phase !== 'open') c.socket.destroy()
  else if (c.reading === 'head' && c.input !== undefined) refuse(c, refusal(408, 'the request head took too long'))
  else if (c.reading === 'body' && !c.discarding) refuse(c, refusal(408, 'the request body took too long'))
  else c.socket.destroy()
}

function receive(c: ServerConnection, chunk: Buffer): void {
  if (c.reading === 'linger') {
    c.lingered += chunk.length
    if (c.lingered > LINGER_BYTES) c.socket.destroy()
    return
  }
  if (c.input === undefined) {
    c.input = chunk
    c.at = 0
    c.searched = 0
    if (c.reading === 'head' && c.exchange === undefined)
      c.deadline = c.shared.sweep.after(c.shared.options.headTimeoutMs)
  } else join(c, chunk)
  if (c.reading === 'answering' && c.input.length - c.at > c.shared.options.maxHeadBytes + DRAIN_BYTES) {
    // A client that pipelines more than this loses the rest and its connection, but is still heard when it hangs up.
    c.closeAfter = true
    dropInput(c)
  }
  advance(c)
}

/** Handles whatever can be handled now, one request after the other. */
export function advance(c: ServerConnection): void {
  if (c.advancing) return
  c.advancing = true
  while (!c.socket.destroyed && step(c));
  c.advancing = false
}

/** One step of the connection's life. Returns false when it must wait: for bytes, for the handler or for the client. */
function step(c: ServerConnection): boolean {
  switch (c.reading) {
    case 'head':
      return c.input !== undefined && !c.socket.writableNeedDrain && readHead(c)
    case 'body':
      return c.input !== undefined && readBody(c)
    case 'answering':
      return c.exchange?.phase === 'done' && nextRequest(c)
    case 'linger':
    case 'gone':
      return false
  }
}

function nextRequest(c: ServerConnection): boolean {
  if (c.closeAfter || c.shared.closing) {
    closeGracefully(c)
    return false
  }
  c.exchange = undefined
  c.decoder = undefined
  c.body = undefined
  c.discarding = false
  c.reading = 'head'
  const { options, sweep, stallTimeoutMs } = c.shared
  const waitMs = c.socket.writableNeedDrain
    ? stallTimeoutMs
    : c.input === undefined
      ? options.keepAliveTimeoutMs
      : options.headTimeoutMs
  c.deadline = sweep.after(waitMs)
  return true
}

function readHead(c: ServerConnection): boolean {
  const input = c.input!
  const { maxHeadBytes } = c.shared.options
  const end = findHeadEnd(input, Math.max(c.at, c.searched - 3))
  if (end < 0) {
    if (hasStrayControl(input, Math.max(c.at, c.searched - 1))) {
      return refuseHead(c, refusal(400, 'stray control character in the request head'))
    }
    c.searched = input.length
    return input.length - c.at > maxHeadBytes ? refuseHead(c, tooLarge(c)) : false
  }
  if (end - c.at > maxHeadBytes) return refuseHead(c, tooLarge(c))
  const head = parseRequestHead(input.toString('latin1', c.at, end))
  if (head.refused) return refuseHead(c, head)
  consume(c, end)
  begin(c, head)
  return true
}

function tooLarge(c: ServerConnection): Refusal {
  const line = c.input!.indexOf('\r\n', c.at, 'latin1')
  return line < 0 || line - c.at > c.shared.options.maxHeadBytes
    ? refusal(414, 'request target too long')
    : refusal(431, 'request head too large')
}

function refuseHead(c: ServerConnection, why: Refusal): false {
  refuse(c, why)
  return false
}

function begin(c: ServerConnection, head: RequestHead): void {
  const { options, sweep } = c.shared
  const exchange = createExchange(c, head)
  c.exchange = exchange
  if (!head.keepAlive) c.closeAfter = true
  c.bodyLeft = head.contentLength
  const hasBody = head.chunked || head.contentLength > 0
  c.reading = hasBody ? 'body' : 'answering'
  c.deadline = hasBody ? sweep.after(options.bodyTimeoutMs) : 0
  c.awaitsContinue = hasBody && head.expectsContinue
  if (head.chunked) c.decoder = createChunkDecoder()

  let allowed = -1
  try {
    allowed = options.onHead(exchange)
  } catch (error) {
    blame(c, exchange, error)
  }
  if (isOver(c)) return
  if (allowed < 0 || exchange.phase !== 'open') return answerBegins(c)
  c.bodyAllowed = allowed
  if (!hasBody) return handOver(c)
  if (head.contentLength > allowed) return oversize(c)
  if (!c.awaitsContinue) return
  c.awaitsContinue = false
  if (c.input === undefined) c.socket.write(CONTINUE, 'latin1')
}

function isOver(c: ServerConnection): boolean {
  return c.reading === 'gone' || c.reading === 'linger'
}

/** FIN from the client. While an answer is due we take it for a hang-up, as proxies do: nobody is left to read it. */
function hangUp(c: ServerConnection): void {
  if (c.exchange !== undefined && c.exchange.phase !== 'done') c.socket.destroy()
  else if (c.reading === 'linger' && c.socket.writableLength === 0) c.socket.destroy()
  else dropInput(c)
}

function drained(c: ServerConnection): void {
  const { exchange } = c
  if (exchange !== undefined && exchange.phase === 'streaming') {
    c.deadline = 0
    exchange.drained()
  }
  if (c.exchange === undefined && c.reading === 'head') {
    const { keepAliveTimeoutMs, headTimeoutMs } = c.shared.options
    c.deadline = c.shared.sweep.after(c.input === undefined ? keepAliveTimeoutMs : headTimeoutMs)
  }
  advance(c)
}

function gone(c: ServerConnection): void {
  const { exchange, shared } = c
  c.reading = 'gone'
  c.exchange = undefined
  dropInput(c)
  c.body = undefined
  shared.connections.delete(c)
  if (exchange !== undefined) exchange.lost()
  shared.onConnectionGone()
}
