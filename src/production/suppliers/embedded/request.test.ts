import { expect, test } from 'vitest'
import { parseChatRequest } from './request.ts'

const habits = { defaultTemperature: 0.6, maxFreeTextLength: 40 }
const hello = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] }

function parse(more: object) {
  return parseChatRequest({ ...hello, ...more }, habits)
}

test('what a request leaves open is filled in', () => {
  expect(parse({ unknown_field: 1, user: 'u', store: false })).toEqual({
    model: 'm',
    messages: [{ role: 'user', text: 'Hello' }],
    goesOn: false,
    stream: false,
    includeUsage: false,
    maxTokens: null,
    temperature: 0.6,
    topP: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    seed: null,
    stop: [],
    shape: { kind: 'text' },
  })
})

test('explicit nulls mean the same as nothing', () => {
  const nulls = {
    stream: null,
    max_tokens: null,
    temperature: null,
    stop: null,
    seed: null,
    n: null,
    tools: null,
    response_format: null,
  }
  expect(parse(nulls)).toEqual(parse({}))
})

test('messages become text: parts are joined, developers are the system, calls are written out', () => {
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'now', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c', content: 'noon' },
  ]
  expect(parse({ messages }).messages).toEqual([
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'ab' },
    { role: 'assistant', text: '{"name":"now","arguments":"{}"}' },
    { role: 'tool', text: 'noon' },
  ])
})

test('seeds of any sign and size become the 32 bits that the sampler takes', () => {
  expect(parse({ seed: 7 }).seed).toBe(7)
  expect(parse({ seed: -1 }).seed).toBe(2 ** 32 - 1)
  expect(parse({ seed: 2 ** 40 + 5 }).seed).toBe(5)
})

test('max_completion_tokens wins over its older name', () => {
  expect(parse({ max_tokens: 5, max_completion_tokens: 9 }).maxTokens).toBe(9)
})

test.each([
  ['n', { n: 2 }],
  ['temperature', { temperature: 2.1 }],
  ['temperature', { temperature: '1' }],
  ['top_p', { top_p: 1.1 }],
  ['max_tokens', { max_tokens: 0 }],
  ['max_completion_tokens', { max_completion_tokens: 1.5 }],
  ['stop', { stop: '' }],
  ['stop', { stop: Array(17).fill('x') }],
  ['messages', { messages: [] }],
  ['messages.0.role', { messages: [{ role: 'king', content: 'x' }] }],
  ['messages.0.content', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }],
  ['logprobs', { logprobs: true }],
  ['seed', { seed: 0.5 }],
  ['response_format.type', { response_format: { type: 'xml' } }],
  ['tool_choice', { tool_choice: 'required' }],
  [
    'tool_choice',
    {
      tool_choice: { type: 'function', function: { name: 'b' } },
      tools: [{ type: 'function', function: { name: 'a' } }],
    },
  ],
  [
    'response_format.json_schema.schema',
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', strict: true, schema: { type: 'string', pattern: 'a' } },
      },
    },
  ],
  [
    'response_format.json_schema.schema',
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { $ref: '#/$defs/none' } } } },
  ],
])('a wrong %s is refused by name', (param, more) => {
  expect(() => parse(more)).toThrow(
    expect.objectContaining({
      type: expect.objectContaining({ status: 400 }),
      params: expect.objectContaining({ param }),
    }),
  )
})

test.each([[null], ['text'], [[]], [42]])('a body that is not an object is refused: %j', (body) => {
  expect(() => parseChatRequest(body, habits)).toThrow('must be a JSON object')
})
