import { statusLine } from './head-text.ts'
import { guarded } from './refuse.ts'
import type { RequestHead } from './request-head.ts'
import { answerBegins, answered, type OpenExchange, type ServerConnection } from './server-state.ts'

/** Above this a body is written as it is, beside its head, instead of being copied behind it. */
const COPY_LIMIT_BYTES = 65_536
const LAST_CHUNK = '0\r\n\r\n'

/** The handler's side of one request on connection `c`. */
export function createExchange(c: ServerConnection, request: RequestHead): OpenExchange {
  const { method } = request
  const acceptedAt = performance.now()
  let phase: OpenExchange['phase'] = 'open'
  let forgotten = false
  let bodiless = method === 'HEAD'
  let onDrain: (() => void) | undefined
  let onClose: (() => void) | undefined

  /** Whether the handler may act now. Acting on a lost exchange is a harmless race; acting twice is a bug. */
  function may(expected: OpenExchange['phase']): boolean {
    if (forgotten || c.exchange !== exchange) {
      if (!forgotten && phase === 'done' && c.reading !== 'gone') misused()
      return false
    }
    if (phase === expected) return true
    misused()
    return false
  }

  function misused(): void {
    forgotten = true
    c.shared.options.onError?.(new Error('An exchange was answered out of turn; its connection is cut.'))
    c.socket.destroy()
  }

  function persistence(): string {
    answerBegins(c)
    if (c.closeAfter || c.shared.closing) {
      c.closeAfter = true
      return 'connection: close\r\n'
    }
    return request.minor === 0 ? 'connection: keep-alive\r\n' : ''
  }

  function finish(): void {
    phase = 'done'
    onDrain = undefined
    onClose = undefined
    answered(c)
  }

  const exchange: OpenExchange = {
    method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    acceptedAt,
    get remoteAddress() {
      return (c.remoteAddress ??= c.socket.remoteAddress ?? '')
    },
    get closed() {
      return c.reading === 'gone' || c.socket.destroyed
    },
    get phase() {
      return phase
    },

    respond(status, head, body) {
      if (!may('open')) return
      const isString = typeof body === 'string'
      const length = isString ? Buffer.byteLength(body) : body.length
      const bare = status === 204 || status === 304
      const text = `${statusLine(status)}${head}${bare ? '' : `content-length: ${length}\r\n`}${persistence()}\r\n`
      if (bodiless || bare || length === 0) c.socket.write(text, 'latin1')
      else if (length > COPY_LIMIT_BYTES) {
        c.socket.cork()
        c.socket.write(text, 'latin1')
        c.socket.write(body)
        c.socket.uncork()
      } else {
        const whole = Buffer.allocUnsafe(text.length + length)
        whole.write(text, 0, 'latin1')
        if (isString) whole.write(body, text.length, 'utf8')
        else body.copy(whole, text.length)
        c.socket.write(whole)
      }
      finish()
    },

    startStream(status, head) {
      if (!may('open')) return
      if (status === 204 || status === 304) bodiless = true
      if (request.minor === 0 && !bodiless) c.closeAfter = true
      const framing = request.minor === 1 && !bodiless ? 'transfer-encoding: chunked\r\n' : ''
      phase = 'streaming'
      c.socket.write(`${statusLine(status)}${head}${framing}${persistence()}\r\n`, 'latin1')
    },

    write(piece) {
      if (!may('streaming')) return true
      if (bodiless || piece.length === 0) return true
      const flows = c.socket.write(frame(piece, request.minor, false))
      // A deadline for the body of this request may still be running; a stalled answer is the stricter of the two.
      if (!flows) c.deadline = c.shared.sweep.after(c.shared.stallTimeoutMs)
      return flows
    },

    onDrain(callback) {
      onDrain = callback
    },

    endStream(last) {
      if (!may('streaming')) return
      if (!bodiless) {
        if (last !== undefined && last.length > 0) c.socket.write(frame(last, request.minor, true))
        else if (request.minor === 1) c.socket.write(LAST_CHUNK, 'latin1')
      }
      finish()
    },

    abort() {
      if (forgotten || phase === 'done' || c.exchange !== exchange) return
      forgotten = true
      // Without chunk framing only a reset tells the client that the answer is incomplete.
      if (request.minor === 0 && phase === 'streaming') c.socket.resetAndDestroy()
      else c.socket.destroy()
    },

    onClose(callback) {
      if (phase === 'done' || forgotten) return
      if (c.reading === 'gone') {
        queueMicrotask(callback)
        return
      }
      const earlier = onClose
      onClose =
        earlier === undefined
          ? callback
          : () => {
              earlier()
              callback()
            }
    },

    drained() {
      if (onDrain !== undefined) guarded(c, exchange, onDrain)
    },

    lost() {
      const callback = forgotten || phase === 'done' ? undefined : onClose
      onClose = undefined
      onDrain = undefined
      if (callback !== undefined) guarded(c, exchange, callback)
    },

    forget() {
      const callback = forgotten || phase === 'done' ? undefined : onClose
      forgotten = true
      phase = 'done'
      onClose = undefined
      onDrain = undefined
      try {
        callback?.()
      } catch (error) {
        c.shared.options.onError?.(error)
      }
    },
  }
  return exchange
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
