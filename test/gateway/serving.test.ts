import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BalanceView, ExplainReply, VerifyReply } from '#contract'
import { PRICES, factoryDocument } from '../factory-document.ts'
import { startFactory } from '../factory.ts'
import type { Factory } from '../factory.ts'
import { startUpstream } from '../upstream/index.ts'
import type { Upstream } from '../upstream/index.ts'

/** The gateway process against a real, misbehaving HTTP supplier, judged from both sides and by the books. */
let first: Upstream
let second: Upstream
let factory: Factory
let key: string

const quick = { firstByteMs: 600, idleMs: 600, totalMs: 3_000 }

beforeAll(async () => {
  first = await startUpstream()
  second = await startUpstream()
  factory = await startFactory({
    document: factoryDocument({
      suppliers: {
        first: first.url,
        second: second.url,
        locked: { baseUrl: first.url, apiKeyEnv: 'NO_SUCH_KEY' },
        narrow: { baseUrl: second.url, maxConcurrency: 1 },
      },
      services: [
        { id: 'plain', deployments: [['first', 'plain-upstream']], timeouts: quick },
        {
          id: 'org/paired',
          deployments: [
            ['first', 'flaky'],
            ['second', 'steady'],
          ],
          timeouts: quick,
        },
        {
          id: 'strict',
          deployments: [
            ['first', 'strict'],
            ['second', 'steady'],
          ],
        },
        {
          id: 'unlocked',
          deployments: [
            ['locked', 'x'],
            ['second', 'steady'],
          ],
        },
        { id: 'narrow', deployments: [['narrow', 'slow']] },
        { id: 'private', deployments: [['first', 'plain-upstream']], tenants: ['other'] },
      ],
      tenants: [
        { id: 'acme', topUpYuan: '100' },
        { id: 'other' },
        { id: 'poor', topUpYuan: '0.000001' },
        { id: 'limited', topUpYuan: '10' },
      ],
      keys: [{ id: 'demo', tenant: 'acme' }],
    }),
  })
  key = factory.demoKey
})

afterAll(async () => {
  await factory?.[Symbol.asyncDispose]()
  await first?.close()
  await second?.close()
})

const hello = [{ role: 'user', content: 'Hello there' }]

