import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatYuan } from '#kernel'
import { PRICES } from '../factory-document.ts'
import type { Upstream } from '../upstream/index.ts'
import { failure, hello, setStage } from './stage.ts'
import type { Stage } from './stage.ts'

let stage: Stage
let first: Upstream
let second: Upstream
const chat: Stage['chat'] = (...all) => stage.chat(...all)
const booked: Stage['booked'] = (id) => stage.booked(id)

beforeAll(async () => {
  stage = await setStage()
  first = stage.first
  second = stage.second
})

afterAll(() => stage?.[Symbol.asyncDispose]())

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
  const response = await fetch(`${stage.factory.apiUrl}/chat/completions`, { method: 'POST', body: '{}' })
  expect(await failure(response)).toMatchObject({ status: 401 })
  const secret = await stage.newKey('acme')
  const [made] = await stage.factory.control<{ id: string; preview: string }[]>('GET', '/keys?tenant=acme')
  await stage.factory.control('POST', `/keys/${made?.id ?? ''}/revoke`)
  await expect.poll(async () => (await chat({ model: 'plain', messages: hello }, { key: secret })).status).toBe(401)
})

test('a service of another tenant does not exist for this one', async () => {
  expect(await failure(await chat({ model: 'private', messages: hello }))).toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  const models = (await (
    await fetch(`${stage.factory.apiUrl}/models`, { headers: { authorization: `Bearer ${stage.factory.demoKey}` } })
  ).json()) as { data: { id: string }[] }
  expect(models.data.map(({ id }) => id).toSorted()).toEqual([
    'narrow',
    'org/paired',
    'plain',
    'strict',
    'tiered',
    'unlocked',
    'weighed',
  ])
  const one = await fetch(`${stage.factory.apiUrl}/models/org%2Fpaired`, {
    headers: { authorization: `Bearer ${stage.factory.demoKey}` },
  })
  expect(await one.json()).toMatchObject({ id: 'org/paired', object: 'model' })
})

test('an empty wallet is told what the request may cost and what is there', async () => {
  const secret = await stage.newKey('poor')
  expect(await failure(await chat({ model: 'plain', messages: hello }, { key: secret }))).toMatchObject({
    status: 402,
    code: 'insufficient_balance',
    type: 'insufficient_quota',
  })
})

test('limits per key are exact across threads, stated in headers, and refuse with Retry-After', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 1, usage: { prompt_tokens: 4, completion_tokens: 1 } })
  const secret = await stage.newKey('limited', { limits: { requestsPerMinute: 5 } })
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

test('other spellings and aliases of the priced members are refused', async () => {
  const before = first.requests()
  for (const extra of [
    { Model: 'dearer' },
    { MAX_TOKENS: 100_000 },
    { 'max_to\u212aens': 9 },
    { n_predict: 100_000 },
    { Stream: true },
    { Service_Tier: 'priority' },
  ])
    expect(await failure(await chat({ model: 'plain', messages: hello, max_tokens: 1, ...extra }))).toMatchObject({
      status: 400,
    })
  expect(first.requests()).toBe(before)
})

test('who waits for a supplier longer than half the time to the first byte is told when to come back, and nothing is charged', async () => {
  second.script('slow', { kind: 'answer', events: 3, firstByteDelayMs: 500 })
  const responses = await Promise.all(Array.from({ length: 4 }, () => chat({ model: 'narrow', messages: hello })))
  expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429, 429, 429])
  for (const { status, headers } of responses)
    if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  await Promise.all(responses.map((response) => response.text()))
})

