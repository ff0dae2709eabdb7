import type { Socket } from 'node:net'
import type { ByteStore } from './byte-store.ts'
import type { ChunkDecoder } from './chunked.ts'
import type { Sweep } from './sweep.ts'
import type { CallHandler, ClientFailure } from './types.ts'

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
  /** The beginning of the last request's head: calls to one origin differ in their bodies alone, mostly. */
  opening: RequestOpening | undefined
  onIdle(connection: ClientConnection): void
  onGone(connection: ClientConnection): void
  readonly onError: ((error: unknown) => void) | undefined
}

/** A request head up to its announced length, as bytes, and what it was made of. */
export interface RequestOpening {
  readonly method: string
  readonly target: string
  readonly head: string
  readonly bytes: Buffer
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

/** Takes the call off the connection. From here on its handler hears nothing more through it. */
export function release(c: ClientConnection): CallHandler | undefined {
  const { handler } = c
  if (handler !== undefined) c.shared.inFlight--
  c.handler = undefined
  c.decoder = undefined
  c.store = undefined
  c.searched = 0
  if (c.reading !== 'gone') c.reading = 'idle'
  return handler
}

/** Gives the connection up, and its place in the pool with it. */
export function discard(c: ClientConnection): void {
  c.reading = 'gone'
  c.socket.destroy()
  c.shared.onGone(c)
}

/** Ends the call with a failure, and the connection with it. */
export function fail(c: ClientConnection, kind: ClientFailure['kind'], cause: unknown): void {
  const handler = release(c)
  discard(c)
  if (handler === undefined) return
  const failure = { kind, reused: c.reused, ...(cause === undefined ? {} : { cause }) }
  guarded(c, handler, () => handler.onFailure(failure))
}

/**
 * Runs a callback of `handler` and returns whether its call is still on. A callback that throws loses its call, not the
 * process, and not another call that has meanwhile taken the connection.
 */
export function guarded(c: ClientConnection, handler: CallHandler, run: () => void): boolean {
  try {
    run()
  } catch (error) {
    blame(c, handler, error)
  }
  return c.handler === handler
}

/** A callback of `handler` threw: reported, and its call is lost if it is still on. */
export function blame(c: ClientConnection, handler: CallHandler, error: unknown): void {
  c.shared.onError?.(error)
  if (c.handler === handler) fail(c, 'aborted', error)
}
