/** Read access to a message head. Names are given in lower case; a value is what was sent, trimmed. */
export interface HeaderView {
  /** The single value, or undefined. A header that may appear once only and appeared twice has already been refused. */
  get(name: string): string | undefined
  /** All fields in order, names in lower case. */
  entries(): ReadonlyArray<readonly [string, string]>
}

/**
 * One request on the server side and the means to answer it. Exactly one of `respond`, `startStream` … `endStream`, or `abort`
 * must happen; anything else is a bug and closes the connection.
 */
export interface Exchange {
  readonly method: string
  /** Target before `?`, undecoded. */
  readonly path: string
  /** Target after `?`, or ''. */
  readonly query: string
  readonly headers: HeaderView
  readonly remoteAddress: string
  /** `performance.now()` when the head was complete. */
  readonly acceptedAt: number
  /** Free for the handler: what `onHead` learned (the caller, say) and `onRequest` needs. */
  context?: unknown
  /** Free for the handler, one for all requests of the connection: what it need not find out again. */
  connectionContext: unknown
  /** True once the client's connection is gone. */
  readonly closed: boolean
  /** Whole answer in one write. `head` holds ready-made lines, each ending in CRLF; content-length and connection are added. */
  respond(status: number, head: string, body: Buffer | string): void
  /** Starts a chunked answer (or close-delimited for HTTP/1.0), with a first piece in the same write. Returns as `write` does. */
  startStream(status: number, head: string, first?: Buffer): boolean
  /** Sends a copy of one piece. Returns false when the client reads too slowly: wait for `onDrain`. */
  write(piece: Buffer): boolean
  /** Called whenever the client has caught up; a later callback replaces the earlier one. */
  onDrain(callback: () => void): void
  /** Ends a stream properly, with an optional last piece in the same write. */
  endStream(last?: Buffer): void
  /** Cuts the connection so that the client can tell the answer is incomplete. */
  abort(): void
  /**
   * Called once if the exchange ends without the handler's complete answer: the client went away, or the codec had to refuse
   * the rest of the request (malformed or too slow a body) or answer 500 for a handler that threw.
   */
  onClose(callback: () => void): void
}

export interface ServerOptions {
  readonly maxHeadBytes: number
  readonly headTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxConnections: number
  /**
   * Called when a head is complete and before its body is read. Returns how many body bytes to accept, or answers the
   * exchange itself and returns -1 (the body is then drained within limits or the connection closed).
   */
  readonly onHead: (exchange: Exchange) => number
  /** Called with the whole body (empty for none). */
  readonly onRequest: (exchange: Exchange, body: Buffer) => void
  /** The body was larger than `onHead` allowed: answer it (413); the connection closes afterwards. */
  readonly onOversize: (exchange: Exchange) => void
  /** How long a client may leave written bytes unread before it is cut. 60 s unless told. */
  readonly stallTimeoutMs?: number
  /** Hears what a handler threw (its exchange was answered with 500 or cut) and of exchanges answered twice. */
  readonly onError?: (error: unknown) => void
  /** Body text for what the codec refuses by itself (400, 408, 414, 431, 501, 505): rendered in the API's own error shape. */
  readonly renderRefusal: (status: number, reason: string) => { readonly head: string; readonly body: string }
}

export interface HttpServer {
  /** Resolves with the bound port. `reusePort` lets several threads share one port (Linux). */
  listen(options: { port: number; host: string; reusePort: boolean }): Promise<number>
  /** Stops accepting, closes idle connections, lets running exchanges end, cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>
  readonly openConnections: number
}

/** Why a call to a supplier brought no complete answer. `reset` before any head on a reused connection has `reused` set. */
export interface ClientFailure {
  readonly kind:
    | 'connect_failed'
    | 'tls_failed'
    | 'reset'
    | 'cut'
    | 'garbage'
    | 'head_too_large'
    | 'at_capacity'
    | 'aborted'
  readonly reused: boolean
  readonly cause?: unknown
}

export interface CallOptions {
  readonly method: string
  /** Origin-form target, e.g. `/v1/chat/completions`. */
  readonly target: string
  /** Ready-made header lines, each ending in CRLF, without host, content-length, transfer-encoding and connection. */
  readonly head: string
  /** Parts are written back to back as one body; content-length is their sum. */
  readonly body: readonly Buffer[]
}

/**
 * What happens to a call, pushed as it happens. After `onEnd` or `onFailure`, nothing follows. Pieces are decoded payload (no
 * chunk framing), valid only during the call unless copied or written on.
 */
export interface CallHandler {
  onHead(status: number, headers: HeaderView): void
  onData(piece: Buffer): void
  onEnd(): void
  onFailure(failure: ClientFailure): void
}

export interface ActiveCall {
  /** Drops the connection. The handler hears nothing more. */
  abort(): void
  /** Stops reading from the supplier (back-pressure) and goes on. */
  pause(): void
  resume(): void
}

/** A keep-alive pool to one origin, `http:` or `https:`. */
export interface HttpClient {
  send(options: CallOptions, handler: CallHandler): ActiveCall
  readonly inFlight: number
  close(): void
}