test('what a request may cost is said before it, by the prices that it is charged by, and nothing is asked or held for it', async () => {
  const asked = first.received().length
  const body = { model: 'plain', messages: hello, max_tokens: 20 }
  const response = await chat(body, { headers: { 'x-factory-dry-run': 'price' } })
  expect(response.status).toBe(200)
  const price = (await response.json()) as PriceReply
  const { inputTokens, outputTokens } = price.bound
  expect(outputTokens).toBe(20)
  expect(inputTokens).toBeGreaterThan(JSON.stringify(body).length)
  const most = (BigInt(inputTokens) * PRICES.sellInput + BigInt(outputTokens) * PRICES.sellOutput) * 1_000_000n
  expect(price).toMatchObject({
    object: 'factory.price',
    model: 'plain',
    tier: 'standard',
    taxPercent: 6,
    yuanPerMillionAtMost: { uncachedInput: `${PRICES.sellInput}`, output: `${PRICES.sellOutput}` },
    atMost: { chargePico: `${most}` },
    means: [{ kind: 'wallet', payer: 'acme' }],
  })
  expect(first.received()).toHaveLength(asked)
  const poor = await chat(body, { key: await stage.newKey('poor'), headers: { 'x-factory-dry-run': 'price' } })
  expect(poor.status).toBe(200)
  const other = await chat(body, { headers: { 'x-factory-dry-run': 'yes' } })
  expect(await failure(other)).toMatchObject({ status: 400, code: 'invalid_request', param: 'x-factory-dry-run' })
})

interface PriceReply {
  readonly bound: { readonly inputTokens: number; readonly outputTokens: number }
  readonly atMost: { readonly chargePico: string }
}

test('what a request did cost is said after it, as it is booked', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 5 })
  const whole = await chat({ model: 'plain', messages: hello })
  expect(whole.status).toBe(200)
  const { record } = await booked(whole.headers.get('x-request-id'))
  expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
  expect(whole.headers.get('x-factory-charge-pico')).toBe(record.sellPico)
  expect(whole.headers.get('x-factory-charge-yuan')).toBe(formatYuan(BigInt(record.sellPico)))
  expect(whole.headers.get('x-factory-debit')).toBeNull()

  const stream = await chat({ model: 'plain', messages: hello, stream: true })
  const text = await stream.text()
  const { record: streamed } = await booked(stream.headers.get('x-request-id'))
  const said = { chargeYuan: formatYuan(BigInt(streamed.sellPico)), debits: {} }
  expect(text.endsWith(`\n\n: x-factory ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`)).toBe(true)
})

test('a tier without a price of its own is served and billed as standard, to us and by the supplier', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 5 })
  const response = await chat({ model: 'plain', messages: hello, service_tier: 'priority' })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-factory-service-tier')).toBe('standard')
  expect(JSON.parse(first.received().at(-1)?.body.toString() ?? '')).toMatchObject({ service_tier: 'default' })
  expect((await booked(response.headers.get('x-request-id'))).record.tier).toBeUndefined()
  const scale = await chat({ model: 'plain', messages: hello, service_tier: 'scale' })
  expect(await failure(scale)).toMatchObject({ status: 400, param: 'service_tier' })
})

test('a tier with a price of its own is served, billed and asked of the supplier', async () => {
  first.script('plain-upstream', { kind: 'answer', usage: { prompt_tokens: 7, completion_tokens: 5 } })
  const response = await chat({ model: 'tiered', messages: hello, service_tier: 'priority' })
  expect(response.headers.get('x-factory-service-tier')).toBe('priority')
  expect(JSON.parse(first.received().at(-1)?.body.toString() ?? '')).toMatchObject({ service_tier: 'priority' })
  const { record } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({
    tier: 'priority',
    sellPico: `${2n * (7n * PRICES.sellInput + 5n * PRICES.sellOutput) * 1_000_000n}`,
  })
})

test('a budget of the file caps what is spent, and the record draws on it', async () => {
  first.script('plain-upstream', { kind: 'answer', usage: { prompt_tokens: 100, completion_tokens: 1_000 } })
  const key = await stage.newKey('budgeted')
  const body = { model: 'plain', messages: hello, max_tokens: 1_000 }
  const preview = await chat(body, { key, headers: { 'x-factory-dry-run': 'price' } })
  const most = BigInt(((await preview.json()) as PriceReply).atMost.chargePico)
  let left = 20_000_000_000n
  expect(left).toBeGreaterThan(most)
  while (left >= most) {
    const response = await chat(body, { key })
    expect(response.status).toBe(200)
    const { record } = await booked(response.headers.get('x-request-id'))
    expect(record.draws).toMatchObject([{ kind: 'cap', amount: record.sellPico, version: null }])
    left -= BigInt(record.sellPico)
  }
  expect(await failure(await chat(body, { key }))).toMatchObject({ status: 402, code: 'spend_cap_reached' })
})

