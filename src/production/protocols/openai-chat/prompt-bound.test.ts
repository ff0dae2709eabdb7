import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostileRequest, spell } from './hostile-requests-fixture.ts'
import { decodeChat } from './index.ts'
import { ownTemplates, tokenPerByte, tokenizers } from './real-tokenizers-fixture.ts'
import { renderings } from './renderings-fixture.ts'
import type { Prompt, RenderedRequest } from './renderings-fixture.ts'

/** Longer by hand: `PROMPT_BOUND_RUNS=20000`, with new seeds, and the tightest cases are printed. */
const longRuns = process.env['PROMPT_BOUND_RUNS']
const parameters = (usualRuns: number) =>
  longRuns ? { numRuns: Number(longRuns) } : { numRuns: usualRuns, seed: 20_261_125 }
const timeout = 3_600_000
/** The bound that this one replaced: a token per byte of the body, and a constant. */
const bytesAndConstant = (body: Buffer) => body.length + 512

const boundOf = (body: Buffer) => decodeChat(body).promptTokensAtMost
const bytesOf = (text: string) => Buffer.byteLength(text)

function countPrompt({ texts, markers }: Prompt, count: (text: string) => number): number {
  return texts.reduce((sum, text) => sum + (text === '' ? 0 : count(text)), markers)
}

/** The request as bytes, and as a supplier reads and so renders them. */
const request = hostileRequest.map(({ messages, tools, spelling }) => {
  const body = Buffer.from(spell({ model: 'm', messages, tools }, spelling))
  return { body, read: JSON.parse(body.toString()) as RenderedRequest }
})
const rendering = fc.constantFrom(...Object.entries(renderings))

/** Compares tokens with the bound and keeps the tightest case of each name. */
function comparison() {
  const tightest = new Map<string, { readonly ratio: number; readonly found: string }>()
  return {
    names: tightest,
    check(name: string, rendered: string, tokens: number, bound: number): void {
      const ratio = tokens / bound
      if (ratio >= (tightest.get(name)?.ratio ?? 0))
        tightest.set(name, { ratio, found: `${tokens}/${bound} (${rendered})` })
      expect(tokens, `${name}, rendered as ${rendered}`).toBeLessThanOrEqual(bound)
    },
    report(): void {
      for (const [name, { ratio, found }] of tightest)
        if (longRuns) process.stdout.write(`${name}: ${ratio.toFixed(3)} ${found}\n`)
    },
  }
}

test(
  'the worst vocabulary makes no more tokens of a request than its bound, however it is rendered',
  { timeout },
  () => {
    const { check, report } = comparison()
    fc.assert(
      fc.property(request, ({ body, read }) => {
        const bound = boundOf(body)
        for (const [name, render] of Object.entries(renderings))
          check(`${tokenPerByte.name}, ${name}`, name, countPrompt(render(read), tokenPerByte.count), bound)
      }),
      parameters(500),
    )
    report()
  },
)

test(
  'no real tokenizer makes more tokens of a request than its bound, in its own template or another',
  { timeout },
  () => {
    const { check, report, names } = comparison()
    // One vocabulary for each request, because a count takes milliseconds.
    fc.assert(
      fc.property(request, rendering, fc.constantFrom(...tokenizers), ({ body, read }, [rendered, render], real) => {
        const bound = boundOf(body)
        check(real.name, rendered, countPrompt(render(read), real.count), bound)
        const tokens = ownTemplates.find(({ name }) => name === real.name)?.count(read)
        if (tokens !== undefined) check(`${real.name}, own template`, 'its own', tokens, bound)
      }),
      parameters(150),
    )
    report()
    expect(names.size).toBe(tokenizers.length + ownTemplates.length)
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
])('more tokens than bytes, and within the bound: %s', (_, asked: RenderedRequest, name) => {
  const body = Buffer.from(spell({ model: 'm', ...asked }, { indent: 0, escapes: false }))
  const tokenizer = tokenizers.find((each) => each.name === name)
  const counts = Object.values(renderings).map((render) => countPrompt(render(asked), tokenizer?.count ?? bytesOf))
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
