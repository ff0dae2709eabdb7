import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BalanceView, ExplainReply, NewKey, type RequestRow } from '#contract'
import { type Factory, startFactory } from '../factory.ts'

/** The unmodified official SDK against the whole factory: gateway, control plane, PostgreSQL and the embedded engine. */
const MODEL = 'babbler'
const NAMED_LIKE_A_PATH = 'acme/babbler:small'
const HIDDEN = 'hidden'

const service = (id: string, more: object = {}) => ({
  id,
  contextTokens: 2048,
  maxOutputTokens: 1500,
  tokenizer: { kind: 'gguf', file: 'babbler-q8_0.gguf' },
  sell: [{ validFrom: '2026-01-01', taxPercent: 6, perMillion: { uncachedInput: '1', cacheRead: '0.1', output: '4' } }],
  deployments: [
    {
      supplier: 'embedded',
      model: 'babbler',
      priority: 1,
      buy: [
        {
          validFrom: '2026-01-01',
          taxPercent: 0,
          perMillion: { uncachedInput: '0.1', cacheRead: '0.01', output: '0.4' },
        },
      ],
    },
  ],
  ...more,
})

/** JSON is YAML. */
const document = JSON.stringify({
  suppliers: [{ id: 'embedded', kind: 'embedded', maxConcurrency: 64 }],
  services: [service(MODEL), service(NAMED_LIKE_A_PATH), service(HIDDEN, { tenants: ['globex'] })],
  tenants: [
    { id: 'acme', topups: [{ reference: 'opening', amountYuan: 100 }] },
    { id: 'globex', topups: [{ reference: 'opening-globex', amountYuan: 1 }] },
    { id: 'penniless' },
  ],
  keys: [{ id: 'demo', tenant: 'acme', name: 'demo' }],
})

let factory: Factory
let openai: OpenAI

function client(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: factory.apiUrl, apiKey, maxRetries: 0 })
}

/** A key that the gateway knows: it learns of new keys a moment after they are made. */
async function newClient(tenant: string, limits: object = {}): Promise<OpenAI> {
  const { secret } = NewKey.parse(await factory.control('POST', '/keys', { tenant, name: 'test', limits }))
  await factory.untilKeyAnswers(secret, 200)
  return client(secret)
}

/** The usage record of a request, once it is booked. */
async function bookedRecord(requestId: string): Promise<ExplainReply> {
  for (;;) {
    const rows = await factory.control<RequestRow[]>('GET', '/requests?limit=200')
    if (rows.some(({ id }) => id === requestId)) {
      return ExplainReply.parse(await factory.control('GET', `/requests/${requestId}`))
    }
  }
}

async function failure(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof APIError)) throw error
  return error
}

beforeAll(async () => {
  factory = await startFactory({ document, env: { LOG_LEVEL: 'warn', RECOUNTS_PER_SECOND: '100000' } })
  openai = client(factory.demoKey)
}, 120_000)

afterAll(async () => {
  await factory[Symbol.asyncDispose]()
}, 60_000)

const messages = [{ role: 'user' as const, content: 'Tell me about replication slots.' }]
const asked = { model: MODEL, messages, seed: 21, max_tokens: 40 }

test('models are listed and found by name, even by names that look like paths', async () => {
  const ids: string[] = []
  for await (const model of openai.models.list()) ids.push(model.id)
  expect(ids.toSorted()).toEqual([NAMED_LIKE_A_PATH, MODEL])
  const found = await openai.models.retrieve(NAMED_LIKE_A_PATH)
  expect(found).toMatchObject({ id: NAMED_LIKE_A_PATH, object: 'model', created: expect.any(Number) })
})

test('an answer in one piece has the shape, the usage and the request id that the SDK promises', async () => {
  const answer = await openai.chat.completions.create(asked)
  expect(answer).toMatchObject({ object: 'chat.completion', model: MODEL, created: expect.any(Number) })
  expect(answer.choices).toHaveLength(1)
  expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'length', message: { role: 'assistant' } })
  expect(answer.choices[0]?.message.content?.length).toBeGreaterThan(30)
  expect(answer.usage).toMatchObject({ completion_tokens: 40, total_tokens: 40 + (answer.usage?.prompt_tokens ?? 0) })
  expect(answer._request_id).toMatch(/^req_[0-9a-z]{26}$/)
})