function chat(
  body: object | string,
  options: { key?: string; signal?: AbortSignal; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${factory.apiUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.key ?? key}`, 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

async function failure(
  response: Response,
): Promise<{ status: number; code: string | null; type: string; message: string; param: string | null }> {
  const { error } = (await response.json()) as {
    error: { code: string; type: string; message: string; param: string | null }
  }
  return { status: response.status, ...error }
}

/** What the books say of a request, once its record has been ingested. */
async function booked(id: string | null): Promise<ExplainReply> {
  const explain = () => factory.control<ExplainReply>('GET', `/requests/${id ?? 'missing'}`)
  await expect.poll(() => explain().catch(() => undefined), { timeout: 10_000 }).toBeDefined()
  return explain()
}

const newKey = async (tenant: string, over: object = {}) => {
  const { secret } = await factory.control<{ secret: string }>('POST', '/keys', { tenant, name: 'test', ...over })
  await factory.untilKeyAnswers(secret, 200)
  return secret
}

test('a whole answer passes byte for byte, and unknown fields of request and answer with it', async () => {
  first.script('plain-upstream', {
    kind: 'answer',
    text: 'Grüße, 词元 🙂',
    usage: { prompt_tokens: 7, completion_tokens: 5 },
    fields: { vendor_extra: { deep: [1.0, 'x'] } },
  })
  const response = await chat(
    '{"model":"plain",  "messages":[{"role":"user","content":"hi"}], "future_field": 12345678901234567890, "max_tokens": 50}',
  )
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    vendor_extra: { deep: [1, 'x'] },
    choices: [{ message: { content: 'Grüße, 词元 🙂' } }],
  })
  expect(first.received().at(-1)?.body.toString()).toBe(
    '{"model":"plain-upstream",  "messages":[{"role":"user","content":"hi"}], "future_field": 12345678901234567890, "max_tokens": 50}',
  )
  const { record, shares } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({
    ending: 'completed',
    basis: 'reported',
    tenant: 'acme',
    supplier: 'first',
    tokens: { uncachedInput: 7, output: 5 },
  })
  expect(record.sellPico).toBe(String((7n * PRICES.sellInput + 5n * PRICES.sellOutput) * 1_000_000n))
  expect(record.buyPico).toBe(String((7n * PRICES.buyInput + 5n * PRICES.buyOutput) * 1_000_000n))
  expect(shares.reduce((sum, { amountPico }) => sum + BigInt(amountPico), 0n)).toBe(0n)
})

test('a supplier is always asked for a cap and for usage, the client gets only what it asked for', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 4 })
  const without = await (await chat({ model: 'plain', messages: hello, stream: true })).text()
  const sent = JSON.parse(first.received().at(-1)?.body.toString() ?? '') as object
  expect(sent).toMatchObject({ max_tokens: 1000, stream_options: { include_usage: true } })
  expect(without).not.toMatch(/"usage":\s*\{/)
  expect(without.endsWith('data: [DONE]\n\n')).toBe(true)
  const withUsage = await (
    await chat({ model: 'plain', messages: hello, stream: true, stream_options: { include_usage: true } })
  ).text()
  expect(withUsage).toMatch(/"usage":\s*\{/)
})

test('a stream without usage is recounted, never free', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 8, usage: 'none' })
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  expect(await response.text()).toContain('[DONE]')
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'completed', basis: 'counted', reported: null })
  expect(record.tokens.output).toBeGreaterThan(0)
  expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
})

test('a supplier that claims absurd usage is not believed', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 8, usage: { prompt_tokens: 9e15, completion_tokens: 9e15 } })
  const response = await chat({ model: 'plain', messages: hello, max_tokens: 20 })
  await response.text()
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ basis: 'counted', note: expect.stringContaining('supplier') })
  expect(BigInt(record.sellPico)).toBeLessThanOrEqual(BigInt(record.holdPico))
})

test.each([
  ['one 500', [{ kind: 'status', status: 500 }]],
  ['a busy signal', [{ kind: 'status', status: 429, retryAfter: '1' }]],
  ['a reset before the answer', [{ kind: 'reset' }]],
  ['silence', [{ kind: 'never' }]],
  ['garbage', [{ kind: 'garbage' }]],
  ['bad credentials of ours', [{ kind: 'status', status: 401 }]],
] as const)('after %s another supplier answers, and the books name the one that did', async (_, behaviours) => {
  for (const stream of [true, false]) {
    if (!stream && behaviours[0].kind === 'never') continue
    first.script('flaky', [...behaviours, ...behaviours])
    second.script('steady', { kind: 'answer', events: 3, usage: { prompt_tokens: 4, completion_tokens: 3 } })
    const response = await chat({ model: 'org/paired', messages: hello, stream })
    const text = await response.text()
    expect(response.status, text).toBe(200)
    if (stream) expect(text).toContain('[DONE]')
    const { record } = await booked(response.headers.get('x-request-id'))
    expect(record).toMatchObject({
      supplier: 'second',
      model: 'steady',
      ending: 'completed',
      tokens: { uncachedInput: 4, output: 3 },
    })
    expect(record.attempts.map(({ supplier }) => supplier)).toContain('second')
  }
})

test.each([
  ['cut', { kind: 'cut', events: 3 }],
  ['ended early and cleanly', { kind: 'cut', events: 3, clean: true }],
  ['stalled', { kind: 'stall', events: 3 }],
] as const)('a stream that is %s ends with a typed error, without [DONE], and is not charged', async (_, behaviour) => {
  first.script('plain-upstream', behaviour)
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  const text = await response.text()
  expect(text).not.toContain('[DONE]')
  const last = text.trimEnd().split('\n\n').at(-1) ?? ''
  expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
    error: { code: expect.stringMatching(/answer_cut|timeout/), type: 'server_error' },
  })
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'failed', sellPico: '0' })
  expect(BigInt(record.buyPico)).toBeGreaterThan(0n)
})

test('a malformed event is never passed off as an answer', async () => {
  first.script('plain-upstream', { kind: 'malformed', events: 3 })
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  const text = await response.text()
  expect(text).not.toContain('[DONE]')
  expect(text).toMatch(/"code":"(answer_cut|supplier_failed)"/)
  expect((await booked(response.headers.get('x-request-id'))).record).toMatchObject({ ending: 'failed', sellPico: '0' })
})

test('a stream without [DONE] that said why it ended is whole', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 3, done: false })
  const text = await (await chat({ model: 'plain', messages: hello, stream: true })).text()
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
})

/** A response that is exactly these events, closed afterwards. */
const rawStream = (...events: readonly string[]) => ({
  kind: 'raw' as const,
  bytes: `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${events.map((event) => `${event}\n\n`).join('')}`,
})
const delta = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}`
const usageOf = (prompt: number, completion: number) =>
  `data: {"choices":[],"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion}}}`

test.each([
  ['nothing but [DONE]', ['data: [DONE]']],
  ['usage and [DONE]', [usageOf(3, 0), 'data: [DONE]']],
  ['text and [DONE], without a reason why it ended', [delta('half an ans'), 'data: [DONE]']],
  [
    'text that no JSON string may hold',
    [
      'data: {"choices":[{"index":0,"delta":{"content":"a\tb"},"finish_reason":null}]}',
      delta('', 'stop'),
      'data: [DONE]',
    ],
  ],
  ['comments and then silence', [': queued', ': still queued']],
])('a stream of %s is no answer: typed error, no [DONE], no charge', async (_, events) => {
  first.script('plain-upstream', rawStream(...events))
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  const text = await response.text()
  expect(text).not.toContain('[DONE]')
  expect(text).toMatch(/"code":"(answer_cut|supplier_failed)"/)
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'failed', sellPico: '0' })
})

