import { createServer, type Socket } from 'node:net'
import { advance, expire, openServerConnection } from './server-connection.ts'
import { closeGracefully, type ServerShared } from './server-state.ts'
import { createSweep } from './sweep.ts'
import type { HttpServer, ServerOptions } from './types.ts'

const DEFAULT_STALL_TIMEOUT_MS = 60_000

/** A strict HTTP/1.1 server. See the room's README for what it refuses. */
export function createHttpServer(options: ServerOptions): HttpServer {
  const { headTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, maxConnections } = options
  const stallTimeoutMs = options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS
  const connections: ServerShared['connections'] = new Set()
  const sweep = createSweep(Math.min(headTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, stallTimeoutMs), (tick) => {
    for (const connection of connections) expire(connection, tick)
  })
  let onEmpty: (() => void) | undefined
  const shared: ServerShared = {
    options,
    sweep,
    connections,
    stallTimeoutMs,
    closing: false,
    proceed: advance,
    onConnectionGone: () => {
      if (connections.size === 0) onEmpty?.()
    },
  }
  const listener = createServer({ noDelay: true }, (socket: Socket) => openServerConnection(shared, socket))
  listener.maxConnections = maxConnections

  return {
    listen({ port, host, reusePort }) {
      return new Promise((resolve, reject) => {
        listener.once('error', reject)
        listener.listen({ port, host, reusePort }, () => {
          listener.off('error', reject)
          listener.on('error', (error) => options.onError?.(error))
          sweep.start()
          const address = listener.address()
          resolve(address !== null && typeof address === 'object' ? address.port : port)
        })
      })
    },

    async close(graceMs) {
      if (shared.closing) return
      shared.closing = true
      const released = new Promise<void>((resolve) => listener.close(() => resolve()))
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve
        if (connections.size === 0) resolve()
      })
      for (const connection of connections) {
        if (connection.reading === 'head' && connection.exchange === undefined) {
          if (connection.socket.writableLength > 0) closeGracefully(connection)
          else connection.socket.destroy()
        }
      }
      const axe = setTimeout(() => {
        for (const connection of connections) connection.socket.destroy()
      }, graceMs)
      await Promise.all([empty, released])
      clearTimeout(axe)
      sweep.stop()
    },

    get openConnections() {
      return connections.size
    },
  }
}
