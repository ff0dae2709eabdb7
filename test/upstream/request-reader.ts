/** One request as the fake supplier received it; `body` is the exact text. */
export interface Received {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Empty when the body names none. */
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** Cuts complete requests off the front of what a connection has sent. It trusts its clients: this is a test double, not a server. */
export function takeRequest(data: Buffer): { readonly request: Received; readonly rest: Buffer } | undefined {
  const headEnd = data.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const [requestLine = '', ...lines] = data.toString('latin1', 0, headEnd).split('\r\n')
  const [method = '', path = ''] = requestLine.split(' ')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  const start = headEnd + HEAD_END.length
  const framed =
    headers.get('transfer-encoding') === 'chunked' ? chunkedBody(data, start) : sizedBody(data, start, headers)
  if (framed === undefined) return undefined
  const body = framed.body.toString('utf8')
  return { request: { method, path, headers, body, ...asked(body) }, rest: data.subarray(framed.end) }
}

function sizedBody(
  data: Buffer,
  start: number,
  headers: ReadonlyMap<string, string>,
): { body: Buffer; end: number } | undefined {
  const end = start + Number(headers.get('content-length') ?? 0)
  return data.length < end ? undefined : { body: data.subarray(start, end), end }
}

function chunkedBody(data: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = []
  for (let at = start; ;) {
    const lineEnd = data.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (data.length < next) return undefined
    if (size === 0) return { body: Buffer.concat(parts), end: next }
    parts.push(data.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}

function asked(body: string): Pick<Received, 'model' | 'stream' | 'includeUsage'> {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null) return { model: '', stream: false, includeUsage: false }
    const model = 'model' in parsed && typeof parsed.model === 'string' ? parsed.model : ''
    const stream = 'stream' in parsed && parsed.stream === true
    const options = 'stream_options' in parsed ? parsed.stream_options : undefined
    const includeUsage =
      typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage === true
    return { model, stream, includeUsage }
  } catch {
    return { model: '', stream: false, includeUsage: false }
  }
}