test('comments before the answer do not end failover', async () => {
  first.script('strict', rawStream(': queued', ': giving up'))
  second.script('steady', { kind: 'answer', events: 2 })
  const response = await chat({ model: 'strict', messages: hello, stream: true })
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('[DONE]')
  expect((await booked(response.headers.get('x-request-id'))).record).toMatchObject({
    supplier: 'second',
    ending: 'completed',
  })
})

test('a report of zero tokens beside an answer with text is not believed', async () => {
  first.script('plain-upstream', rawStream(delta('some real text'), delta('', 'stop'), usageOf(0, 0), 'data: [DONE]'))
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  expect(await response.text()).toContain('[DONE]')
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'completed', basis: 'counted', note: expect.stringContaining('supplier') })
  expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
})

test('escapes in a stream arrive as sent and are counted', async () => {
  const content = 'tab\t quote " backslash \\ 词元 🙂'
  first.script('plain-upstream', rawStream(delta(content), delta('', 'stop'), 'data: [DONE]'))
  const response = await chat({ model: 'plain', messages: hello, stream: true })
  expect(await response.text()).toContain(JSON.stringify(content))
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record.counted?.output).toBe(Math.ceil(Buffer.byteLength(content) / 4))
})

test('other spellings and aliases of the priced members are refused', async () => {
  const before = first.requests()
  for (const extra of [
    { Model: 'dearer' },
    { MAX_TOKENS: 100_000 },
    { 'max_to\u212aens': 9 },
    { n_predict: 100_000 },
    { Stream: true },
  ])
    expect(await failure(await chat({ model: 'plain', messages: hello, max_tokens: 1, ...extra }))).toMatchObject({
      status: 400,
    })
  expect(first.requests()).toBe(before)
})

test('a supplier that never ends its response after [DONE] does not use up its connections', async () => {
  const open = () => first.openConnections()
  first.script('plain-upstream', { kind: 'raw-open', bytes: rawStream(delta('x', 'stop'), 'data: [DONE]').bytes })
  const before = open()
  for (let i = 0; i < 5; i++)
    expect(await (await chat({ model: 'plain', messages: hello, stream: true })).text()).toContain('[DONE]')
  await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(before)
})

test('when every supplier fails the client gets a bounded, typed error and pays nothing', async () => {
  first.script('flaky', { kind: 'status', status: 503 })
  second.script('steady', { kind: 'status', status: 503 })
  const before = first.requests('flaky') + second.requests('steady')
  const response = await chat({ model: 'org/paired', messages: hello })
  expect(await failure(response)).toMatchObject({ status: 502, code: 'supplier_failed', type: 'server_error' })
  expect(first.requests('flaky') + second.requests('steady') - before).toBeLessThanOrEqual(3)
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'failed', sellPico: '0', buyPico: '0' })
})

test('what a supplier says against the request itself is the client’s to read and is not tried elsewhere', async () => {
  first.script('strict', { kind: 'status', status: 400, code: 'context_length_exceeded' })
  const asked = second.requests()
  expect(await failure(await chat({ model: 'strict', messages: hello }))).toMatchObject({
    status: 400,
    code: 'context_length_exceeded',
  })
  expect(second.requests()).toBe(asked)
})

test('a supplier without credentials is passed over, and explain says so', async () => {
  second.script('steady', { kind: 'answer', events: 2 })
  const response = await chat({ model: 'unlocked', messages: hello })
  await response.text()
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record.candidates).toEqual([
    { supplier: 'locked', model: 'x', verdict: 'no_credentials' },
    { supplier: 'second', model: 'steady', verdict: 'eligible' },
  ])
})

test('a client that hangs up pays for what was generated, and the supplier is let go', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 400, eventDelayMs: 20 })
  const stop = new AbortController()
  const response = await chat(
    { model: 'plain', messages: hello, stream: true, max_tokens: 900 },
    { signal: stop.signal },
  )
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.read()
  stop.abort()
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ ending: 'client_closed', basis: 'counted' })
  expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
  expect(record.tokens.output).toBeLessThan(900)
})

