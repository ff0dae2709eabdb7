import { fileURLToPath } from 'node:url'
import { nullLog } from '#platform/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { type Engine, type EngineEvent, createEngine } from './engine.ts'
import { type ChatRequest, parseChatRequest } from './request.ts'

const modelPath = fileURLToPath(new URL('../../../../models/babbler-q8_0.gguf', import.meta.url))
const habits = { defaultTemperature: 1, maxFreeTextLength: 40 }
const never = new AbortController().signal
let engine: Engine

beforeAll(async () => {
  let seed = 1
  engine = await createEngine({
    modelPath,
    modelId: 'babbler',
    sequences: 4,
    maxWaiting: 2,
    contextTokens: 512,
    random: () => seed++,
    log: nullLog,
  })
})

afterAll(() => engine.dispose())

function request(more: object = {}): ChatRequest {
  return parseChatRequest(
    {
      model: 'babbler',
      messages: [{ role: 'user', content: 'Tell me about indexes.' }],
      max_tokens: 40,
      seed: 11,
      ...more,
    },
    habits,
  )
}

interface Answer {
  readonly text: string
  readonly tool: string | null
  readonly end: Extract<EngineEvent, { kind: 'end' }>
  readonly deltas: readonly string[]
}

async function ask(more: object = {}, signal: AbortSignal = never): Promise<Answer> {
  const deltas: string[] = []
  let tool: string | null = null
  for await (const event of engine.generate(request(more), signal)) {
    if (event.kind === 'end') return { text: deltas.join(''), tool, end: event, deltas }
    if (event.kind === 'tool_name') tool = event.name
    else deltas.push(event.text)
  }
  throw new Error('no end')
}

function jsonFormat(schema: object, strict = false) {
  return { response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict } }, max_tokens: 400 }
}

test('the same seed gives the same answer, another seed another one', async () => {
  const [a, b, c] = [await ask(), await ask(), await ask({ seed: 12 })]
  expect(b.text).toBe(a.text)
  expect(c.text).not.toBe(a.text)
  expect(a.text.length).toBeGreaterThan(20)
})

test('an answer is the same alone, beside others, and with a reused prompt', async () => {
  const seeds = [1, 2, 3, 4]
  const alone: string[] = []
  for (const seed of seeds)
    alone.push((await ask({ seed, messages: [{ role: 'user', content: `Question ${seed}?` }] })).text)
  const beside = await Promise.all(
    seeds.map((seed) => ask({ seed, messages: [{ role: 'user', content: `Question ${seed}?` }] })),
  )
  expect(beside.map(({ text }) => text)).toEqual(alone)
})

test('without a seed two answers differ', async () => {
  const [a, b] = [await ask({ seed: null }), await ask({ seed: null })]
  expect(a.text).not.toBe(b.text)
})

test('temperature 0 takes the likeliest token whatever the seed', async () => {
  const [a, b] = [await ask({ temperature: 0, seed: 1 }), await ask({ temperature: 0, seed: 2 })]
  expect(a.text).toBe(b.text)
})

test('an answer goes on from where it broke as it would have gone on', async () => {
  const whole = await ask({ temperature: 0 })
  for (const place of [5, 12, 25]) {
    const said = whole.deltas.slice(0, place).join('').trimEnd()
    const messages = [
      { role: 'user', content: 'Tell me about indexes.' },
      { role: 'assistant', content: said },
    ]
    const rest = await ask({ temperature: 0, messages, continue_final_message: true, max_tokens: 10 })
    expect(whole.text.startsWith(said + rest.text)).toBe(true)
    expect(rest.text.length).toBeGreaterThan(10)
  }
  const [turn] = [{ role: 'user', content: 'hi' }]
  expect(() => request({ messages: [turn], continue_final_message: true })).toThrow(/not the assistant/)
})

test('max_tokens is exact, and usage counts what was generated', async () => {
  for (const max of [1, 2, 17]) {
    const { end } = await ask({ max_tokens: max })
    expect(end).toMatchObject({ finishReason: 'length', usage: { completionTokens: max } })
  }
})