test('who shares a wallet pays with it, and who is in arrears with none', async () => {
  first.script('plain-upstream', { kind: 'answer', events: 5 })
  const shared = await chat({ model: 'plain', messages: hello }, { key: await stage.newKey('guest') })
  expect(shared.status).toBe(200)
  expect((await booked(shared.headers.get('x-request-id'))).record).toMatchObject({ tenant: 'guest', payer: 'acme' })
  const late = await chat({ model: 'plain', messages: hello }, { key: await stage.newKey('arrears') })
  expect(await failure(late)).toMatchObject({ status: 402, code: 'account_restricted' })
})

test('prices and conversion tables are published to whoever may use them', async () => {
  const get = (path: string, key?: string) =>
    fetch(
      `${stage.factory.apiUrl}/factory/${path}`,
      key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
    )
  expect((await get('prices')).status).toBe(401)
  const prices = (await (await get('prices', stage.factory.demoKey)).json()) as {
    data: Array<{ model: string; sheets: object[] }>
  }
  expect(prices.data.map(({ model }) => model)).not.toContain('private')
  expect(prices.data.find(({ model }) => model === 'plain')?.sheets).toMatchObject([
    { currency: 'CNY', taxPercent: 6, validTo: null, yuanPerMillion: { output: `${PRICES.sellOutput}` }, variants: [] },
  ])
  const tables = await get('conversion-tables', stage.factory.demoKey)
  expect(await tables.json()).toEqual({ object: 'list', data: [] })
  const posted = await fetch(`${stage.factory.apiUrl}/factory/prices`, { method: 'POST' })
  expect(posted.status).toBe(405)
})

test('where several may serve the record keeps what each weighed, and a tenant that may know is told who served', async () => {
  for (const upstream of [first, second])
    for (let i = 0; i < 2; i++) upstream.script('weighed', { kind: 'answer', text: 'Served' })
  const key = await stage.newKey('curious')
  const whole = await chat({ model: 'weighed', messages: hello }, { key })
  expect(whole.status).toBe(200)
  const { record } = await booked(whole.headers.get('x-request-id'))
  expect(record.candidates.map(({ verdict }) => verdict)).toEqual(['eligible', 'eligible'])
  for (const { score } of record.candidates) {
    expect(score?.price).toBeGreaterThan(0)
    expect(score?.missProbability).toBeGreaterThan(0)
    expect(score?.missProbability).toBeLessThan(1)
  }
  expect(whole.headers.get('x-factory-supplier')).toBe(record.supplier)
  expect(whole.headers.get('x-factory-model')).toBe('weighed')
  expect(whole.headers.get('x-factory-attempts')).toBe('1')

  first.script('flaky', { kind: 'status', status: 500 })
  second.script('steady', { kind: 'answer', text: 'Rescued' })
  const stream = await chat({ model: 'org/paired', messages: hello, stream: true }, { key })
  expect(await stream.text()).toContain('Rescued')
  expect(stream.headers.get('x-factory-supplier')).toBe('second')
  expect(stream.headers.get('x-factory-attempts')).toBe('2')
  const rescued = await booked(stream.headers.get('x-request-id'))
  expect(rescued.record.candidates.some((candidate) => 'score' in candidate)).toBe(false)

  second.script('weighed', { kind: 'answer', text: 'Served' })
  const told = await chat({ model: 'weighed', messages: hello })
  expect(told.headers.get('x-factory-supplier')).toBeNull()
})

test('afterwards nothing is held, every record is posted, and the books agree', () => stage.expectClean())
