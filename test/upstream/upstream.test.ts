import { afterEach, beforeEach, expect, test } from 'vitest'
import { startUpstream, type Upstream } from './index.ts'

let upstream: Upstream
beforeEach(async () => void (upstream = await startUpstream()))
afterEach(() => upstream.close())

function ask(model: string, more: Record<string, unknown> = {}): Promise<Response> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...more })
  return fetch(`${upstream.url}/chat/completions`, { method: 'POST', body })
}

test('a model that was not scripted answers with usage', async () => {
  const answer = await (await ask('any')).json()
  expect(answer).toMatchObject({ object: 'chat.completion', model: 'any', usage: { completion_tokens: 5 } })
})

test('a stream carries its events, the usage when asked for, and the terminator', async () => {
  upstream.script('m', { kind: 'answer', events: 7 })
  const plain = await (await ask('m', { stream: true })).text()
  const counted = await (await ask('m', { stream: true, stream_options: { include_usage: true } })).text()
  expect(plain.split('\n\n').filter(Boolean)).toHaveLength(7 + 1 + 1)
  expect(plain).not.toContain('usage')
  expect(counted).toContain('"completion_tokens":7')
  expect(counted.endsWith('data: [DONE]\n\n')).toBe(true)
})

test('a scripted list is played in order and its last behaviour stays', async () => {
  upstream.script('m', [
    { kind: 'status', status: 429, retryAfter: '3' },
    { kind: 'status', status: 503 },
    { kind: 'answer' },
  ])
  const first = await ask('m')
  expect([first.status, first.headers.get('retry-after')]).toEqual([429, '3'])
  expect([(await ask('m')).status, (await ask('m')).status, (await ask('m')).status]).toEqual([503, 200, 200])
  expect(upstream.requests('m')).toBe(4)
})

test('echo gives back the exact body, and the request is kept', async () => {
  const answer = await (await ask('fake-echo', { odd: { b: 1, a: [null] } })).json()
  const sent = upstream.received().at(-1)?.body
  expect(sent).toContain('"odd":{"b":1,"a":[null]}')
  expect(answer).toMatchObject({ choices: [{ message: { content: sent } }] })
})

test.each(['fake-reset', 'fake-garbage'])('%s fails before an answer', async (model) => {
  await expect(ask(model)).rejects.toThrow()
})

test('a cut stream dies before its end; a clean one ends without the terminator', async () => {
  await expect(ask('fake-cut', { stream: true }).then((r) => r.text())).rejects.toThrow()
  upstream.script('m', { kind: 'cut', events: 2, clean: true })
  const text = await (await ask('m', { stream: true })).text()
  expect(text.split('\n\n').filter(Boolean)).toHaveLength(2)
})

test('a stalled stream stays open until the client leaves', async () => {
  const leave = new AbortController()
  const body = JSON.stringify({ model: 'fake-stall', stream: true })
  const answer = await fetch(`${upstream.url}/chat/completions`, { method: 'POST', body, signal: leave.signal })
  const reader = answer.body?.getReader()
  expect((await reader?.read())?.done).toBe(false)
  expect(upstream.openConnections()).toBe(1)
  leave.abort()
})
