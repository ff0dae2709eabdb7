import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamGarbage, observeStream, observedText } from './observe-stream.ts'
import { readStream } from './read-stream.ts'

const chunk = (delta: object, finish: string | null = null, extra: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }], ...extra })}\n\n`
const usageChunk = `data: ${JSON.stringify({ id: 'c', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`

function feed(text: string, cuts: readonly number[], keepUsageChunk = true) {
  const bytes = Buffer.from(text)
  const observer = observeStream({ keepUsageChunk, choices: 1 })
  const out: Buffer[] = []
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  for (let i = 1; i < places.length; i++) {
    const relayed = observer.push(Buffer.from(bytes.subarray(places[i - 1], places[i])))
    if (relayed) out.push(relayed)
  }
  return { observer, relayed: Buffer.concat(out).toString() }
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\\"', '\n\n', 'data: [DONE]', '","finish_reason":"stop"', '\u0000', '词元', '🙂'),
)

test('the text a stream generated is recovered to the character, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), (texts, cuts) => {
      const body = texts.map((content) => chunk({ content })).join('')
      const { observer, relayed } = feed(
        `${chunk({ role: 'assistant', content: '' })}${body}${chunk({}, 'stop')}${usageChunk}data: [DONE]\n\n`,
        cuts,
      )
      expect(observedText(observer.seen)).toBe(texts.join(''))
      expect(observer.seen).toMatchObject({ finishReason: 'stop', done: true, usage: { prompt_tokens: 3 } })
      expect(relayed.replace(usageChunk, '')).toBe(
        `${chunk({ role: 'assistant', content: '' })}${body}${chunk({}, 'stop')}`,
      )
      expect(observer.hasPartial).toBe(false)
    }),
  )
})

test('tool calls, reasoning and refusals are generated text too', () => {
  const { observer } = feed(
    chunk({ reasoning_content: 'think ' }) +
      chunk({ content: 'a', refusal: 'no ' }) +
      chunk({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"x":1}' } }] }) +
      chunk({}, 'tool_calls'),
    [],
  )
  expect(observedText(observer.seen)).toBe('think ano f{"x":1}')
  expect(observer.seen.sawOther).toBe(true)
  expect(observer.seen.finishReason).toBe('tool_calls')
})

test('the usage chunk is noted and taken out when the client did not ask for it', () => {
  const { observer, relayed } = feed(chunk({ content: 'x' }) + usageChunk + 'data: [DONE]\n\n', [40, 90], false)
  expect(relayed).toBe(chunk({ content: 'x' }))
  expect(observer.seen.usage).toMatchObject({ completion_tokens: 2 })
})

test('usage on the last choice is noted and the event goes on', () => {
  const last = chunk({ content: 'x' }, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 1 } })
  const { observer, relayed } = feed(last, [], false)
  expect(relayed).toBe(last)
  expect(observer.seen.usage).toMatchObject({ prompt_tokens: 1 })
})

test('[DONE] is held back: the gateway sends it once the usage record is durable', () => {
  expect(feed(`${chunk({ content: 'x' })}data: [DONE]\n\n`, []).relayed).not.toContain('[DONE]')
})

test('a stream with CRLF line ends, comments and event names is understood', () => {
  const text = `: ping\r\n\r\nevent: message\r\n${chunk({ content: 'hi' }).replaceAll('\n', '\r\n')}data: [DONE]\r\n\r\n`
  for (let cut = 0; cut < text.length; cut++) {
    const { observer } = feed(text, [cut])
    expect(observedText(observer.seen)).toBe('hi')
    expect(observer.seen.done).toBe(true)
  }
})

test('what is not a chat completion chunk is garbage, never passed off as an answer', () => {
  for (const bad of [
    'data: {"choices":[{"delta":{"content":"x"}\n\n',
    'data: <html>\n\n',
    'data: {"error":{"message":"boom"}}\n\n',
    'data: [1]\n\n',
    'data: {"choices":5}\n\n',
  ])
    expect(() => feed(bad, []), bad).toThrow(StreamGarbage)
})

test('what came in one piece with garbage was not passed on, so it does not count as seen; what came before does', () => {
  const observer = observeStream({ keepUsageChunk: true, choices: 1 })
  observer.push(Buffer.from(chunk({ content: 'passed on ' })))
  expect(() => observer.push(Buffer.from(`${chunk({ content: 'lost' })}${chunk({}, 'stop')}data: <html>\n\n`))).toThrow(
    StreamGarbage,
  )
  expect(observedText(observer.seen)).toBe('passed on ')
  expect(observer.seen).toMatchObject({ chunks: 1, textEvents: 1, finished: 0, finishReason: null })
})

test('what another supplier added is generated text like the rest, whatever it holds', () => {
  fc.assert(
    fc.property(fc.array(anyText), fc.array(anyText), (own, added) => {
      const { observer } = feed(own.map((content) => chunk({ content })).join(''), [])
      for (const text of added) observer.append(text)
      expect(observedText(observer.seen)).toBe([...own, ...added].join(''))
    }),
  )
})

test('a stream is read event by event as it is observed, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      fc.boolean(),
      (texts, cuts, crlf) => {
        const plain = `: ping\n\n${texts.map((content) => chunk({ content })).join('')}${chunk({}, 'stop')}${usageChunk}data: [DONE]\n\n`
        const bytes = Buffer.from(crlf ? plain.replaceAll('\n', '\r\n') : plain)
        const reader = readStream()
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
        const events = places.slice(1).flatMap((end, i) => reader.push(Buffer.from(bytes.subarray(places[i], end))))
        expect(events.flatMap(({ choices }) => choices.map(({ content }) => content)).join('')).toBe(texts.join(''))
        expect(events.at(-1)?.usage).toMatchObject({ completion_tokens: 2 })
        expect(reader.done).toBe(true)
      },
    ),
  )
  expect(() => readStream().push(Buffer.from('data: {"error":{"message":"boom"}}\n\n'))).toThrow(StreamGarbage)
})

test('several choices in one event are all counted', () => {
  const observer = observeStream({ keepUsageChunk: true, choices: 2 })
  observer.push(
    Buffer.from(
      'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null},{"index":1,"delta":{"content":"b"},"finish_reason":null}]}\n\n',
    ),
  )
  expect(observedText(observer.seen)).toBe('ab')
})

test('an event that differs from known ones outside its text is understood by itself', () => {
  const event = (content: string, created: number, padding = '') =>
    chunk({ content }, null, { created, ...(padding ? { obfuscation: padding } : {}) })
  const usage = { prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 }
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('', 'word', '词元 ', 'a"b', 'x\\y', '\n'), fc.nat(2), fc.constantFrom('', 'p', 'pq')),
        {
          minLength: 1,
          maxLength: 40,
        },
      ),
      fc.array(fc.nat(), { maxLength: 12 }),
      (parts, cuts) => {
        const events = parts.map((part) => event(...part))
        const text = `${events.join('')}${chunk({ content: 'end' }, 'stop')}${chunk({ content: 'word' }, null, { created: 1, usage })}`
        const { observer, relayed } = feed(`${text}data: [DONE]\n\n`, cuts)
        expect(relayed).toBe(text)
        expect(observedText(observer.seen)).toBe(`${parts.map(([content]) => content).join('')}endword`)
        expect(observer.seen).toMatchObject({ finishReason: 'stop', finished: 1, done: true, usage })
        expect(observer.seen.chunks).toBe(parts.length + 2)
        expect(observer.seen.textEvents).toBe(parts.filter(([content]) => content !== '').length + 2)
      },
    ),
  )
})
