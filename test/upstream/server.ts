import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { completionBody, streamEvents } from './answer.ts'
import { NAMED_BEHAVIOURS, type Behaviour } from './behaviour.ts'
import { takeRequest, type Received } from './request-reader.ts'

/** A scriptable supplier that speaks the OpenAI protocol on a loopback port, and misbehaves exactly as told. */
export interface Upstream {
  /** Base URL up to and including `/v1`, as a supplier is configured. */
  readonly url: string
  readonly port: number
  /** Chat requests received so far; of one model where given. */
  requests(model?: string): number
  /** The last 1,000 requests, oldest first, for tests of what exactly was passed on. */
  received(): readonly Received[]
  openConnections(): number
  /** Sets what a model does from now on. A list is played once in order, and its last behaviour then stays. */
  script(model: string, behaviour: Behaviour | readonly Behaviour[]): void
  /** Resolves when `model` (any where absent) has been asked `count` times in total. */
  asked(count: number, model?: string): Promise<void>
  /** Drops every connection and the listener. */
  close(): Promise<void>
}

interface State {
  readonly scripts: Map<string, Behaviour[]>
  readonly counts: Map<string, number>
  readonly received: Received[]
  readonly waiters: Set<() => void>
  serial: number
}

const KEPT_REQUESTS = 1000

/** Starts the fake supplier; `port` 0 takes a free one. Models that were never scripted answer correctly. */
export async function startUpstream({ port = 0 }: { readonly port?: number } = {}): Promise<Upstream> {
  const state: State = { scripts: new Map(), counts: new Map(), received: [], waiters: new Set(), serial: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    converse(socket, state)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the fake supplier has no port')
  const total = (model?: string): number =>
    model === undefined ? [...state.counts.values()].reduce((sum, n) => sum + n, 0) : (state.counts.get(model) ?? 0)
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    requests: total,
    received: () => state.received,
    openConnections: () => sockets.size,
    script: (model, behaviour) => void state.scripts.set(model, 'kind' in behaviour ? [behaviour] : [...behaviour]),
    asked(count, model) {
      return new Promise((resolve) => {
        const look = (): void => {
          if (total(model) < count) return
          state.waiters.delete(look)
          resolve()
        }
        state.waiters.add(look)
        look()
      })
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Answers the requests of one connection one after another, as HTTP/1.1 keep-alive wants it. */
function converse(socket: Socket, state: State): void {
  let pending: Buffer = Buffer.alloc(0)
  let busy = false
  const next = (): void => {
    if (busy || socket.destroyed) return
    const taken = takeRequest(pending)
    if (taken === undefined) return
    pending = taken.rest
    busy = true
    void respond(socket, taken.request, state).then(() => {
      busy = false
      next()
    })
  }
  socket.on('data', (data: Buffer) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data])
    next()
  })
}

function choose(request: Received, state: State): Behaviour {
  const script = state.scripts.get(request.model)
  if (script === undefined) return NAMED_BEHAVIOURS.get(request.model) ?? { kind: 'answer' }
  const first = script.length > 1 ? script.shift() : script[0]
  return first ?? { kind: 'answer' }
}

async function respond(socket: Socket, request: Received, state: State): Promise<void> {
  if (request.path.endsWith('/models')) {
    sendWhole(socket, 200, JSON.stringify({ object: 'list', data: [] }))
    return
  }
  state.received.push(request)
  if (state.received.length > KEPT_REQUESTS) state.received.shift()
  state.counts.set(request.model, (state.counts.get(request.model) ?? 0) + 1)
  const serial = ++state.serial
  const behaviour = choose(request, state)
  for (const look of state.waiters) look()
  await behave(socket, request, behaviour, serial)
}