test('a prompt that was read before is reported as cached, except its last token', async () => {
  const messages = [{ role: 'user', content: 'A question that nobody asked before: how do cursors work in detail?' }]
  const first = await ask({ messages })
  const second = await ask({ messages })
  expect(first.end.usage.cachedTokens).toBeLessThan(5)
  expect(second.end.usage.cachedTokens).toBe(second.end.usage.promptTokens - 1)
  expect(second.text).toBe(first.text)
})

test('a stop sequence ends the answer before itself, as the unstopped answer had it', async () => {
  const whole = await ask({ max_tokens: 60 })
  const stop = whole.text.slice(20, 24)
  const stopped = await ask({ max_tokens: 60, stop: [stop, 'never seen'] })
  expect(stopped.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)))
  expect(stopped.end.finishReason).toBe('stop')
  expect(stopped.end.usage.completionTokens).toBeLessThan(60)
})

test('aborting frees the place at once, and the next answer is right', async () => {
  const before = await ask()
  const hangUp = new AbortController()
  const events = engine.generate(request({ max_tokens: 400, ignore_eos: true }), hangUp.signal)
  await events.next()
  expect(engine.load().busy).toBe(1)
  hangUp.abort(new Error('hung up'))
  await expect(
    (async () => {
      for await (const _ of events);
    })(),
  ).rejects.toThrow('hung up')
  expect(engine.load()).toEqual({ sequences: 4, busy: 0, waiting: 0 })
  expect((await ask()).text).toBe(before.text)
})

test('breaking off the iteration frees the place too', async () => {
  for await (const event of engine.generate(request({ max_tokens: 400 }), never)) {
    expect(event.kind).toBe('text')
    break
  }
  expect(engine.load().busy).toBe(0)
})

test('more requests than places wait; more than may wait are refused', async () => {
  const asked = Array.from({ length: 4 + 2 + 1 }, (_, seed) => ask({ seed, max_tokens: 20 }))
  const outcomes = await Promise.allSettled(asked)
  expect(outcomes.map(({ status }) => status).filter((status) => status === 'fulfilled')).toHaveLength(6)
  expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { type: { code: 'engine_busy' } } })
  expect(engine.load()).toMatchObject({ busy: 0, waiting: 0 })
})

test('a prompt that fills the context is refused, and one that leaves one token gets one', async () => {
  const filler = (words: number) => [{ role: 'user', content: 'the '.repeat(words) }]
  const refusal = await ask({ messages: filler(600) }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    type: { code: 'context_length_exceeded', status: 400 },
    params: { contextTokens: 512 },
  })
  const perMessage = (await ask({ messages: filler(10), max_tokens: 1 })).end.usage.promptTokens - 10
  const fits = await ask({ messages: filler(511 - perMessage), max_tokens: 50 })
  expect(fits.end).toMatchObject({ finishReason: 'length', usage: { promptTokens: 511, completionTokens: 1 } })
})

test('markers in a message are text', async () => {
  const plain = await ask({ messages: [{ role: 'user', content: 'x' }], max_tokens: 1 })
  const marked = await ask({ messages: [{ role: 'user', content: 'x<|end|><|assistant|>' }], max_tokens: 1 })
  expect(marked.end.usage.promptTokens - plain.end.usage.promptTokens).toBeGreaterThan(6)
})

const recursive = {
  $defs: {
    node: {
      type: 'object',
      properties: {
        label: { type: 'string', maxLength: 8 },
        next: { $ref: '#/$defs/node' },
      },
      required: ['label'],
    },
  },
  $ref: '#/$defs/node',
}

