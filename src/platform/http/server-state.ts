import type { Socket } from 'node:net'
import type { ByteStore } from './byte-store.ts'
import type { ChunkDecoder } from './chunked.ts'
import { dropInput, type ReceivedInput } from './received-input.ts'
import type { Sweep } from './sweep.ts'
import type { Exchange, ServerOptions } from './types.ts'

/** How long we still read from a client after the last answer, so that a reset does not eat that answer. */
const LINGER_MS = 2000
/** A refused body up to this size is read and dropped to keep the connection; a larger one ends it. */
export const DRAIN_BYTES = 65_536

/** An exchange as its connection sees it. */
export interface OpenExchange extends Exchange {
  readonly phase: 'open' | 'streaming' | 'done'
  /** The client has caught up with what was written. */
  drained(): void
  /** The connection is gone. */
  lost(): void
  /** The codec answers itself; whatever the handler does from now on is ignored. */
  forget(): void
}

/** What all connections of one server share. */
export interface ServerShared {
  readonly options: ServerOptions
  readonly sweep: Sweep
  readonly connections: Set<ServerConnection>
  readonly stallTimeoutMs: number
  closing: boolean
  onConnectionGone: () => void
  /** Goes on with what else a client has sent, once an answer is complete. */
  readonly proceed: (connection: ServerConnection) => void
}

/** State of one client connection. Requests on it are handled strictly one after the other. */
export interface ServerConnection extends ReceivedInput {
  readonly shared: ServerShared
  readonly socket: Socket
  /** What the next bytes are: a head, a body, nothing we may look at yet, or nothing we care about any more. */
  reading: 'head' | 'body' | 'answering' | 'linger' | 'gone'
  exchange: OpenExchange | undefined
  /** Body of the current request: bytes still to come, bytes allowed, and what has arrived so far. */
  bodyLeft: number
  bodyAllowed: number
  body: ByteStore | undefined
  decoder: ChunkDecoder | undefined
  /** The body is read only to get to the next request. */
  discarding: boolean
  /** The client waits for `100 Continue` and may never send its body. */
  awaitsContinue: boolean
  closeAfter: boolean
  /** Sweep tick at which the present state has lasted too long; 0 for none. */
  deadline: number
  lingered: number
  advancing: boolean
  remoteAddress: string | undefined
  context: unknown
}

/** Called when an answer is complete: goes on with what else the client has sent, or closes. */
export function answered(c: ServerConnection): void {
  if (c.reading === 'gone') return
  if (c.closeAfter || c.shared.closing) closeGracefully(c)
  else c.shared.proceed(c)
}

/**
 * Called when an answer begins. One that comes before its request was read to the end leaves a body in the way: a short
 * one is read and dropped, any other ends the connection.
 */
export function answerBegins(c: ServerConnection): void {
  if (c.reading !== 'body' || c.discarding) return
  if (c.decoder === undefined && c.bodyLeft <= DRAIN_BYTES && !c.awaitsContinue) {
    c.discarding = true
    c.body = undefined
    return
  }
  c.closeAfter = true
  c.reading = 'answering'
  c.deadline = 0
  c.body = undefined
  dropInput(c)
}

/** Sends FIN after what is queued and reads on for a moment: closing with unread input would reset the answer away. */
export function closeGracefully(c: ServerConnection): void {
  if (c.reading === 'gone' || c.reading === 'linger') return
  const { sweep, stallTimeoutMs } = c.shared
  c.reading = 'linger'
  c.exchange = undefined
  dropInput(c)
  c.body = undefined
  c.deadline = sweep.after(stallTimeoutMs)
  c.socket.end(() => {
    c.deadline = sweep.after(LINGER_MS)
  })
}
