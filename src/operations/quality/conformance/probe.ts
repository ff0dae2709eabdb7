import { dig } from './model.ts'

/** The endpoint that is looked at. */
export interface Target {
  /** Up to and including the version path, such as `https://api.example.com/v1`. */
  readonly baseUrl: string
  readonly model: string
  readonly apiKey: string | undefined
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  /** Longest time that one request may take. */
  readonly timeoutMs: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined where the text is no JSON. */
  readonly json: unknown
}

export interface StreamEvent {
  /** Milliseconds after the request was sent. */
  readonly atMs: number
  readonly data: string
  readonly json: unknown
}

export interface Streamed {
  readonly status: number
  readonly headers: Headers
  /** The events before `[DONE]`. */
  readonly events: readonly StreamEvent[]
  readonly isDone: boolean
  /** What came after `[DONE]`, or was no event. */
  readonly stray: readonly string[]
  /** Why the body ended before its end; null: it ended properly. */
  readonly broken: string | null
  readonly endedAtMs: number
  /** The whole body, where it was no stream of events. */
  readonly text: string
}

export interface Probe {
  readonly target: Target
  /** How many requests were sent. */
  requests(): number
  get(path: string): Promise<Answer>
  /** `content`: an object is sent as JSON, a text as it is. */
  post(content: unknown, options?: { readonly key?: string }): Promise<Answer>
  /** `onEvent` returning false makes the client leave. */
  stream(content: unknown, onEvent?: (event: StreamEvent) => boolean): Promise<Streamed>
}

/** Speaks the OpenAI chat protocol as plainly as HTTP allows: nothing is retried, repaired or hidden. */
export function createProbe(target: Target): Probe {
  let sent = 0
  const url = (path: string) => `${target.baseUrl.replace(/\/+$/, '')}${path}`
  const headers = (key = target.apiKey): Record<string, string> => ({
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  })
  const bodyOf = (content: unknown) => (typeof content === 'string' ? content : JSON.stringify(content))
  const call = (path: string, init: RequestInit) => {
    sent += 1
    return fetch(url(path), { redirect: 'manual', signal: AbortSignal.timeout(target.timeoutMs), ...init })
  }
  const answerOf = async (reply: Response): Promise<Answer> => {
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, text, json: parsed(text) }
  }
  return {
    target,
    requests: () => sent,
    get: async (path) => answerOf(await call(path, { method: 'GET', headers: headers() })),
    post: async (content, { key } = {}) =>
      answerOf(await call('/chat/completions', { method: 'POST', headers: headers(key), body: bodyOf(content) })),
    async stream(content, onEvent = () => true) {
      const leaving = new AbortController()
      const startedMs = performance.now()
      const elapsed = () => performance.now() - startedMs
      const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(target.timeoutMs)])
      const init = { method: 'POST', headers: headers(), body: bodyOf(content), signal }
      const reply = await call('/chat/completions', init)
      const reader = createEventReader()
      let broken: string | null = null
      try {
        for await (const piece of reply.body ?? []) {
          const before = reader.events.length
          reader.take(piece, elapsed())
          if (reader.events.slice(before).some((event) => !onEvent(event))) {
            leaving.abort()
            break
          }
        }
      } catch (error) {
        if (!leaving.signal.aborted) broken = reasonOf(error)
      }
      return { status: reply.status, headers: reply.headers, ...reader.end(), broken, endedAtMs: elapsed() }
    },
  }
}

/** Cuts a body into server-sent events (WHATWG HTML, 9.2): lines of `data:`, ended by an empty line. */
function createEventReader() {
  const decoder = new TextDecoder()
  const events: StreamEvent[] = []
  const stray: string[] = []
  let [pending, text, isDone] = ['', '', false]
  const block = (lines: string, atMs: number): void => {
    const data = lines
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''))
      .join('\n')
    const isComment = lines.split(/\r?\n/).every((line) => line === '' || line.startsWith(':'))
    if (data === '' && !isComment) stray.push(lines)
    else if (data === '[DONE]' && !isDone) isDone = true
    else if (isDone && data !== '') stray.push(data)
    else if (data !== '') events.push({ atMs, data, json: parsed(data) })
  }
  return {
    events,
    take(piece: Uint8Array, atMs: number): void {
      const decoded = decoder.decode(piece, { stream: true })
      text += decoded
      pending += decoded
      const blocks = pending.split(/\r?\n\r?\n/)
      pending = blocks.pop() ?? ''
      for (const lines of blocks) block(lines, atMs)
    },
    end() {
      if (pending.trim() !== '') stray.push(pending)
      return { events, isDone, stray, text }
    },
  }
}

/** The text of an answer's first choice. */
export const contentOf = (answer: Pick<Answer, 'json'>): unknown => dig(answer.json, 'choices', 0, 'message', 'content')

export function textOf(answer: Pick<Answer, 'json'>): string {
  const text = contentOf(answer)
  return typeof text === 'string' ? text : ''
}

/** The pieces of text in a stream, in their order. */
export function deltasOf(streamed: Streamed): string[] {
  return streamed.events.flatMap(({ json }) => {
    const piece = dig(json, 'choices', 0, 'delta', 'content')
    return typeof piece === 'string' && piece !== '' ? [piece] : []
  })
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason'
  if (error.name === 'TimeoutError') return 'it took longer than a request may'
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
