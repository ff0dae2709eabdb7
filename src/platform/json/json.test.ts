import fc from 'fast-check'
import { expect, test } from 'vitest'
import { locate, splice } from './index.ts'

const anyObject = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 })

test('the span of a member is exactly its JSON text, whatever surrounds it', () => {
  fc.assert(
    fc.property(anyObject, fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (rest, value, indent) => {
      const text = Buffer.from(JSON.stringify({ ...rest, wanted: value }, null, indent))
      const found = locate(text, new Set(['wanted']))
      if (!found.ok) throw new Error(found.reason)
      const span = found.spans.get('wanted')
      expect(JSON.parse(text.subarray(span?.start, span?.end).toString())).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a replaced value is what a parser reads, and nothing else changes', () => {
  fc.assert(
    fc.property(anyObject, fc.string(), fc.string(), (rest, before, after) => {
      const { model: _, ...others } = rest
      const text = Buffer.from(JSON.stringify({ ...others, model: before }))
      const found = locate(text, new Set(['model']))
      if (!found.ok) throw new Error(found.reason)
      const span = found.spans.get('model')
      if (!span) throw new Error('model not found')
      const parts = splice(text, [{ span, text: JSON.stringify(after) }])
      expect(JSON.parse(Buffer.concat(parts).toString())).toEqual(
        JSON.parse(JSON.stringify({ ...others, model: after })),
      )
    }),
  )
})

test('a member given twice is refused, also when one name hides behind escapes', () => {
  for (const text of [
    '{"model":"a","model":"b"}',
    '{"model":"a","mod\\u0065l":"b"}',
    '{"\\u006dodel":"a", "x":[{}], "model":1}',
    '{"model":"a","Model":"b"}',
    '{"MODEL":"b"}',
  ])
    expect(locate(Buffer.from(text), new Set(['model']))).toMatchObject({ ok: false, reason: 'duplicate' })
})

test('what is not one whole object is refused', () => {
  for (const text of [
    '',
    '[]',
    '"x"',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1}{}',
    '{"a":1}x',
    '{a:1}',
    '{"a":"b',
    '{"a":[1}',
    '{"a":1,}',
  ])
    expect(locate(Buffer.from(text), new Set(['model'])).ok, text).toBe(false)
})
