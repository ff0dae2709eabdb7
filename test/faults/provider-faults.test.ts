import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fault } from './fault.ts'
import { KEY, PROMPT, chunksOf, contentOf, assertBrokenOff, assertWhole, setScene, words } from './scene.ts'
import type { Got, Scene } from './scene.ts'
import type { Provider } from './start-provider.ts'

/** DESIGN §8: the faults that every build must survive, each from both sides. */
let scene: Scene
let one: Provider
let two: Provider
const ask: Scene['ask'] = (service, more) => scene.ask(service, more)

const names = [
  'busy-told',
  'busy',
  'one-500',
  'down-503',
  'reset',
  'silent',
  'slow',
  'cut',
  'stalled',
  'malformed',
  'no-done',
  'too-long',
  'filtered',
  'no-prefill',
  'flapping',
  'named',
  'cut-again',
  'diverging',
  'tools',
  'thinking',
  'formatted',
  'left',
  'dying',
] as const

beforeAll(async () => {
  scene = await setScene([
    ...names.map((id) => ({ id })),
    { id: 'goes-on', prefill: [2] },
    { id: 'refuses', prefill: [2] },
    { id: 'alone', providers: 1 },
    { id: 'alone-busy', providers: 1 },
    { id: 'alone-down', providers: 1 },
    { id: 'three', providers: 3 },
  ])
  ;[one, two] = scene.providers
})

afterAll(() => scene?.[Symbol.asyncDispose]())

/** What the first provider does, and the second answers well. */
async function afterFault(
  service: string,
  ...faults: readonly Fault[]
): Promise<{ got: Got; asked: number; rescued: number }> {
  await one.script(`${service}-1`, ...faults)
  const got = await ask(service)
  const asked = (await one.seen(`${service}-1`)).length
  return { got, asked, rescued: (await two.seen(`${service}-2`)).length }
}

test('1. busy with Retry-After: another answers, and the supplier is left alone until then', async () => {
  const { got, asked, rescued } = await afterFault('busy-told', { kind: 'status', status: 429, retryAfter: '60' })
  assertWhole(got)
  expect({ asked, rescued }).toEqual({ asked: 1, rescued: 1 })
  for (let i = 0; i < 3; i++) assertWhole(await ask('busy-told'))
  expect((await one.seen('busy-told-1')).length).toBe(1)
})

test('1b. busy with Retry-After, and there is no other: it is asked again when that is over, within the deadline', async () => {
  await one.script('alone-busy-1', { kind: 'status', status: 429, retryAfter: '1' }, { kind: 'answer' })
  assertWhole(await ask('alone-busy'))
  const [first, second] = await one.seen('alone-busy-1')
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(990)
  await one.script('alone-busy-1', { kind: 'status', status: 429, retryAfter: '30' })
  const got = await ask('alone-busy')
  expect(got.status).toBe(429)
  expect(got.headers['retry-after']).toBe('30')
  expect(JSON.parse(got.text)).toMatchObject({ error: { code: 'supplier_busy' } })
})

test('2. busy without Retry-After, for good: another answers', async () => {
  for (let i = 0; i < 3; i++) assertWhole((await afterFault('busy', { kind: 'status', status: 429 })).got)
})

test('3. one 500: another answers', async () => {
  const { got, asked, rescued } = await afterFault('one-500', { kind: 'status', status: 500 }, { kind: 'answer' })
  assertWhole(got)
  expect({ asked, rescued }).toEqual({ asked: 1, rescued: 1 })
})

test('3b. one 500 of the only provider: it is asked again after a moment', async () => {
  await one.script('alone-1', { kind: 'status', status: 500 }, { kind: 'answer' })
  assertWhole(await ask('alone'))
  const [first, second] = await one.seen('alone-1')
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(90)
})

test('4. 503 for good: another answers each time, and after five the first is not asked any more', async () => {
  for (let i = 0; i < 8; i++) assertWhole((await afterFault('down-503', { kind: 'status', status: 503 })).got)
  expect((await one.seen('down-503-1')).length).toBeLessThanOrEqual(6)
})

test('4b. the only provider is down: its client hears so soon, and it is asked no more than four times in three seconds', async () => {
  await one.script('alone-down-1', { kind: 'status', status: 503, retryAfter: '2' })
  const got = await ask('alone-down')
  expect(got.status).toBe(502)
  expect(got.headers['retry-after']).toBe('2')
  const seen = await one.seen('alone-down-1')
  expect(seen.length).toBeLessThanOrEqual(3)
})

test('5. reset before the headers: another answers', async () => {
  assertWhole((await afterFault('reset', { kind: 'reset' })).got)
})

