import { expect, test } from 'vitest'
import { chunkIn, envelopeOf, firstEventOf, usageChunkIn } from './seam.ts'

const event = (id: string) =>
  `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', model: '模型', usage: null, choices: [{ index: 0, delta: { role: 'assistant' } }] })}\n\n`

test('what another supplier says comes in the envelope of the first event', () => {
  const first = firstEventOf(Buffer.from(`: queued\n\nevent: message\n${event('c-1')}${event('c-2')}`))
  const envelope = envelopeOf(first ?? '') ?? {}
  expect(envelope).toEqual({ id: 'c-1', object: 'chat.completion.chunk', model: '模型' })
  expect(JSON.parse(chunkIn(envelope, 'Wort "x"\n', null).slice(6))).toEqual({
    ...envelope,
    choices: [{ index: 0, delta: { content: 'Wort "x"\n' }, finish_reason: null }],
  })
  expect(JSON.parse(chunkIn(envelope, '', 'stop').slice(6))).toMatchObject({
    choices: [{ delta: {}, finish_reason: 'stop' }],
  })
  expect(JSON.parse(usageChunkIn(envelope, { input: 3, output: 4 }).slice(6))).toEqual({
    ...envelope,
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  })
})

test('a first event that is long, not whole or not JSON is none that others could look like', () => {
  expect(firstEventOf(Buffer.from('data: {"id":"c"'))).toBeUndefined()
  expect(firstEventOf(Buffer.from(`data: {"id":"${'c'.repeat(2_000)}"}\n\n`))).toBeUndefined()
  expect(firstEventOf(Buffer.from(': nothing yet\n\n'))).toBeUndefined()
  expect(envelopeOf('data: {"id":oops,"choices":[{"delta":{"content":"x"}}]}')).toBeUndefined()
})
