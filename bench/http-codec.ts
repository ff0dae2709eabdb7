/**
 * What our HTTP codec costs beside `node:http`: the same small proxy is built on both, each in a process of its own, and the
 * CPU time of that process is divided by what it relayed. Prints CPU per request, per streamed event, and memory per open
 * stream. Run with `node bench/http-codec.ts`, optionally with the number of rounds.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { Agent, createServer as createNodeServer, request as nodeRequest } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createHttpClient, createHttpServer } from '#platform/http'

const CONNECTIONS = 64
const REQUESTS = 30_000
const STREAMS = 600
const EVENTS = 64
/** Far enough apart that a proxy reads and writes each event by itself, as it does with a model that is thinking. */
const EVENT_INTERVAL_MS = 4
const OPEN_STREAMS = 2000
const ANSWER = JSON.stringify({ text: 'x'.repeat(1000), usage: { prompt_tokens: 10, completion_tokens: 20 } })
const EVENT = `data: ${JSON.stringify({ choices: [{ delta: { content: 'y'.repeat(160) } }] })}\n\n`
const EVENT_CHUNK = `${EVENT.length.toString(16)}\r\n${EVENT}\r\n`
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

const [, file, role = 'main', argument = ''] = process.argv
if (role === 'upstream') runUpstream()
else if (role === 'proxy') await (argument.startsWith('ours') ? runOurs : runNodes)(Number(argument.split(':')[1]))
else await main(Number(role) || 3)

/** Answers whole requests that arrive in one read each, which is all this load generator sends. */
function runUpstream(): void {
  const listener = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (text.includes('"mode":"stream"')) stream(socket)
      else if (text.includes('"mode":"hang"')) socket.write(STREAM_HEAD + EVENT_CHUNK)
      else
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`,
        )
    })
  })
  listener.listen(0, '127.0.0.1', () => process.send?.((listener.address() as AddressInfo).port))
}

function stream(socket: Socket): void {
  let left = EVENTS
  socket.write(STREAM_HEAD)
  const next = () => {
    if (socket.destroyed) return
    if (left-- === 0) return void socket.write('0\r\n\r\n')
    socket.write(EVENT_CHUNK)
    setTimeout(next, EVENT_INTERVAL_MS)
  }
  setTimeout(next, EVENT_INTERVAL_MS)
}

async function runOurs(upstreamPort: number): Promise<void> {
  const client = createHttpClient({
    origin: new URL(`http://127.0.0.1:${upstreamPort}`),
    maxConnections: 10_000,
    connectTimeoutMs: 5000,
    maxHeadBytes: 16_384,
    idleTimeoutMs: 60_000,
  })
  const server = createHttpServer({
    maxHeadBytes: 16_384,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    keepAliveTimeoutMs: 60_000,
    maxConnections: 10_000,
    onHead: () => 1_048_576,
    onOversize: (exchange) => exchange.respond(413, '', ''),
    renderRefusal: (_, reason) => ({ head: '', body: reason }),
    onRequest(exchange, body) {
      if (exchange.headers.get('authorization') === undefined) return exchange.respond(401, '', '')
      const isStream = !body.includes('"mode":"plain"')
      let answer: Buffer | undefined
      let code = 0
      const call = client.send(
        { method: 'POST', target: exchange.path, head: 'content-type: application/json\r\n', body: [body] },
        {
          onHead(status) {
            code = status
            if (isStream) exchange.startStream(status, 'content-type: text/event-stream\r\n')
          },
          onData(piece) {
            if (isStream) exchange.write(piece)
            else answer = answer === undefined ? Buffer.from(piece) : Buffer.concat([answer, piece])
          },
          onEnd() {
            if (isStream) exchange.endStream()
            else exchange.respond(code, 'content-type: application/json\r\n', answer ?? '')
          },
          onFailure: () => exchange.abort(),
        },
      )
      exchange.onClose(() => call.abort())
    },
  })
  obey(await server.listen({ port: 0, host: '127.0.0.1', reusePort: false }))
}

async function runNodes(upstreamPort: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10_000, maxFreeSockets: 10_000 })
  const server = createNodeServer((incoming, outgoing) => {
    if (incoming.headers.authorization === undefined) return void outgoing.writeHead(401).end()
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const body = Buffer.concat(parts)
      const isStream = !body.includes('"mode":"plain"')
      const upstream = nodeRequest({
        agent,
        port: upstreamPort,
        host: '127.0.0.1',
        method: 'POST',
        path: incoming.url,
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      })
      upstream.on('response', (response) => {
        const pieces: Buffer[] = []
        if (isStream) outgoing.writeHead(response.statusCode ?? 502, { 'content-type': 'text/event-stream' })
        response.on('data', (piece: Buffer) => (isStream ? outgoing.write(piece) : pieces.push(piece)))
        response.on('end', () => {
          if (isStream) return outgoing.end()
          const whole = Buffer.concat(pieces)
          outgoing.writeHead(response.statusCode ?? 502, {
            'content-type': 'application/json',
            'content-length': whole.length,
          })
          outgoing.end(whole)
        })
      })
      upstream.on('error', () => outgoing.destroy())
      outgoing.on('close', () => upstream.destroyed || outgoing.writableFinished || upstream.destroy())
      upstream.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  obey((server.address() as AddressInfo).port)
}

/** Tells the parent the port, then its CPU time and memory whenever it asks. */
function obey(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    globalThis.gc?.()
    process.send?.({ micros: user + system, bytes: process.memoryUsage().rss })
  })
  process.send?.(port)
}