test('6. accepted and never answered: another answers before the deadline that both share, and the silent one is let go', async () => {
  const { got } = await afterFault('silent', { kind: 'never' })
  assertWhole(got)
  expect(got.tookMs).toBeGreaterThan(1_400)
  await expect.poll(async () => (await one.seen('silent-1')).at(-1)?.end, { timeout: 5_000 }).toBe('client_gone')
})

test('7. a slow first token: another answers, and the slow one is let go', async () => {
  const { got } = await afterFault('slow', { kind: 'answer', firstWordMs: 15_000 })
  assertWhole(got)
  await expect.poll(async () => (await one.seen('slow-1')).at(-1)?.end, { timeout: 5_000 }).toBe('client_gone')
})

test('8. cut in the middle: one seamless answer, by what another generates again', async () => {
  await one.script('cut-1', { kind: 'cut', afterWords: 7 })
  const got = await ask('cut', { stream_options: { include_usage: true } })
  assertWhole(got)
  const chunks = chunksOf(got)
  expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['chatcmpl-cut-1']))
  expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['cut-1']))
  expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: 20 })
  expect(got.text).toMatch(/: x-factory \{.*"continued":1\}/)
  const record = await scene.recordOf(got)
  expect(record).toMatchObject({ ending: 'completed', supplier: 'two', model: 'cut-2', tokens: { output: 20 } })
  expect(record.attempts).toMatchObject([
    { supplier: 'one', outcome: 'cut', tokens: { output: Math.ceil(words(7).length / 4) }, buySheet: 'buy-cut-1' },
    { supplier: 'two', outcome: 'served', role: 'continuation' },
  ])
  expect(BigInt(record.attempts[0]?.buyPico ?? 0)).toBeGreaterThan(0n)
})

test('8b. cut in the middle: another goes on from there where it can', async () => {
  await one.script('goes-on-1', { kind: 'cut', afterWords: 7 })
  const got = await ask('goes-on', { stream_options: { include_usage: true }, max_tokens: 100 })
  assertWhole(got)
  const [seen] = await two.seen('goes-on-2')
  expect(seen).toMatchObject({ continues: true, lastRole: 'assistant', lastContent: words(7).trimEnd(), words: 14 })
  expect(seen?.maxTokens).toBe(100 - Math.ceil(words(7).trimEnd().length / 4))
  const record = await scene.recordOf(got)
  // Counted by us, as no supplier saw all of it: what was delivered, once.
  expect(record).toMatchObject({ ending: 'completed', basis: 'counted', supplier: 'two' })
  expect(record.tokens.output).toBe(Math.ceil(words(20).length / 4))
  expect(chunksOf(got).at(-1)?.usage).toMatchObject({
    prompt_tokens: record.tokens.uncachedInput,
    completion_tokens: record.tokens.output,
  })
  expect(record.attempts[1]).toMatchObject({ role: 'continuation', outcome: 'served', tokens: { output: 14 } })
  expect(record.attempts[1]?.tokens?.uncachedInput).toBeGreaterThan(Math.ceil((PROMPT[0]?.content.length ?? 0) / 4))
})

test('9. stalled in the middle: another goes on, and the silent one is let go', async () => {
  const { got } = await afterFault('stalled', { kind: 'stall', afterWords: 5 })
  assertWhole(got)
  expect((await scene.recordOf(got)).attempts[0]).toMatchObject({ outcome: 'idle_timeout' })
  await expect.poll(async () => (await one.seen('stalled-1')).at(-1)?.end, { timeout: 5_000 }).toBe('client_gone')
})

test('10. a malformed event: nothing of it reaches the client, and another goes on', async () => {
  const { got } = await afterFault('malformed', { kind: 'malformed', afterWords: 4 })
  assertWhole(got)
  expect((await scene.recordOf(got)).attempts[0]).toMatchObject({ outcome: 'garbage' })
})

test('11. no [DONE]: an answer that said why it ended is whole', async () => {
  const { got, asked, rescued } = await afterFault('no-done', { kind: 'answer', done: false })
  assertWhole(got)
  expect({ asked, rescued }).toEqual({ asked: 1, rescued: 0 })
  expect(await scene.recordOf(got)).toMatchObject({ supplier: 'one', ending: 'completed' })
})

test('12. the context is too long for one: another may have a longer one; nobody has: the client is told', async () => {
  const fault = { kind: 'status', status: 400, code: 'context_length_exceeded' } as const
  assertWhole((await afterFault('too-long', fault)).got)
  await two.script('too-long-2', fault)
  const got = await ask('too-long')
  expect(got.status).toBe(400)
  expect(JSON.parse(got.text)).toMatchObject({ error: { code: 'context_length_exceeded' } })
})