test('a streamed answer is the same text, and tells its usage when asked to', async () => {
  const whole = await openai.chat.completions.create(asked)
  const stream = await openai.chat.completions.create({
    ...asked,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(whole.choices[0]?.message.content)
  expect(chunks.length).toBeGreaterThan(20)
  expect(chunks.every(({ model }) => model === MODEL)).toBe(true)
  expect(chunks.filter(({ usage }) => usage)).toHaveLength(1)
  const last = chunks.at(-1)
  expect(last?.choices).toEqual([])
  expect(last?.usage).toMatchObject({ prompt_tokens: whole.usage?.prompt_tokens, completion_tokens: 40 })
})

test('what a call cost follows its answer, where the SDK passes over it', async () => {
  const { response } = await openai.chat.completions.create(asked).withResponse()
  const { record } = await bookedRecord(response.headers.get('x-request-id') ?? '')
  expect(response.headers.get('x-factory-charge-pico')).toBe(record.sellPico)
  const raw = await (await openai.chat.completions.create({ ...asked, stream: true }).asResponse()).text()
  expect(raw).toMatch(/\n\n: x-factory \{"chargeYuan":"0\.\d+","debits":\{\}\}\n\ndata: \[DONE\]\n\n$/)
  const chunks: unknown[] = []
  for await (const chunk of await openai.chat.completions.create({ ...asked, stream: true })) chunks.push(chunk)
  // One chunk per event with data: the comment is none.
  expect(chunks).toHaveLength(raw.split('\n').filter((line) => line.startsWith('data: {')).length)
})

test('a stream that did not ask for usage gets none, although we always ask the supplier', async () => {
  const stream = openai.chat.completions.stream(asked)
  const chunks: OpenAI.ChatCompletionChunk[] = []
  stream.on('chunk', (chunk) => chunks.push(chunk))
  const final = await stream.finalChatCompletion()
  expect(final.choices[0]?.finish_reason).toBe('length')
  expect(chunks.every((chunk) => !chunk.usage && chunk.choices.length === 1)).toBe(true)
})

test('structured output and forced tool calls reach the SDK as objects', async () => {
  const schema = {
    type: 'object',
    properties: { topic: { type: 'string' } },
    required: ['topic'],
    additionalProperties: false,
  }
  const parsed = await openai.chat.completions.parse({
    ...asked,
    max_tokens: 200,
    response_format: { type: 'json_schema', json_schema: { name: 'topic', strict: true, schema } },
  })
  expect(parsed.choices[0]?.message.parsed).toEqual({ topic: expect.any(String) })
  const stream = openai.chat.completions.stream({
    ...asked,
    max_tokens: 200,
    tools: [{ type: 'function', function: { name: 'look_up', parameters: schema } }],
    tool_choice: { type: 'function', function: { name: 'look_up' } },
  })
  const { choices } = await stream.finalChatCompletion()
  const [call] = choices[0]?.message.tool_calls ?? []
  expect(choices[0]?.finish_reason).toBe('tool_calls')
  expect(call?.type === 'function' && call.function.name).toBe('look_up')
  expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ topic: expect.any(String) })
})

test('what the SDK reads as usage is what was recorded, counted and charged', async () => {
  const answer = await openai.chat.completions.create({
    ...asked,
    messages: [{ role: 'user', content: 'Charge 我 for this 🙂.' }],
  })
  const { record, posting } = await bookedRecord(answer._request_id ?? '')
  const { usage } = answer
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0
  expect(record).toMatchObject({
    tenant: 'acme',
    service: MODEL,
    supplier: 'embedded',
    ending: 'completed',
    basis: 'reported',
  })
  expect(record.tokens).toEqual({
    uncachedInput: (usage?.prompt_tokens ?? 0) - cached,
    cacheWrite: 0,
    cacheRead: cached,
    output: 40,
    reasoning: 0,
  })
  const { uncachedInput, cacheRead, output } = record.tokens
  expect(BigInt(record.sellPico)).toBe(
    BigInt(uncachedInput) * 1_000_000n + BigInt(cacheRead) * 100_000n + BigInt(output) * 4_000_000n,
  )
  expect(posting).not.toBeNull()
  // Every answer is counted a second time here, by ourselves and with the model file's own vocabulary.
  expect(record.counted).toMatchObject({ input: usage?.prompt_tokens, method: 'gguf:babbler-q8_0.gguf' })
  expect(record.counted?.output).toBeGreaterThan(30)
  expect(record.counted?.output).toBeLessThanOrEqual(40)
})

test('an unknown key is an AuthenticationError', async () => {
  const stranger = client('sk-unknown')
  for (const call of [() => stranger.chat.completions.create(asked), () => stranger.models.list()]) {
    const error = await failure(call())
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', requestID: expect.stringMatching(/^req_/) })
  }
})

