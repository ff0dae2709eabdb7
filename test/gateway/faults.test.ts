import { afterAll, beforeAll, expect, test } from 'vitest'
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

test('a cut answer that another supplier goes on with is one answer, paid once, and both are owed their part', async () => {
  first.script('flaky', { kind: 'cut', events: 3 })
  second.script('steady', { kind: 'answer', events: 6 })
  const response = await chat({ model: 'org/paired', messages: hello, stream: true })
  const text = await response.text()
  expect(text).toContain('[DONE]')
  expect([...text.matchAll(/"content":"(word\d) "/g)].map(([, word]) => word)).toEqual(
    Array.from({ length: 6 }, (_, i) => `word${i}`),
  )
  const { record, shares } = await booked(response.headers.get('x-request-id'))
  expect(record).toMatchObject({ supplier: 'second', ending: 'completed', basis: 'reported', tokens: { output: 6 } })
  expect(record.attempts.map(({ outcome, role }) => [outcome, role])).toEqual([
    ['cut', undefined],
    ['served', 'continuation'],
  ])
  const inBooks = (account: string) => shares.find((share) => share.account === account)?.amountPico
  expect(inBooks('5040:first')).toBe(record.attempts[0]?.buyPico)
  expect(inBooks('2110:first')).toBe(`-${record.attempts[0]?.buyPico ?? 0}`)
  expect(inBooks('5000:second')).toBe(record.buyPico)
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
  first.script('strict', { kind: 'status', status: 400, code: 'content_filter' })
  const asked = second.requests()
  expect(await failure(await chat({ model: 'strict', messages: hello }))).toMatchObject({
    status: 400,
    code: 'content_filter',
  })
  expect(second.requests()).toBe(asked)
})

test('afterwards nothing is held, every record is posted, and the books agree', () => stage.expectClean())
