import { createServer, type Socket } from 'node:net'
import { STREAM_EVENTS, WHOLE_ANSWER } from './answers.ts'

/**
 * The mock supplier of the benchmark, as its own process: it looks for the few bytes that it needs and answers from prepared
 * buffers, so that it costs much less than any gateway in front of it. Streams of one pace share one timer.
 */
const WHOLE = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(WHOLE_ANSWER)}\r\n\r\n${WHOLE_ANSWER}`,
)
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n'
const EVENTS = STREAM_EVENTS.map((text, i) => {
  const chunk = `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
  const last = i === STREAM_EVENTS.length - 1
  return Buffer.from(`${i === 0 ? STREAM_HEAD : ''}${chunk}${last ? '0\r\n\r\n' : ''}`)
})

interface Running {
  readonly socket: Socket
  next: number
}

/** Streams of one pace, spread over its milliseconds so that they do not all speak at once. */
interface Pacer {
  readonly slots: Set<Running>[]
  at: number
  turn: number
}

const pacers = new Map<number, Pacer>()

function pacer(paceMs: number): Pacer {
  const known = pacers.get(paceMs)
  if (known !== undefined) return known
  const made: Pacer = { slots: Array.from({ length: Math.max(1, paceMs) }, () => new Set<Running>()), at: 0, turn: 0 }
  pacers.set(paceMs, made)
  if (paceMs === 0) {
    const spin = (): void => {
      const running = made.slots[0]
      if (running !== undefined && running.size > 0) speak(running)
      if (running !== undefined && running.size > 0) setImmediate(spin)
      else setTimeout(spin, 1)
    }
    spin()
    return made
  }
  let due = performance.now()
  setInterval(() => {
    const now = performance.now()
    // A stream gets one event at a time, whatever we were kept from: late events are not caught up by pairs.
    if (now - due > paceMs / 2) due = now - paceMs / 2
    for (; due <= now; due += 1) {
      const running = made.slots[made.at]
      if (running !== undefined && running.size > 0) speak(running)
      made.at = (made.at + 1) % made.slots.length
    }
  }, 1)
  return made
}

function speak(running: Set<Running>): void {
  for (const stream of running) {
    const event = EVENTS[stream.next++]
    if (event === undefined || stream.socket.destroyed) running.delete(stream)
    else stream.socket.write(event)
    if (stream.next === EVENTS.length) running.delete(stream)
  }
}

function start(socket: Socket, paceMs: number): void {
  const { slots } = pacer(paceMs)
  const own = pacer(paceMs)
  slots[own.turn++ % slots.length]?.add({ socket, next: 0 })
}

function answer(socket: Socket, data: Buffer, from: number, to: number): void {
  const body = data.toString('latin1', from, to)
  if (!body.includes('"stream":true')) {
    socket.write(WHOLE)
    return
  }
  start(socket, Number(/"user":"pace-(\d+)"/.exec(body)?.[1] ?? 0))
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | undefined
  socket.on('error', () => socket.destroy())
  socket.on('data', (read: Buffer) => {
    let data = pending === undefined ? read : Buffer.concat([pending, read])
    pending = undefined
    while (data.length > 0) {
      const headEnd = data.indexOf('\r\n\r\n')
      const length = headEnd < 0 ? undefined : bodyLength(data, headEnd)
      if (length === undefined || data.length < length) {
        pending = data
        return
      }
      answer(socket, data, headEnd + 4, length)
      data = data.subarray(length)
    }
  })
})

/** Where the request that starts `data` ends; undefined while that cannot be known yet. */
function bodyLength(data: Buffer, headEnd: number): number | undefined {
  const head = data.toString('latin1', 0, headEnd)
  const sized = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (sized !== null) return headEnd + 4 + Number(sized[1])
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return headEnd + 4
  const end = data.indexOf('0\r\n\r\n', headEnd + 4)
  return end < 0 ? undefined : end + 5
}

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
