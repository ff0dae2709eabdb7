import { CR, LF } from './characters.ts'
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

  get connectionContext(): unknown {
    return this.connection.context
  }

  set connectionContext(value: unknown) {
    this.connection.context = value
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

  startStream(status: number, head: string, first?: Buffer): boolean {
    if (!this.may('open')) return true
    if (status === 204 || status === 304) this.bodiless = true
    if (this.minor === 0 && !this.bodiless) this.connection.closeAfter = true
    const framing = this.minor === 1 && !this.bodiless ? 'transfer-encoding: chunked\r\n' : ''
    this.phase = 'streaming'
    const text = `${statusLine(status)}${head}${framing}${this.persistence()}\r\n`
    if (first !== undefined && first.length > 0 && !this.bodiless)
      return this.send(frame(text, first, this.minor, false))
    this.connection.socket.write(text, 'latin1')
    return true
  }

  write(piece: Buffer): boolean {
    if (!this.may('streaming')) return true
    if (this.bodiless || piece.length === 0) return true
    return this.send(frame('', piece, this.minor, false))
  }

  private send(framed: Buffer): boolean {
    const c = this.connection
    const flows = c.socket.write(framed)
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
      if (last !== undefined && last.length > 0) socket.write(frame('', last, this.minor, true))
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
 * A piece in its chunk framing behind what goes before it, always copied: one buffer makes one system call, and the caller may hand
 * in a view of a read buffer that is about to be reused.
 */
function frame(before: string, piece: Buffer, minor: 0 | 1, isLast: boolean): Buffer {
  const intro = minor === 0 ? before : `${before}${chunkSize(piece.length)}`
  const end = intro.length + piece.length
  const framed = Buffer.allocUnsafe(end + (minor === 0 ? 0 : isLast ? 7 : 2))
  // A call into C++ for five characters costs more than writing them here.
  if (before === '') for (let at = 0; at < intro.length; at++) framed[at] = intro.charCodeAt(at)
  else framed.write(intro, 0, 'latin1')
  piece.copy(framed, intro.length)
  if (minor === 0) return framed
  framed[end] = CR
  framed[end + 1] = LF
  if (isLast) framed.write(LAST_CHUNK, end + 2, 'latin1')
  return framed
}

/** Size lines of the usual pieces, made once. */
const SIZE_LINES = Array.from({ length: 1024 }, (_, size) => `${size.toString(16)}\r\n`)

function chunkSize(length: number): string {
  return SIZE_LINES[length] ?? `${length.toString(16)}\r\n`
}
