import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostileRequest, spell } from './hostile-requests-fixture.ts'
import { decodeChat } from './index.ts'
import { normalisedGrowth } from './normalised-growth.ts'
import { ownTemplates, tokenPerByte, tokenizers } from './real-tokenizers-fixture.ts'
import { renderings } from './renderings-fixture.ts'
import type { Prompt, RenderedRequest } from './renderings-fixture.ts'

/** Longer by hand: `PROMPT_BOUND_RUNS=20000`. */
const longRuns = process.env['PROMPT_BOUND_RUNS']
const numRuns = Number(longRuns ?? 120)
/** The bound that this one replaced: a token per byte of the body, and a constant. */
const bytesAndConstant = (body: Buffer) => body.length + 512

const boundOf = (body: Buffer) => decodeChat(body).promptTokensAtMost
const bytesOf = (text: string) => Buffer.byteLength(text)

function countPrompt({ texts, markers }: Prompt, count: (text: string) => number): number {
  return texts.reduce((sum, text) => sum + (text === '' ? 0 : count(text)), markers)
}

const aRendering = fc.constantFrom(...Object.entries(renderings))
/** Two of them for each request, because a count takes milliseconds. */
const fewTokenizers = fc.shuffledSubarray([...tokenizers], { minLength: 2, maxLength: 2 })

/** What a template needs that leaves out what it does not know. Undefined where it refuses the conversation: no prompt, no tokens. */
function ownCount(own: (typeof ownTemplates)[number], request: RenderedRequest): number | undefined {
  try {
    return own.count({ messages: request.messages, tools: request.tools })
  } catch {
    return undefined
  }
}

test(
  'no real tokenizer makes more tokens of a request than its bound, however the request is rendered',
  { timeout: 3_600_000 },
  () => {
    const tightest = new Map<string, { ratio: number; rendering: string }>()
    let prompts = 0
    const check = (name: string, rendering: string, tokens: number, bound: number) => {
      prompts++
      if (tokens / bound > (tightest.get(name)?.ratio ?? 0)) tightest.set(name, { ratio: tokens / bound, rendering })
      expect(tokens, `${name}, rendered as ${rendering}`).toBeLessThanOrEqual(bound)
    }
    fc.assert(
      fc.property(hostileRequest, aRendering, fewTokenizers, (asked, [rendering, render], chosen) => {
        const body = Buffer.from(spell({ model: 'm', messages: asked.messages, tools: asked.tools }, asked.spelling))
        const bound = boundOf(body)
        // What a supplier reads, and so what it renders, is what the bytes say.
        const request = JSON.parse(body.toString()) as RenderedRequest
        const prompt = render(request)
        for (const { name, count } of [tokenPerByte, ...chosen])
          check(name, rendering, countPrompt(prompt, count), bound)
        for (const own of ownTemplates) {
          if (!chosen.some(({ name }) => name === own.name)) continue
          const tokens = ownCount(own, request)
          if (tokens !== undefined) check(`${own.name}, own template`, 'its own', tokens, bound)
        }
      }),
      { numRuns, seed: longRuns ? undefined : 20_261_125 },
    )
    if (longRuns)
      process.stdout.write(`${numRuns} requests, ${prompts} prompts; tightest ${JSON.stringify([...tightest])}\n`)
    expect(tightest.size).toBe(1 + tokenizers.length + ownTemplates.length)
  },
)

const user = (content: string) => [{ role: 'user', content }]
const tool = (parameters: unknown) => [{ type: 'function', function: { name: 'f', parameters } }]
const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as unknown

test.each([
  ['a list of digits, spaced out', { messages: user('a'), tools: tool({ enum: Array(900).fill(0) }) }, 'qwen2.5'],
  ['exponents, written out', { messages: user('a'), tools: tool({ enum: Array(300).fill(1e20) }) }, 'qwen2.5'],
  ['arguments of an earlier call, spaced out', { messages: callWith(Array(1200).fill(0)) }, 'llama-3'],
  ['nesting, indented', { messages: user('a'), tools: tool(nested(200)) }, 'llama-3'],
  ['letters that Unicode takes apart', { messages: user('\u{1d160}'.repeat(800)) }, 'qwen2.5'],
  ['texts of HTML, escaped', { messages: user('a'), tools: tool({ description: '<&'.repeat(400) }) }, 'llama-3'],
])('more tokens than bytes, and within the bound: %s', (_, request: RenderedRequest, name) => {
  const body = Buffer.from(spell({ model: 'm', ...request }, { indent: 0, escapes: false }))
  const tokenizer = tokenizers.find((each) => each.name === name)
  const counts = Object.values(renderings).map((render) => countPrompt(render(request), tokenizer?.count ?? bytesOf))
  expect(Math.max(...counts)).toBeGreaterThan(bytesAndConstant(body))
  expect(Math.max(...counts)).toBeLessThanOrEqual(boundOf(body))
})

function callWith(values: readonly unknown[]) {
  const called = { name: 'f', arguments: JSON.stringify({ a: values }) }
  return [{ role: 'assistant', content: null, tool_calls: [{ function: called }] }]
}

test('plain conversations are held at their bytes and a constant, whatever their language and spelling', () => {
  for (const text of ['The weather in Paris. '.repeat(100), '巴黎的天气怎么样？'.repeat(100), 'é…—🙂'.repeat(100)])
    for (const escapes of [false, true]) {
      const body = Buffer.from(spell({ model: 'm', messages: user(text), temperature: 0.7 }, { indent: 0, escapes }))
      expect(boundOf(body)).toBeLessThanOrEqual(body.length + 1024 + 32 + 16)
    }
})

test('a schema indented by its client is not held for its white space twice', () => {
  const request = {
    model: 'm',
    messages: user('a'),
    tools: tool({ type: 'object', properties: { a: { enum: [1, 2] } } }),
  }
  const compact = boundOf(Buffer.from(JSON.stringify(request)))
  expect(boundOf(Buffer.from(JSON.stringify(request, null, 4)))).toBeLessThan(compact + 200)
})

test('tools given twice count twice, as a reader that merges them would render both', () => {
  const tools = JSON.stringify(tool({ enum: Array(100).fill(0) }))
  const once = boundOf(Buffer.from(`{"model":"m","messages":[{"role":"user"}],"tools":${tools}}`))
  const twice = boundOf(Buffer.from(`{"model":"m","messages":[{"role":"user"}],"tools":${tools},"tools":[]}`))
  expect(twice).toBeGreaterThanOrEqual(once)
})

test('nesting as deep as a body allows is bounded without a stack to overflow', () => {
  const depth = 5000
  const tools = `[{"type":"function","function":${'['.repeat(depth)}${']'.repeat(depth)}}]`
  expect(boundOf(Buffer.from(`{"model":"m","messages":[{"role":"user"}],"tools":${tools}}`))).toBeGreaterThan(
    depth * depth * 4,
  )
})