test('a revoked key stops working', async () => {
  const { id, secret } = NewKey.parse(await factory.control('POST', '/keys', { tenant: 'acme', name: 'short-lived' }))
  await factory.untilKeyAnswers(secret, 200)
  await factory.control('POST', `/keys/${id}/revoke`, {})
  await factory.untilKeyAnswers(secret, 401)
  const error = await failure(client(secret).models.list())
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(error.message).toContain('revoked')
})

test('a model that does not exist, and one that is not ours, are the same NotFoundError', async () => {
  const unknown = await failure(openai.chat.completions.create({ ...asked, model: 'gpt-none' }))
  const hidden = await failure(openai.chat.completions.create({ ...asked, model: HIDDEN }))
  expect(unknown).toBeInstanceOf(NotFoundError)
  expect(unknown).toMatchObject({ code: 'model_not_found', param: 'model' })
  expect(hidden.message).toBe(unknown.message)
  expect(await failure(openai.models.retrieve(HIDDEN))).toBeInstanceOf(NotFoundError)
})

test.each([
  ['no messages', { messages: [] }],
  ['a role nobody knows', { messages: [{ role: 'king', content: 'x' }] }],
  ['a temperature out of range', { temperature: 9 }],
  ['an output cap above the model', { max_tokens: 1_000_000 }],
  ['no model', { model: undefined }],
  ['two choices, which the only supplier refuses', { n: 2 }],
  ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] }],
  ['a prompt beyond the context', { messages: [{ role: 'user', content: 'word '.repeat(3000) }] }],
])('%s is a BadRequestError', async (_name, more) => {
  const error = await failure(openai.chat.completions.create({ ...asked, ...more } as typeof asked))
  expect(error).toBeInstanceOf(BadRequestError)
  expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', requestID: expect.stringMatching(/^req_/) })
})

test('an empty wallet is status 402', async () => {
  const poor = await newClient('penniless')
  const error = await failure(poor.chat.completions.create(asked))
  expect(error).toMatchObject({ status: 402, type: 'insufficient_quota', code: 'insufficient_balance' })
  expect(await failure(poor.chat.completions.create({ ...asked, stream: true }))).toMatchObject({ status: 402 })
  expect(await factory.control<BalanceView>('GET', '/balance?tenant=penniless')).toMatchObject({ postedPico: '0' })
})

test('a rate limit shows in the headers, and past it is a RateLimitError with a time to come back', async () => {
  const limited = await newClient('globex', { requestsPerMinute: 2 })
  const { response } = await limited.chat.completions.create({ ...asked, max_tokens: 1 }).withResponse()
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('2')
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('1')
  expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d/)
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  await limited.chat.completions.create({ ...asked, max_tokens: 1 })
  const error = await failure(limited.chat.completions.create({ ...asked, max_tokens: 1 }))
  expect(error).toBeInstanceOf(RateLimitError)
  expect(error).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' })
  expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(1)
})

test('a client that breaks a stream off pays for what was generated until then, and no more', async () => {
  const schema = { type: 'string', minLength: 1000 }
  const { data: stream, response } = await openai.chat.completions
    .create({
      ...asked,
      stream: true,
      max_tokens: 1500,
      // The grammar keeps the model from ending by itself before it is broken off.
      response_format: { type: 'json_schema', json_schema: { name: 'long', schema } },
    })
    .withResponse()
  let seen = 0
  try {
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) seen++
      if (seen === 10) stream.controller.abort()
    }
  } catch (error) {
    expect(error).toBeInstanceOf(APIUserAbortError)
  }
  const { record } = await bookedRecord(response.headers.get('x-request-id') ?? '')
  expect(record.ending).toBe('client_closed')
  expect(record.tokens.output).toBeGreaterThanOrEqual(seen)
  expect(record.tokens.output).toBeLessThan(1500)
  expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
  expect(BigInt(record.sellPico)).toBeLessThan(BigInt(record.holdPico))
})

test('many callers stream at once, and each gets its own answer', async () => {
  const alone = await openai.chat.completions.create({ ...asked, seed: 5 })
  const texts = await Promise.all(
    Array.from({ length: 16 }, async (_, seed) => {
      let text = ''
      for await (const chunk of await openai.chat.completions.create({ ...asked, seed, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? ''
      }
      return text
    }),
  )
  expect(texts[5]).toBe(alone.choices[0]?.message.content)
  expect(new Set(texts).size).toBe(16)
})
