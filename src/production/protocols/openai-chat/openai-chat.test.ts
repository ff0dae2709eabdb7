import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '#kernel'
import { decodeChat, encodeForSupplier, refuseChat } from './index.ts'

const messages = [{ role: 'user', content: 'hi' }]
const decode = (body: object | string) =>
  decodeChat(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
const form = { model: 'upstream', maxOutputTokens: 77, maxTokensField: 'max_tokens', isStandardTier: true } as const
const encode = (body: object | string) => Buffer.concat(encodeForSupplier(decode(body), form)).toString()

function problemOf(body: object | string): Problem {
  try {
    decode(body)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('was accepted')
}

test('what the supplier gets differs in model, cap and usage request, and in no other byte', () => {
  expect(
    encode(
      '{ "model" : "m",\t"messages":[{"role":"user","content":"\\u00e9 \\ud83d\\ude42"}],"seed":12345678901234567890,"max_tokens":5}',
    ),
  ).toBe(
    '{ "model" : "upstream",\t"messages":[{"role":"user","content":"\\u00e9 \\ud83d\\ude42"}],"seed":12345678901234567890,"max_tokens":5}',
  )
})

test('the supplier is always given a cap, and asked for usage in a stream, whatever the client wrote', () => {
  const anyExtra = fc.dictionary(
    fc.string().filter(
      (name) =>
        ![
          'model',
          'messages',
          'stream',
          'stream_options',
          'max_tokens',
          'max_completion_tokens',
          'n',
          'temperature',
          'top_p',
          'stop',
          '__proto__',
          // Another spelling of a priced member is refused, which its own test proves.
        ].includes(name.toUpperCase().toLowerCase()),
    ),
    fc.jsonValue(),
    { maxKeys: 4 },
  )
  fc.assert(
    fc.property(
      anyExtra,
      fc.constantFrom(
        {},
        { stream: true },
        { stream: true, stream_options: {} },
        { stream: true, stream_options: { include_usage: false, other: 1 } },
        { stream: null },
        { max_tokens: null },
      ),
      fc.option(fc.integer({ min: 1, max: 1000 })),
      (extra, options, cap) => {
        const body = { ...extra, ...options, model: 'm', messages, ...(cap === null ? {} : { max_tokens: cap }) }
        const sent = JSON.parse(encode(body)) as Record<string, unknown>
        expect(sent['model']).toBe('upstream')
        expect(sent['max_tokens']).toBe(Math.min(cap ?? 77, 77))
        if (sent['stream'] === true) expect(sent['stream_options']).toMatchObject({ include_usage: true })
        const { model: _, max_tokens: __, stream_options: ___, ...rest } = sent
        const {
          model: _a,
          max_tokens: _b,
          stream_options: _c,
          ...same
        } = JSON.parse(JSON.stringify(body)) as Record<string, unknown>
        expect(rest).toEqual(same)
      },
    ),
  )
})

test.each([
  [{ model: 1, messages }, 'model'],
  [{ model: '', messages }, 'model'],
  [{ messages }, 'model'],
  [{ model: 'm' }, 'messages'],
  [{ model: 'm', messages: [] }, 'messages'],
  [{ model: 'm', messages: ['x'] }, 'messages[0]'],
  [{ model: 'm', messages: [{ role: 'root', content: '' }] }, 'messages[0].role'],
  [{ model: 'm', messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
  [{ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 1 }] }] }, 'messages[0].content[0].text'],
  [{ model: 'm', messages, stream: 'yes' }, 'stream'],
  [{ model: 'm', messages, max_tokens: -1 }, 'max_tokens'],
  [{ model: 'm', messages, max_tokens: 1.5 }, 'max_tokens'],
  [{ model: 'm', messages, max_tokens: '10' }, 'max_tokens'],
  ['{"model":"m","messages":[{"role":"user"}],"max_tokens":1e308}', 'max_tokens'],
  [{ model: 'm', messages, max_tokens: 1, max_completion_tokens: 1 }, 'max_completion_tokens'],
  [{ model: 'm', messages, n: 0 }, 'n'],
  [{ model: 'm', messages, n: 1e9 }, 'n'],
  [{ model: 'm', messages, temperature: 3 }, 'temperature'],
  [{ model: 'm', messages, top_p: 'x' }, 'top_p'],
  [{ model: 'm', messages, stop: [1] }, 'stop'],
  [{ model: 'm', messages, best_of: 20 }, 'best_of'],
  [{ model: 'm', messages, chat_template: '{% for i in range(99999) %}a{% endfor %}' }, 'chat_template'],
  [{ model: 'm', messages, chat_template_kwargs: { chat_template: '' } }, 'chat_template_kwargs.chat_template'],
  [{ model: 'm', messages, enable_search: true }, 'enable_search'],
  [{ model: 'm', messages, web_search_options: {} }, 'web_search_options'],
  [{ model: 'm', messages, search_parameters: { mode: 'on' } }, 'search_parameters'],
  [{ model: 'm', messages, plugins: [{ id: 'web' }] }, 'plugins'],
  [{ model: 'm', messages, tools: {} }, 'tools'],
  [{ model: 'm', messages, tools: [{ type: 'function' }, { type: 'web_search' }] }, 'tools[1].type'],
  [{ model: 'm', messages, tools: [{}] }, 'tools[0].type'],
  [{ model: 'm', messages, stream_options: {} }, 'stream_options'],
  [{ model: 'm', messages, stream: true, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
])('%j is refused and the error names %s', (body, param) => {
  const problem = problemOf(body)
  expect(problem.type).toMatchObject({ code: 'invalid_request', status: 400 })
  expect(JSON.parse(refuseChat(problem))).toMatchObject({
    error: { param, type: 'invalid_request_error', code: 'invalid_request' },
  })
})

test('no text of a request comes back in an error', () => {
  for (const body of [
    '{"model":"m","messages":[{"role":"user","content":"my secret"',
    '{"model":"m" my secret}',
    '["my secret"]',
    '"my secret"',
  ])
    expect(refuseChat(problemOf(body))).not.toContain('secret')
})

test('whatever bytes arrive are read or refused with a Problem, never anything else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (body) => {
        try {
          decodeChat(body)
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
        }
      },
    ),
  )
})