async function behave(socket: Socket, request: Received, behaviour: Behaviour, serial: number): Promise<void> {
  switch (behaviour.kind) {
    case 'answer':
      return answer(socket, request, behaviour, serial)
    case 'echo':
      return answer(socket, request, { kind: 'answer', text: request.body }, serial)
    case 'status': {
      const { status, retryAfter, code = 'fake_error', body } = behaviour
      const error = { message: `fake supplier says ${status}`, type: 'fake', param: null, code }
      const headers = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`
      sendWhole(socket, status, body ?? JSON.stringify({ error }), headers)
      return
    }
    case 'reset':
      socket.resetAndDestroy()
      break
    case 'never':
      break
    case 'garbage':
      socket.end('\x16\x03\x01 this is not HTTP\r\n\r\n')
      break
    case 'raw':
      socket.end(behaviour.bytes)
      break
    case 'raw-open':
      socket.write(behaviour.bytes)
      break
    case 'malformed':
      return broken(socket, request, behaviour.events, 'malformed', serial)
    case 'cut':
      return broken(
        socket,
        request,
        behaviour.events,
        behaviour.clean === true ? 'clean' : 'cut',
        serial,
        behaviour.eventDelayMs,
      )
    case 'stall':
      return broken(socket, request, behaviour.events, 'stall', serial)
  }
}

async function answer(
  socket: Socket,
  request: Received,
  behaviour: Extract<Behaviour, { kind: 'answer' }>,
  serial: number,
): Promise<void> {
  if (behaviour.firstByteDelayMs !== undefined) await pause(socket, behaviour.firstByteDelayMs)
  if (!request.stream) return sendWhole(socket, 200, completionBody(request, behaviour, serial))
  const events = [
    ...streamEvents(request, behaviour, serial),
    ...(behaviour.done === false ? [] : ['data: [DONE]\n\n']),
  ]
  socket.write(STREAM_HEAD)
  if (behaviour.eventDelayMs === undefined) {
    socket.write(`${events.map(chunk).join('')}0\r\n\r\n`)
    return
  }
  for (const event of events) {
    if (socket.destroyed) return
    socket.write(chunk(event))
    await pause(socket, behaviour.eventDelayMs)
  }
  socket.write('0\r\n\r\n')
}

/** Ends an answer wrongly after `events` events; a non-streaming body loses its second half instead. */
async function broken(
  socket: Socket,
  request: Received,
  events: number,
  how: 'cut' | 'clean' | 'stall' | 'malformed',
  serial: number,
  eventDelayMs = 0,
): Promise<void> {
  const whole = { kind: 'answer', events: events * 2 } as const
  if (!request.stream) {
    const body = completionBody(request, whole, serial)
    const half = body.slice(0, body.length / 2)
    if (how === 'clean' || how === 'malformed') return sendWhole(socket, 200, half)
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${half}`,
    )
    if (how === 'cut') await flushed(socket).then(() => socket.resetAndDestroy())
    return
  }
  const all = streamEvents(request, whole, serial)
  socket.write(STREAM_HEAD)
  for (const event of all.slice(0, events)) {
    if (socket.destroyed) return
    socket.write(chunk(event))
    if (eventDelayMs > 0) await pause(socket, eventDelayMs)
  }
  if (how === 'stall') return
  if (how === 'malformed') {
    socket.write(`${chunk('data: {"choices":[{"delta":{"content":\n\n')}${all.slice(events).map(chunk).join('')}`)
    socket.write(`${chunk('data: [DONE]\n\n')}0\r\n\r\n`)
    return
  }
  if (how === 'clean') return void socket.write('0\r\n\r\n')
  await flushed(socket)
  socket.destroy()
}

const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n'

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

function sendWhole(socket: Socket, status: number, body: string, headers = ''): void {
  const length = Buffer.byteLength(body)
  socket.write(
    `HTTP/1.1 ${status} Fake\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n${body}`,
  )
}

function flushed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.write('', () => resolve()))
}

/** Waits, but not longer than the connection lives. */
function pause(socket: Socket, ms: number): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    socket.on('close', done)
  })
}
