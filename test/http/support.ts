import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createHttpServer, type Exchange, type HttpServer, type ServerOptions } from '#platform/http'

/** What a handler saw of one request. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body: string
}

export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly server: HttpServer
  readonly seen: Seen[]
  readonly errors: unknown[]
}

/** A server on a free loopback port that records what reaches its handler and answers `ok`, unless told otherwise. */
export async function serve(overrides: Partial<ServerOptions> = {}): Promise<TestServer> {
  const seen: Seen[] = []
  const errors: unknown[] = []
  const server = createHttpServer({
    maxHeadBytes: 16_384,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    keepAliveTimeoutMs: 10_000,
    maxConnections: 1000,
    onHead: () => 1_048_576,
    onOversize: (exchange) => exchange.respond(413, '', 'too large'),
    renderRefusal: (status, reason) => ({ head: 'content-type: text/plain\r\n', body: `refused ${status}: ${reason}` }),
    onError: (error) => errors.push(error),
    ...overrides,
    onRequest: (exchange: Exchange, body: Buffer) => {
      seen.push(record(exchange, body))
      if (overrides.onRequest !== undefined) overrides.onRequest(exchange, body)
      else exchange.respond(200, 'content-type: text/plain\r\n', 'ok')
    },
  })
  const port = await server.listen({ port: 0, host: '127.0.0.1', reusePort: false })
  return {
    port,
    server,
    seen,
    errors,
    [Symbol.asyncDispose]: async () => {
      // All clients of the test are gone by now, so each connection must end by itself, before closing would force it.
      for (let turn = 0; turn < 10_000 && server.openConnections > 0; turn++) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      const leaked = server.openConnections
      await server.close(0)
      if (leaked + server.openConnections !== 0) throw new Error(`${leaked} connections leaked`)
    },
  }
}

function record(exchange: Exchange, body: Buffer): Seen {
  const { method, path, query, headers } = exchange
  return { method, path, query, headers: headers.entries(), body: body.toString('latin1') }
}

/** A bare TCP client that collects what it receives. */
export interface RawClient {
  readonly socket: Socket
  readonly received: () => string
  /** Resolves when the received text satisfies `enough`, or when the connection is over. */
  until(enough: (text: string) => boolean): Promise<string>
  /** Resolves with everything received once the connection is over. */
  ended(): Promise<string>
}

export async function dial(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let over = false
  const watchers = new Set<() => void>()
  const notify = () => {
    for (const watcher of watchers) watcher()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    notify()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    over = true
    notify()
  })
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  const until = (enough: (text: string) => boolean) =>
    new Promise<string>((resolve) => {
      const watcher = () => {
        if (!over && !enough(text)) return
        watchers.delete(watcher)
        resolve(text)
      }
      watchers.add(watcher)
      watcher()
    })
  return { socket, received: () => text, until, ended: () => until(() => false) }
}

/** Sends `bytes` on a fresh connection, half-closes nothing, and returns all that comes until the server closes. */
export async function exchangeBytes(port: number, bytes: string): Promise<string> {
  const client = await dial(port)
  client.socket.write(bytes, 'latin1')
  return client.ended()
}

export interface RawServer extends AsyncDisposable {
  readonly port: number
  readonly connections: () => number
}

/** A bare TCP server; `onConnection` scripts each connection. */
export async function rawServer(onConnection: (socket: Socket, index: number) => void): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let count = 0
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    onConnection(socket, count++)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (listener.address() as AddressInfo).port,
    connections: () => count,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}
