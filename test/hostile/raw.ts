import { connect } from 'node:net'

/** What came back for bytes that may be no HTTP at all. */
export type RawAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: ReadonlyMap<string, string>
      readonly body: string
    }
  | { readonly kind: 'closed' }
  | { readonly kind: 'hung' }
  | { readonly kind: 'left' }

export interface RawCall {
  readonly port: number
  readonly bytes: Buffer
  /** Hangs up after this many bytes were sent, or, when all were, after the first bytes of the answer. */
  readonly hangUpAfter?: number
  readonly hasBody?: boolean
}

const HANG_MS = 20_000

/** Sends bytes as they are over a connection of their own, and reads one answer. */
export function sendRaw({ port, bytes, hangUpAfter, hasBody = true }: RawCall): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let data: Buffer = Buffer.alloc(0)
    const end = (answer: RawAnswer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end({ kind: 'hung' }), HANG_MS)
    socket.on('data', (piece: Buffer) => {
      if (hangUpAfter !== undefined) return end({ kind: 'left' })
      data = Buffer.concat([data, piece])
      const answer = whole(data, hasBody)
      if (answer !== undefined) end(answer)
    })
    socket.on('close', () => end({ kind: hangUpAfter === undefined ? 'closed' : 'left' }))
    // A server that refuses early closes while we still write; what it said before arrives as data.
    socket.on('error', () => undefined)
    if (hangUpAfter !== undefined && hangUpAfter < bytes.length) {
      socket.write(bytes.subarray(0, hangUpAfter), () => end({ kind: 'left' }))
    } else {
      socket.write(bytes)
    }
  })
}

/** The first answer in `data`, once it is complete; it must be framed by length or chunks. */
function whole(data: Buffer, hasBody: boolean): RawAnswer | undefined {
  const headEnd = data.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = data.toString('latin1', 0, headEnd).split('\r\n')
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
  const start = headEnd + 4
  const done = (body: string): RawAnswer => ({ kind: 'answer', status, headers, body })
  if (status === 100) return whole(data.subarray(start), hasBody)
  if (!hasBody || status === 204 || status === 304) return done('')
  const length = headers.get('content-length')
  if (length !== undefined) {
    const end = start + Number(length)
    return data.length < end ? undefined : done(data.toString('utf8', start, end))
  }
  const rest = data.toString('utf8', start)
  return rest.endsWith('0\r\n\r\n') ? done(rest) : undefined
}
