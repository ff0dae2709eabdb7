import { statusLine } from './head-text.ts'
import { refusal, type Refusal } from './request-head.ts'
import { closeGracefully, type OpenExchange, type ServerConnection } from './server-state.ts'

/**
 * Answers on the codec's own account and closes: after a message we could not trust, nothing that follows it on the
 * connection can be trusted either. An answer that has already begun is cut instead.
 */
export function refuse(c: ServerConnection, why: Refusal): void {
  const { exchange } = c
  if (c.reading === 'gone' || c.reading === 'linger') return
  if (exchange !== undefined) {
    const unanswered = exchange.phase === 'open'
    exchange.forget()
    if (!unanswered) {
      c.socket.destroy()
      return
    }
  }
  const text = render(c, why)
  const isHeadRequest = exchange?.method === 'HEAD'
  const length = Buffer.byteLength(text.body)
  const head = `${statusLine(why.status)}${text.head}content-length: ${length}\r\nconnection: close\r\n\r\n`
  c.socket.write(isHeadRequest ? head : head + text.body, 'utf8')
  closeGracefully(c)
}

function render(c: ServerConnection, { status, reason }: Refusal): { readonly head: string; readonly body: string } {
  try {
    return c.shared.options.renderRefusal(status, reason)
  } catch (error) {
    c.shared.options.onError?.(error)
    return { head: 'content-type: text/plain\r\n', body: `${reason}\n` }
  }
}

/** Runs a callback of the room's user. What it throws is reported and answered with 500, never left to the process. */
export function guarded(c: ServerConnection, exchange: OpenExchange, run: () => void): void {
  try {
    run()
  } catch (error) {
    blame(c, exchange, error)
  }
}

/** A callback of the room's user threw. */
export function blame(c: ServerConnection, exchange: OpenExchange, error: unknown): void {
  c.shared.options.onError?.(error)
  if (c.exchange === exchange) refuse(c, refusal(500, 'internal error'))
  else if (c.reading !== 'linger') c.socket.destroy()
}