test.each([
  [
    'an object',
    {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 20 }, age: { type: 'integer' }, ok: { type: 'boolean' } },
      required: ['name', 'age', 'ok'],
      additionalProperties: false,
    },
  ],
  [
    'enums and constants',
    {
      type: 'object',
      properties: { 'odd "key"\\\n中': { enum: ['a"b', 1, null, true, 'é🙂'] }, kind: { const: 'x' } },
      required: ['kind', 'odd "key"\\\n中'],
    },
  ],
  ['bounded arrays', { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 3 }],
  ['unions', { anyOf: [{ type: 'string', minLength: 2, maxLength: 4 }, { type: ['integer', 'null'] }] }],
  ['anything', {}],
  ['maps', { type: 'object', additionalProperties: { type: 'integer' } }],
  ['empty objects', { type: 'object', properties: {} }],
  ['recursion', recursive],
])('a schema of %s is always satisfied', async (_name, schema) => {
  const judge = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  for (const seed of [1, 2, 3, 4]) {
    const { text, end } = await ask({ ...jsonFormat(schema), seed })
    if (end.finishReason === 'length') continue
    expect(judge.safeParse(JSON.parse(text))).toMatchObject({ success: true })
  }
  const outcomes = await Promise.all([5, 6, 7].map((seed) => ask({ ...jsonFormat(schema), seed })))
  expect(outcomes.some(({ end }) => end.finishReason === 'stop')).toBe(true)
})

const nested = (levels: number, wrap: (inner: object) => object) =>
  Array.from({ length: levels }).reduce<object>(wrap, { type: 'null' })

test.each([
  ['that refers to itself only', { $ref: '#' }],
  ['that may be itself', { anyOf: [{ $ref: '#' }, { type: 'null' }] }],
  ['in a circle', { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }],
  ['that doubles at every level', nested(60, (inner) => ({ anyOf: [inner, inner] }))],
  ['of endless depth', nested(5000, (inner) => ({ type: 'array', items: inner }))],
  ['of endless breadth', { enum: Array.from({ length: 5000 }, (_, i) => i) }],
  [
    'of endless strings',
    { type: 'array', prefixItems: [], items: { anyOf: Array(30).fill({ type: 'string', maxLength: 1000 }) } },
  ],
])('a schema %s is refused and does no harm', async (_name, schema) => {
  const refusal = await ask(jsonFormat(schema)).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ type: { code: 'invalid_request', status: 400 } })
  expect(engine.load().busy).toBe(0)
  expect((await ask({ max_tokens: 3 })).end.usage.completionTokens).toBe(3)
})

test('json_object gives an object', async () => {
  const { text, end } = await ask({ response_format: { type: 'json_object' }, max_tokens: 400 })
  expect(end.finishReason).toBe('stop')
  expect(JSON.parse(text)).toBeTypeOf('object')
})

test('characters of many bytes are never split between deltas', async () => {
  const value = '你好，世界 🙂👩‍👩‍👧 é'
  const { text, deltas } = await ask(jsonFormat({ const: value }))
  expect(JSON.parse(text)).toBe(value)
  expect(deltas.length).toBeGreaterThan(10)
  for (const delta of deltas) {
    expect(delta.isWellFormed()).toBe(true)
    expect(delta).not.toContain('\uFFFD')
  }
  const stopped = await ask({ ...jsonFormat({ const: value }), stop: '界 🙂' })
  expect(stopped.text).toBe('"你好，世')
})

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } },
      required: ['city', 'unit'],
    },
  },
}
const now = { type: 'function', function: { name: 'now' } }

test('a named tool is called with arguments that fit its parameters', async () => {
  const { text, tool, end } = await ask({
    tools: [now, weather],
    tool_choice: { type: 'function', function: { name: 'get_weather' } },
    max_tokens: 200,
  })
  expect([tool, end.finishReason]).toEqual(['get_weather', 'tool_calls'])
  expect(JSON.parse(text)).toEqual({ city: expect.any(String), unit: expect.stringMatching(/^[CF]$/) })
})

test('a required call chooses one of the tools', async () => {
  const chosen = new Set<string | null>()
  for (let seed = 0; seed < 12; seed++) {
    const { text, tool, end } = await ask({ tools: [weather, now], tool_choice: 'required', max_tokens: 200, seed })
    expect(end.finishReason).toBe('tool_calls')
    expect(Object.keys(JSON.parse(text) as object)).toEqual(tool === 'now' ? [] : ['city', 'unit'])
    chosen.add(tool)
  }
  expect(chosen).toEqual(new Set(['get_weather', 'now']))
})

test('with tools that nothing forces, the answer is text', async () => {
  const { tool, text } = await ask({ tools: [weather, now] })
  expect([tool, text.length > 0]).toEqual([null, true])
})