interface Reading {
  readonly micros: number
  readonly bytes: number
}

interface Child {
  readonly process: ChildProcess
  readonly port: number
}

async function start(childRole: string, childArgument: string): Promise<Child> {
  const child = fork(file!, [childRole, childArgument], { execArgv: ['--expose-gc'] })
  return { process: child, port: await heard<number>(child) }
}

function heard<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const early = () => reject(new Error('A process of the benchmark ended early.'))
    child.once('exit', early)
    child.once('message', (message) => {
      child.off('exit', early)
      resolve(message as T)
    })
  })
}

function read(child: Child): Promise<Reading> {
  const answer = heard<Reading>(child.process)
  child.process.send('read')
  return answer
}

function requestBytes(mode: string): string {
  const body = JSON.stringify({ model: 'm', mode, messages: [{ role: 'user', content: 'z'.repeat(400) }] })
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer tf-key\r\nuser-agent: bench\r\naccept: */*\r\naccept-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** Keeps all connections busy until `total` answers have come, each ending in `tail`. */
function load(port: number, mode: string, total: number, tail: string): Promise<void> {
  const bytes = requestBytes(mode)
  let started = 0
  let done = 0
  return new Promise((resolve, reject) => {
    for (let i = 0; i < Math.min(CONNECTIONS, total); i++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      const next = () => (started++ < total ? socket.write(bytes, 'latin1') : socket.destroy())
      socket.on('error', reject)
      socket.on('connect', next)
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1', Math.max(0, chunk.length - tail.length)) !== tail) return
        if (++done === total) resolve()
        next()
      })
    }
  })
}

/** Opens streams that stay open on a fresh proxy and returns its memory for each, in KiB. */
async function memoryPerStream(stack: string, upstreamPort: number): Promise<number> {
  const proxy = await start('proxy', `${stack}:${upstreamPort}`)
  await load(proxy.port, 'plain', 2000, ANSWER.slice(-12))
  await read(proxy)
  const before = await read(proxy)
  const sockets: Socket[] = []
  for (let i = 0; i < OPEN_STREAMS; i++) {
    const socket = connect({ port: proxy.port, host: '127.0.0.1' })
    sockets.push(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('connect', () => socket.write(requestBytes('hang'), 'latin1'))
      socket.once('data', () => resolve())
    })
  }
  await read(proxy)
  const after = await read(proxy)
  for (const socket of sockets) socket.destroy()
  proxy.process.kill()
  return (after.bytes - before.bytes) / OPEN_STREAMS / 1024
}

async function main(rounds: number): Promise<void> {
  const upstream = await start('upstream', '')
  const stacks = ['nodes', 'ours'] as const
  const results = new Map(stacks.map((stack) => [stack, { request: [] as number[], event: [] as number[], memory: 0 }]))
  const proxies = new Map<(typeof stacks)[number], Child>()
  for (const stack of stacks) proxies.set(stack, await start('proxy', `${stack}:${upstream.port}`))
  const tail = ANSWER.slice(-12)
  for (let round = 0; round <= rounds; round++) {
    for (const stack of stacks) {
      const proxy = proxies.get(stack)!
      const first = await read(proxy)
      await load(proxy.port, 'plain', REQUESTS, tail)
      const second = await read(proxy)
      await load(proxy.port, 'stream', STREAMS, '0\r\n\r\n')
      const third = await read(proxy)
      // The first round only warms up.
      if (round === 0) continue
      results.get(stack)!.request.push((second.micros - first.micros) / REQUESTS)
      results.get(stack)!.event.push((third.micros - second.micros) / (STREAMS * EVENTS))
    }
  }
  for (const stack of stacks) results.get(stack)!.memory = await memoryPerStream(stack, upstream.port)
  for (const { process: child } of [...proxies.values(), upstream]) child.kill()
  report(results.get('nodes')!, results.get('ours')!)
}

interface Result {
  readonly request: number[]
  readonly event: number[]
  readonly memory: number
}

function report(nodes: Result, ours: Result): void {
  const rows: [string, number, number][] = [
    ['µs CPU per request', median(nodes.request), median(ours.request)],
    ['µs CPU per streamed event', median(nodes.event), median(ours.event)],
    ['KiB per open stream', nodes.memory, ours.memory],
  ]
  console.info(`Proxy on node:http + Agent beside proxy on our codec, Node ${process.versions.node}`)
  for (const [label, theirs, own] of rows) {
    console.info(
      `${label.padEnd(28)} node:http ${theirs.toFixed(1).padStart(7)}   ours ${own.toFixed(1).padStart(7)}   ratio ${(theirs / own).toFixed(2)}`,
    )
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