test('anything but text in a message is noticed, because its tokens are not bounded by its bytes', () => {
  expect(decode({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }).hasMedia).toBe(
    false,
  )
  for (const part of [
    { type: 'image_url', image_url: {} },
    { type: 'input_audio' },
    { type: 'file' },
    { type: 'tomorrow' },
  ])
    expect(decode({ model: 'm', messages: [{ role: 'user', content: [part] }] }).hasMedia).toBe(true)
  // Engines look for these also where the type says text.
  for (const name of ['image_url', 'image', 'image_embeds', 'input_audio', 'audio_url', 'video_url', 'file'])
    expect(
      decode({
        model: 'm',
        messages: [{ role: 'tool', content: [{ type: 'text', text: 'x', uuid: 'u', [name]: {} }] }],
      }).hasMedia,
    ).toBe(true)
  for (const name of ['audio', 'images'])
    expect(decode({ model: 'm', messages: [{ role: 'assistant', content: 'x', [name]: [] }] }).hasMedia).toBe(true)
})

test('the cap stands under the name that the supplier takes, once, under whichever name and how often the client gave it', () => {
  const names = ['max_tokens', 'max_completion_tokens'] as const
  const given = fc.constantFrom(undefined, null, 5)
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      given,
      given,
      fc.boolean(),
      (maxTokensField, tokens, completion, isShort) => {
        fc.pre(!(tokens === 5 && completion === 5))
        const request = decode({ model: 'm', max_tokens: tokens, messages, max_completion_tokens: completion })
        // The client's, or less where its account pays for no more.
        const maxOutputTokens = isShort ? 3 : (request.maxOutputTokens ?? 77)
        const sent = JSON.parse(
          Buffer.concat(encodeForSupplier(request, { ...form, maxOutputTokens, maxTokensField })).toString(),
        ) as Record<string, unknown>
        const [other] = names.filter((name) => name !== maxTokensField)
        expect(sent[maxTokensField]).toBe(isShort ? 3 : tokens === 5 || completion === 5 ? 5 : 77)
        expect(sent[other ?? ''] ?? null).toBeNull()
      },
    ),
  )
})

test('a tier is asked of the supplier only if the client is billed for it', () => {
  const body = { model: 'm', messages, max_tokens: 5, service_tier: 'priority' }
  const sent = (isStandardTier: boolean) =>
    JSON.parse(Buffer.concat(encodeForSupplier(decode(body), { ...form, isStandardTier })).toString()) as object
  expect(sent(false)).toMatchObject({ service_tier: 'priority' })
  expect(sent(true)).toMatchObject({ service_tier: 'default' })
})

test('a tier is one of those that are sold, or left to us', () => {
  const tierOf = (tier: unknown) => decode({ model: 'm', messages, service_tier: tier }).serviceTier
  expect(['auto', null, 'default', 'flex', 'priority'].map(tierOf)).toEqual([
    undefined,
    undefined,
    'standard',
    'flex',
    'priority',
  ])
  for (const tier of ['batch', 'standard', 'scale', 1, {}])
    expect(problemOf({ model: 'm', messages, service_tier: tier }).params).toMatchObject({ param: 'service_tier' })
  expect(
    problemOf('{"model":"m","messages":[{"role":"user","content":"x"}],"service_tier":"flex","service_tier":"auto"}')
      .params,
  ).toMatchObject({ param: 'service_tier' })
})