test('13. a content filter is the client’s to know, and is not routed around', async () => {
  const { got, asked, rescued } = await afterFault('filtered', { kind: 'status', status: 400, code: 'content_filter' })
  expect(got.status).toBe(400)
  expect(JSON.parse(got.text)).toMatchObject({ error: { code: 'content_filter' } })
  expect({ asked, rescued }).toEqual({ asked: 1, rescued: 0 })
  await one.script('filtered-1', { kind: 'answer', words: 3, finishReason: 'content_filter' })
  const midway = await ask('filtered')
  expect(midway.text).toContain('"finish_reason":"content_filter"')
  expect(await scene.recordOf(midway)).toMatchObject({ supplier: 'one', finishReason: 'content_filter' })
})

test('14. the one to go on refuses a partial answer: it generates all of it again', async () => {
  await one.script('refuses-1', { kind: 'cut', afterWords: 6 })
  await two.script('refuses-2', { kind: 'answer', refusesPrefill: true })
  const got = await ask('refuses')
  assertWhole(got)
  expect((await two.seen('refuses-2')).map(({ continues }) => continues)).toEqual([true, false])
  const record = await scene.recordOf(got)
  expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['cut', 'status_4xx', 'served'])
  expect(record.attempts[1]).toMatchObject({ buyPico: '0' })
})

test('15. a flapping provider: left alone, probed, and returned to', async () => {
  const down = { kind: 'status', status: 500 } as const
  await one.script('flapping-1', down)
  for (let i = 0; i < 6; i++) assertWhole(await ask('flapping'))
  const opened = (await one.seen('flapping-1')).length
  assertWhole(await ask('flapping'))
  expect((await one.seen('flapping-1')).length).toBe(opened)
  await one.script('flapping-1', { kind: 'answer' })
  // Probes come from traffic.
  await expect
    .poll(
      async () => {
        assertWhole(await ask('flapping'))
        return (await one.seen('flapping-1')).filter(({ end, fault }) => fault === 'answer' && end === 'answered')
          .length
      },
      { timeout: 45_000, interval: 300 },
    )
    .toBeGreaterThan(2)
}, 60_000)

test('16. accounting: the answer names the model that served, and failed attempts are not billed', async () => {
  const { got } = await afterFault('named', { kind: 'status', status: 500 })
  expect(chunksOf(got)[0]?.model).toBe('named-2')
  const record = await scene.recordOf(got)
  expect(record).toMatchObject({ supplier: 'two', model: 'named-2', ending: 'completed', tokens: { output: 20 } })
  expect(record.attempts).toMatchObject([
    { supplier: 'one', outcome: 'status_5xx', status: 500 },
    { supplier: 'two', outcome: 'served', role: 'retry' },
  ])
  expect(record.attempts[0]).not.toHaveProperty('buyPico')
})

test('whole answers survive the same faults', async () => {
  const faults: readonly (readonly [string, Fault])[] = [
    ['busy-told', { kind: 'status', status: 429 }],
    ['one-500', { kind: 'status', status: 500 }],
    ['reset', { kind: 'reset' }],
    ['cut', { kind: 'cut', afterWords: 3 }],
    ['too-long', { kind: 'status', status: 413 }],
  ]
  await two.script('too-long-2', { kind: 'answer' })
  for (const [service, fault] of faults) {
    await one.script(`${service}-1`, fault)
    const got = await ask(service, { stream: false })
    expect(got.status, `${service}: ${got.text}`).toBe(200)
    expect(JSON.parse(got.text)).toMatchObject({ choices: [{ message: { content: words(20) } }] })
    await scene.recordOf(got)
  }
})

test('an answer that another would continue differently ends with a typed error and costs its client nothing', async () => {
  await one.script('diverging-1', { kind: 'cut', afterWords: 4 })
  await two.script('diverging-2', { kind: 'answer', says: 'other' })
  const got = await ask('diverging')
  assertBrokenOff(got, 'answer_cut')
  expect(contentOf(got)).toBe(words(4))
  const record = await scene.recordOf(got)
  expect(record).toMatchObject({ ending: 'failed', sellPico: '0' })
  expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['cut', 'diverged'])
  expect(BigInt(record.attempts[0]?.buyPico ?? 0)).toBeGreaterThan(0n)
  expect(BigInt(record.buyPico)).toBeGreaterThan(0n)
})

test.each([
  ['a tool call', 'tools', { kind: 'cut', afterWords: 2, toolCall: true }, {}],
  ['hidden reasoning', 'thinking', { kind: 'cut', afterWords: 2, reasoning: true }, {}],
  ['structured output', 'formatted', { kind: 'cut', afterWords: 2 }, { response_format: { type: 'json_object' } }],
  ['log probabilities', 'formatted', { kind: 'cut', afterWords: 2 }, { logprobs: true }],
  ['several choices', 'formatted', { kind: 'cut', afterWords: 2 }, { n: 2 }],
] as const)('after %s has begun nobody goes on with it', async (_, service, fault, more) => {
  await one.script(`${service}-1`, fault)
  const before = (await two.seen(`${service}-2`)).length
  assertBrokenOff(await ask(service, more), 'answer_cut')
  expect((await two.seen(`${service}-2`)).length).toBe(before)
})

