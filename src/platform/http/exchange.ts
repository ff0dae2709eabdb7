import { statusLine } from './head-text.ts'
import { guarded } from './refuse.ts'
import type { RequestHead } from './request-head.ts'
import { answerBegins, answered, type OpenExchange, type ServerConnection } from './server-state.ts'
import type { HeaderView } from './types.ts'

/** Above this a body is written as it is, beside its head, instead of being copied behind it. */
const COPY_LIMIT_BYTES = 65_536
const LAST_CHUNK = '0\r\n\r\n'

/** The handler's side of one request on connection `c`. */
export function createExchange(c: ServerConnection, request: RequestHead): OpenExchange {
  return new ServerExchange(c, request)
}

/**
 * A class, against the house rule, because one is made per request: as an object of closures it was a tenth of all that a request
 * allocates.
 */
class ServerExchange implements OpenExchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderView
  readonly acceptedAt = performance.now()
  context: unknown = undefined
  phase: OpenExchange['phase'] = 'open'
  private readonly connection: ServerConnection
  private readonly minor: 0 | 1
  private bodiless: boolean
  private forgotten = false
  private drainCallback: (() => void) | undefined = undefined
  private closeCallback: (() => void) | undefined = undefined

  constructor(connection: ServerConnection, request: RequestHead) {
    this.connection = connection
    this.method = request.method
    this.path = request.path
    this.query = request.query
    this.headers = request.headers
    this.minor = request.minor
    this.bodiless = request.method === 'HEAD'
  }

  get remoteAddress(): string {
    return (this.connection.remoteAddress ??= this.connection.socket.remoteAddress ?? '')
  }

  get closed(): boolean {
    return this.connection.reading === 'gone' || this.connection.socket.destroyed
  }

  respond(status: number, head: string, body: Buffer | string): void {
    if (!this.may('open')) return
    const { socket } = this.connection
    const isString = typeof body === 'string'
    const length = isString ? Buffer.byteLength(body) : body.length
    const bare = status === 204 || status === 304
    const text = `${statusLine(status)}${head}${bare ? '' : `content-length: ${length}\r\n`}${this.persistence()}\r\n`
    if (this.bodiless || bare || length === 0) socket.write(text, 'latin1')
    else if (length > COPY_LIMIT_BYTES) {
      socket.cork()
      socket.write(text, 'latin1')
      socket.write(body)
      socket.uncork()
    } else {
      const whole = Buffer.allocUnsafe(text.length + length)
      whole.write(text, 0, 'latin1')
      if (isString) whole.write(body, text.length, 'utf8')
      else body.copy(whole, text.length)
      socket.write(whole)
    }
    this.finish()
  }

  startStream(status: number, head: string): void {
    if (!this.may('open')) return
    if (status === 204 || status === 304) this.bodiless = true
    if (this.minor === 0 && !this.bodiless) this.connection.closeAfter = true
    const framing = this.minor === 1 && !this.bodiless ? 'transfer-encoding: chunked\r\n' : ''
    this.phase = 'streaming'
    this.connection.socket.write(`${statusLine(status)}${head}${framing}${this.persistence()}\r\n`, 'latin1')
  }

  write(piece: Buffer): boolean {
    if (!this.may('streaming')) return true
    if (this.bodiless || piece.length === 0) return true
    const c = this.connection
    const flows = c.socket.write(frame(piece, this.minor, false))
    // A deadline for the body of this request may still be running; a stalled answer is the stricter of the two.
    if (!flows) c.deadline = c.shared.sweep.after(c.shared.stallTimeoutMs)
    return flows
  }

  onDrain(callback: () => void): void {
    this.drainCallback = callback
  }

  endStream(last?: Buffer): void {
    if (!this.may('streaming')) return
    if (!this.bodiless) {
      const { socket } = this.connection
      if (last !== undefined && last.length > 0) socket.write(frame(last, this.minor, true))
      else if (this.minor === 1) socket.write(LAST_CHUNK, 'latin1')
    }
    this.finish()
  }

  abort(): void {
    const c = this.connection
    if (this.forgotten || this.phase === 'done' || c.exchange !== this) return
    this.forgotten = true
    // Without chunk framing only a reset tells the client that the answer is incomplete.
    if (this.minor === 0 && this.phase === 'streaming') c.socket.resetAndDestroy()
    else c.socket.destroy()
  }

  onClose(callback: () => void): void {
    if (this.phase === 'done' || this.forgotten) return
    if (this.connection.reading === 'gone') {
      queueMicrotask(callback)
      return
    }
    const earlier = this.closeCallback
    this.closeCallback =
      earlier === undefined
        ? callback
        : () => {
            earlier()
            callback()
          }
  }

  drained(): void {
    if (this.drainCallback !== undefined) guarded(this.connection, this, this.drainCallback)
  }

  lost(): void {
    const callback = this.forgotten || this.phase === 'done' ? undefined : this.closeCallback
    this.closeCallback = undefined
    this.drainCallback = undefined
    if (callback !== undefined) guarded(this.connection, this, callback)
  }

  forget(): void {
    const callback = this.forgotten || this.phase === 'done' ? undefined : this.closeCallback
    this.forgotten = true
    this.phase = 'done'
    this.closeCallback = undefined
    this.drainCallback = undefined
    try {
      callback?.()
    } catch (error) {
      this.connection.shared.options.onError?.(error)
    }
  }

  /** Whether the handler may act now. Acting on a lost exchange is a harmless race; acting twice is a bug. */
  private may(expected: OpenExchange['phase']): boolean {
    const c = this.connection
    if (this.forgotten || c.exchange !== this) {
      if (!this.forgotten && this.phase === 'done' && c.reading !== 'gone') this.misused()
      return false
    }
    if (this.phase === expected) return true
    this.misused()
    return false
  }

  private misused(): void {
    const c = this.connection
    this.forgotten = true
    c.shared.options.onError?.(new Error('An exchange was answered out of turn; its connection is cut.'))
    c.socket.destroy()
  }

  private persistence(): string {
    const c = this.connection
    answerBegins(c)
    if (c.closeAfter || c.shared.closing) {
      c.closeAfter = true
      return 'connection: close\r\n'
    }
    return this.minor === 0 ? 'connection: keep-alive\r\n' : ''
  }

  private finish(): void {
    this.phase = 'done'
    this.drainCallback = undefined
    this.closeCallback = undefined
    answered(this.connection)
  }
}

/**
 * A piece in its chunk framing, always copied: one buffer makes one system call, and the caller may hand in a view of a
 * read buffer that is about to be reused.
 */
function frame(piece: Buffer, minor: 0 | 1, isLast: boolean): Buffer {
  if (minor === 0) return Buffer.from(piece)
  const size = `${piece.length.toString(16)}\r\n`
  const end = size.length + piece.length
  const framed = Buffer.allocUnsafe(end + (isLast ? 7 : 2))
  framed.write(size, 0, 'latin1')
  piece.copy(framed, size.length)
  framed.write(isLast ? `\r\n${LAST_CHUNK}` : '\r\n', end, 'latin1')
  return framed
}
