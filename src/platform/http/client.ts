import { openClientConnection, send } from './client-connection.ts'
import { discard, type ClientConnection, type ClientShared } from './client-state.ts'
import { createSweep } from './sweep.ts'
import type { ActiveCall, CallOptions, ClientFailure, HttpClient } from './types.ts'

export interface ClientOptions {
  /** Scheme, host and port; path and credentials are not used. */
  readonly origin: URL
  /** Calls beyond this many at once fail with `at_capacity`. */
  readonly maxConnections: number
  /** From the start of the connection to the end of the TLS handshake. */
  readonly connectTimeoutMs: number
  /** Largest response head. */
  readonly maxHeadBytes: number
  /** How long an unused connection is kept. Choose it below the supplier's own keep-alive time. */
  readonly idleTimeoutMs: number
  /** Certificates (PEM) to trust instead of the well-known authorities, for a private supplier. */
  readonly trustedCertificates?: string | readonly string[]
  /** Hears what a call handler threw. */
  readonly onError?: (error: unknown) => void
}

/** A keep-alive pool to one origin. Nothing is retried here: `reset` with `reused` tells the caller that it may. */
export function createHttpClient(options: ClientOptions): HttpClient {
  const { origin, maxConnections, connectTimeoutMs, idleTimeoutMs } = options
  if (origin.protocol !== 'http:' && origin.protocol !== 'https:') throw new TypeError('Origin must be http or https.')
  const connections: ClientShared['connections'] = new Set()
  const idle: ClientConnection[] = []
  const sweep = createSweep(Math.min(connectTimeoutMs, idleTimeoutMs), (tick) => {
    for (const connection of connections) {
      if (connection.deadline === 0 || tick < connection.deadline) continue
      connection.socket.destroy(connection.opened ? undefined : new Error('The connection could not be made in time.'))
    }
  })
  let closed = false
  let checkedTarget = ''
  let checkedMethod = ''
  const check = ({ target, method }: CallOptions): void => {
    if (!/^\/[\x21-\x7e]*$/.test(target) || !/^[A-Z]+$/.test(method)) throw new TypeError('Invalid method or target.')
    checkedTarget = target
    checkedMethod = method
  }
  const shared: ClientShared = {
    secure: origin.protocol === 'https:',
    hostname: origin.hostname.startsWith('[') ? origin.hostname.slice(1, -1) : origin.hostname,
    hostHeader: origin.host,
    port: origin.port === '' ? (origin.protocol === 'https:' ? 443 : 80) : Number(origin.port),
    maxHeadBytes: options.maxHeadBytes,
    connectTimeoutMs,
    trustedCertificates: options.trustedCertificates,
    onError: options.onError,
    sweep,
    connections,
    inFlight: 0,
    opening: undefined,
    onIdle(connection) {
      if (closed) {
        discard(connection)
        return
      }
      connection.deadline = sweep.after(idleTimeoutMs)
      idle.push(connection)
    },
    onGone(connection) {
      connections.delete(connection)
      const at = idle.indexOf(connection)
      if (at >= 0) idle.splice(at, 1)
      if (connections.size === 0) sweep.stop()
    },
  }

  return {
    send(call, handler) {
      if (call.target !== checkedTarget || call.method !== checkedMethod) check(call)
      if (closed) return failLater({ kind: 'aborted', reused: false }, handler.onFailure.bind(handler))
      // The one used last is the one least likely to have been closed meanwhile.
      let connection = idle.pop()
      while (connection?.socket.destroyed === true) connection = idle.pop()
      if (connection !== undefined) return send(connection, call, handler)
      if (connections.size >= maxConnections) {
        return failLater({ kind: 'at_capacity', reused: false }, handler.onFailure.bind(handler))
      }
      sweep.start()
      return send(openClientConnection(shared), call, handler)
    },
    get inFlight() {
      return shared.inFlight
    },
    close() {
      closed = true
      for (const connection of idle.splice(0)) discard(connection)
    },
  }
}

/** A failure known at once is still told later, so that a handler never hears anything before `send` has returned. */
function failLater(failure: ClientFailure, onFailure: (failure: ClientFailure) => void): ActiveCall {
  let aborted = false
  // A turn of the event loop later, so that a caller who tries again at once does not keep everything else from running.
  setImmediate(() => {
    if (!aborted) onFailure(failure)
  })
  return {
    abort() {
      aborted = true
    },
    pause() {},
    resume() {},
  }
}