test('the one that goes on may break as well: a third goes on, and three attempts are the end', async () => {
  const cut = { kind: 'cut', afterWords: 8 } as const
  await one.script('three-1', { kind: 'cut', afterWords: 3 })
  await two.script('three-2', cut)
  const got = await ask('three')
  assertWhole(got)
  expect((await scene.recordOf(got)).attempts).toMatchObject([
    { supplier: 'one', outcome: 'cut' },
    { supplier: 'two', outcome: 'cut', role: 'continuation' },
    { supplier: 'three', outcome: 'served', role: 'continuation' },
  ])
  await scene.providers[2].script('three-3', cut)
  const broken = await ask('three')
  assertBrokenOff(broken, 'answer_cut')
  expect(contentOf(broken)).toBe(words(8))
  expect((await scene.recordOf(broken)).attempts).toHaveLength(3)
})

test('a client that leaves while another goes on pays for what was delivered, and nobody is left open', async () => {
  await one.script('left-1', { kind: 'cut', afterWords: 3 })
  await two.script('left-2', { kind: 'answer', words: 1_000, wordMs: 20 })
  const leaving = new AbortController()
  const answer = await fetch(`${scene.gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'left', stream: true, messages: PROMPT }),
    signal: leaving.signal,
  })
  await expect.poll(async () => (await two.seen('left-2')).at(-1)?.words ?? 0, { timeout: 10_000 }).toBeGreaterThan(10)
  leaving.abort()
  const id = answer.headers.get('x-request-id')
  await expect.poll(() => scene.control.record(id), { timeout: 10_000 }).toBeDefined()
  expect(scene.control.record(id)).toMatchObject({ ending: 'client_closed', basis: 'counted' })
})

test('the official SDK sees one stream where two providers served it, and its own errors where none could', async () => {
  const openai = new OpenAI({ apiKey: KEY, baseURL: scene.gateway.url, maxRetries: 0 })
  await one.script('cut-again-1', { kind: 'cut', afterWords: 9 })
  const stream = openai.chat.completions.stream({
    model: 'cut-again',
    messages: [{ role: 'user', content: 'Count.' }],
    stream_options: { include_usage: true },
  })
  const { choices, usage } = await stream.finalChatCompletion()
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: words(20) } })
  expect(usage).toMatchObject({ completion_tokens: 20 })
  await one.script('diverging-1', { kind: 'cut', afterWords: 4 })
  const broken = openai.chat.completions.stream({ model: 'diverging', messages: [{ role: 'user', content: 'Count.' }] })
  await expect(broken.finalChatCompletion()).rejects.toThrow(/broke off/)
})

test('an outage of everybody does not become a storm: the budget lets few be tried twice', async () => {
  const down = { kind: 'status', status: 500 } as const
  await one.script('one-500-1', down)
  await two.script('one-500-2', down)
  const before = (await one.seen('one-500-1')).length + (await two.seen('one-500-2')).length
  for (let i = 0; i < 60; i++) {
    const got = await ask('one-500')
    expect([502, 503]).toContain(got.status)
  }
  const asked = (await one.seen('one-500-1')).length + (await two.seen('one-500-2')).length - before
  expect(asked).toBeLessThanOrEqual(60 + 20)
})

test('a gateway that dies while another goes on leaves a record of what its journal knew, and nothing is charged', async () => {
  await one.script('dying-1', { kind: 'cut', afterWords: 3 })
  await two.script('dying-2', { kind: 'answer', words: 2_000, wordMs: 20 })
  const asked = ask('dying').catch(() => undefined)
  // Long enough for the journal to hear how far it is.
  await expect.poll(async () => (await two.seen('dying-2')).at(-1)?.words ?? 0, { timeout: 10_000 }).toBeGreaterThan(50)
  await scene.gateway.killAndRestart()
  await asked
  const interrupted = () => [...scene.control.records.values()].find(({ ending }) => ending === 'interrupted')
  await expect.poll(interrupted, { timeout: 15_000 }).toBeDefined()
  expect(interrupted()).toMatchObject({ service: 'dying', supplier: 'one', basis: 'checkpoint', sellPico: '0' })
  expect(interrupted()?.tokens.output).toBeGreaterThan(0)
})

test('afterwards nothing is under way or held, no connection is busy, and every record is exact', () =>
  scene.expectClean())
