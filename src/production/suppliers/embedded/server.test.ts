import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { systemClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, createEngine } from './engine.ts'
import { type EngineServer, createEngineServer } from './server.ts'

const modelPath = fileURLToPath(new URL('../../../../models/babbler-q8_0.gguf', import.meta.url))
const MAX_BODY_BYTES = 20_000
let engine: Engine
let server: EngineServer
let base: string
let port: number

function createServer(): EngineServer {
  return createEngineServer({
    engine,
    clock: systemClock,
    log: nullLog,
    maxBodyBytes: MAX_BODY_BYTES,
    defaultTemperature: 1,
    maxFreeTextLength: 40,
  })
}

beforeAll(async () => {
  engine = await createEngine({
    modelPath,
    modelId: 'babbler',
    sequences: 1,
    maxWaiting: 1,
    contextTokens: 2048,
    random: () => 1,
    log: nullLog,
  })
  server = createServer()
  port = await server.listen(0)
  base = `http://127.0.0.1:${port}`
})

afterAll(async () => {
  await server.close(0)
  await engine.dispose()
})

const hello = {
  model: 'babbler',
  messages: [{ role: 'user', content: 'Tell me about queries.' }],
  max_tokens: 30,
  seed: 5,
}

function post(body: object | string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })
}

interface Chunk {
  readonly id: string
  readonly object: string
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly content?: string }
    readonly finish_reason: string | null
  }[]
  readonly usage?: object | null
}

async function readStream(response: Response): Promise<{ chunks: Chunk[]; last: string }> {
  const lines = (await response.text()).split('\n\n')
  expect(lines.pop()).toBe('')
  const data = lines.map((line) => {
    expect(line.startsWith('data: ')).toBe(true)
    return line.slice(6)
  })
  const last = data.pop() ?? ''
  return { chunks: data.map((text) => JSON.parse(text) as Chunk), last }
}

/** Asks until the answer is as wanted; ends with the test's own time limit. */
async function until(isSo: (load: { busy: number; waiting: number }) => boolean): Promise<void> {
  for (;;) {
    const load = (await (await fetch(`${base}/health`)).json()) as { busy: number; waiting: number }
    if (isSo(load)) return
  }
}

test('a streamed answer has the same text and usage as an answer in one piece', async () => {
  const whole = (await (await post(hello)).json()) as {
    choices: { message: { content: string }; finish_reason: string }[]
    usage: object
  }
  const response = await post({ ...hello, stream: true, stream_options: { include_usage: true } })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const { chunks, last } = await readStream(response)
  expect(last).toBe('[DONE]')
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null })
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(whole.choices[0]?.message.content)
  expect(chunks.filter((chunk) => chunk.choices[0]?.delta.content).length).toBeGreaterThan(15)
  expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: whole.choices[0]?.finish_reason })
  expect(chunks.at(-1)?.choices).toEqual([])
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 30, total_tokens: 39 })
  expect(whole.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 30, total_tokens: 39 })
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  for (const chunk of chunks.slice(0, -1)) expect([chunk.object, chunk.usage]).toEqual(['chat.completion.chunk', null])
})

test('usage is left out of a stream that did not ask for it', async () => {
  const { chunks } = await readStream(await post({ ...hello, stream: true }))
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length')
  expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
})

test.each([
  ['{', 400, null, 'invalid_request_error'],
  ['[]', 400, null, 'invalid_request_error'],
  [{ ...hello, model: 'other' }, 404, 'model_not_found', 'invalid_request_error'],
  [{ ...hello, n: 3 }, 400, null, 'invalid_request_error'],
  [
    { ...hello, messages: [{ role: 'user', content: 'a '.repeat(2500) }] },
    400,
    'context_length_exceeded',
    'invalid_request_error',
  ],
  [
    { ...hello, messages: [{ role: 'user', content: 'a '.repeat(2500) }], stream: true },
    400,
    'context_length_exceeded',
    'invalid_request_error',
  ],
  ['x'.repeat(MAX_BODY_BYTES + 1), 413, 'request_too_large', 'invalid_request_error'],
])('an error has a status and the shape that clients know: %#', async (body, status, code, type) => {
  const response = await post(body)
  expect(response.status).toBe(status)
  const { error } = (await response.json()) as { error: object }
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code'])
  expect(error).toMatchObject({ code, type })
})

test('a body that grows past the limit without saying so is refused', async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(4096).fill(32))
    },
  })
  const response = await post('', { body, duplex: 'half' } as RequestInit)
  expect(response.status).toBe(413)
})

test('other addresses and methods are not found', async () => {
  for (const [method, path] of [
    ['GET', '/v1/chat/completions'],
    ['POST', '/v1/models'],
    ['GET', '/'],
    ['GET', '/v1/models/other'],
  ] as const) {
    const response = await fetch(base + path, { method })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'unknown_url' } })
  }
})

test('the model is listed', async () => {
  const list = (await (await fetch(`${base}/v1/models`)).json()) as { data: { id: string }[] }
  expect(list).toMatchObject({ object: 'list', data: [{ id: 'babbler', object: 'model', owned_by: 'embedded' }] })
  expect(await (await fetch(`${base}/v1/models/babbler`)).json()).toEqual(list.data[0])
})

/** Wants as many tokens as there is room for; the grammar keeps the model from ending early. */
const endless = {
  ...hello,
  max_tokens: 1900,
  response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'string', minLength: 1000 } } },
}

test('a full engine lets the next one wait and refuses the one after with a time to come back', async () => {
  const first = new AbortController()
  const running = await post({ ...endless, stream: true }, { signal: first.signal })
  const waiting = post(hello)
  await until((load) => load.waiting === 1)
  const refused = await post(hello)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'engine_busy' } })
  first.abort()
  await expect(running.text()).rejects.toThrow()
  expect((await waiting).status).toBe(200)
})

test('a client that hangs up frees its place, whether it streams, waits for all, or is in the queue', async () => {
  for (const stream of [true, false]) {
    const client = new AbortController()
    const call = post({ ...endless, stream }, { signal: client.signal }).then((response) => response.text())
    await until((load) => load.busy === 1)
    const queued = new AbortController()
    const behind = post(hello, { signal: queued.signal })
    await until((load) => load.waiting === 1)
    queued.abort()
    await expect(behind).rejects.toThrow()
    await until((load) => load.waiting === 0 && load.busy === 1)
    client.abort()
    await expect(call).rejects.toThrow()
    await until((load) => load.busy === 0)
  }
})

test('a connection that sends nonsense is answered and closed', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.end('NONSENSE\r\n\r\n')
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  expect(Buffer.concat(pieces).toString()).toMatch(/^HTTP\/1\.1 400 /)
})

test('closing lets an answer at work finish, and then takes nothing more', async () => {
  const other = createServer()
  const address = `http://127.0.0.1:${await other.listen(0)}/v1/chat/completions`
  const running = await fetch(address, { method: 'POST', body: JSON.stringify({ ...hello, stream: true }) })
  const closed = other.close(20_000)
  expect((await readStream(running)).last).toBe('[DONE]')
  await closed
  await expect(fetch(address, { method: 'POST', body: JSON.stringify(hello) })).rejects.toThrow()
})

test('closing without patience cuts an answer off visibly', async () => {
  const other = createServer()
  const address = `http://127.0.0.1:${await other.listen(0)}/v1/chat/completions`
  const running = await fetch(address, { method: 'POST', body: JSON.stringify({ ...endless, stream: true }) })
  await other.close(0)
  await expect(running.text()).rejects.toThrow()
  await until((load) => load.busy === 0)
})