test('wrong keys are told apart only where the owner needs it', async () => {
  expect(await failure(await chat({ model: 'plain', messages: hello }, { key: 'sk-tf-nobody' }))).toMatchObject({
    status: 401,
    code: 'invalid_api_key',
    type: 'authentication_error',
  })
  const response = await fetch(`${factory.apiUrl}/chat/completions`, { method: 'POST', body: '{}' })
  expect(await failure(response)).toMatchObject({ status: 401 })
  const secret = await newKey('acme')
  const [made] = await factory.control<{ id: string; preview: string }[]>('GET', '/keys?tenant=acme')
  await factory.control('POST', `/keys/${made?.id ?? ''}/revoke`)
  await expect.poll(async () => (await chat({ model: 'plain', messages: hello }, { key: secret })).status).toBe(401)
})

test('a service of another tenant does not exist for this one', async () => {
  expect(await failure(await chat({ model: 'private', messages: hello }))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  const models = (await (
    await fetch(`${factory.apiUrl}/models`, { headers: { authorization: `Bearer ${key}` } })
  ).json()) as { data: { id: string }[] }
  expect(models.data.map(({ id }) => id).toSorted()).toEqual(['narrow', 'org/paired', 'plain', 'strict', 'unlocked'])
  const one = await fetch(`${factory.apiUrl}/models/org%2Fpaired`, { headers: { authorization: `Bearer ${key}` } })
  expect(await one.json()).toMatchObject({ id: 'org/paired', object: 'model' })
})

test('an empty wallet is told what the request may cost and what is there', async () => {
  const secret = await newKey('poor')
  expect(await failure(await chat({ model: 'plain', messages: hello }, { key: secret }))).toMatchObject({
    status: 402,
    code: 'insufficient_balance',
    type: 'insufficient_quota',
  })
})

test('limits per key are exact across threads, stated in headers, and refuse with Retry-After', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 1, usage: { prompt_tokens: 4, completion_tokens: 1 } })
  const secret = await newKey('limited', { limits: { requestsPerMinute: 5 } })
  const responses = await Promise.all(
    Array.from({ length: 25 }, () => chat({ model: 'plain', messages: hello, max_tokens: 5 }, { key: secret })),
  )
  const served = responses.filter(({ status }) => status === 200)
  expect(served).toHaveLength(5)
  expect(new Set(served.map(({ headers }) => headers.get('x-ratelimit-remaining-requests')))).toEqual(
    new Set(['0', '1', '2', '3', '4']),
  )
  const refused = responses.find(({ status }) => status === 429)
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
  await Promise.all(responses.map((response) => response.text()))
})

test('a request above the body limit, without JSON, or with escaped duplicates is refused and nothing reaches a supplier', async () => {
  const before = first.requests()
  expect(
    await failure(await chat(`{"model":"plain","messages":[{"role":"user","content":"${'x'.repeat(17_000_000)}"}]}`)),
  ).toMatchObject({ status: 413, code: 'body_too_large' })
  expect(await failure(await chat('{"model":'))).toMatchObject({ status: 400, code: 'malformed_json' })
  expect(
    await failure(await chat('{"model":"plain","mod\\u0065l":"other","messages":[{"role":"user","content":"x"}]}')),
  ).toMatchObject({ status: 400, param: 'model' })
  expect(await failure(await chat({ model: 'plain', messages: hello, max_tokens: 1e9 }))).toMatchObject({
    status: 400,
    code: 'max_tokens_too_large',
  })
  expect(
    await failure(
      await chat({
        model: 'plain',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }],
      }),
    ),
  ).toMatchObject({ status: 400, code: 'unsupported_modality' })
  expect(first.requests()).toBe(before)
})

test('a supplier at its limit is reported as busy and nothing is charged', async () => {
  second.script('slow', { kind: 'answer', events: 3, firstByteDelayMs: 500 })
  const responses = await Promise.all(Array.from({ length: 4 }, () => chat({ model: 'narrow', messages: hello })))
  expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429, 429, 429])
  await Promise.all(responses.map((response) => response.text()))
})

test('afterwards nothing is held, every record is posted, and the books agree', async () => {
  const gauge = async (name: string) => {
    const text = await (await fetch(`${factory.apiUrl.replace('/v1', '')}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  await expect.poll(() => gauge('tokenfactory_requests_in_flight'), { timeout: 10_000 }).toBe(0)
  await expect.poll(() => gauge('tokenfactory_holds_outstanding'), { timeout: 10_000 }).toBe(0)
  await expect.poll(() => gauge('tokenfactory_journal_unshipped_records'), { timeout: 10_000 }).toBe(0)
  expect(await gauge('tokenfactory_journal_quarantined_records')).toBe(0)
  await expect
    .poll(async () => (await factory.control<BalanceView>('GET', '/balance?tenant=acme')).escrowedPico, {
      timeout: 20_000,
    })
    .toBe('0')
  const { ok, checks } = await factory.control<VerifyReply>('POST', '/verify')
  expect(checks.filter((check) => !check.ok)).toEqual([])
  expect(ok).toBe(true)
})
