import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decimal, isDecimal, isObject, parseExact, writeExact } from './index.ts'

test('numbers keep every digit on the way in and out', () => {
  for (const text of ['0.000000000001', '16451000000.00', '12345678901234567890123456789.123456789012', '-0', '1e-12'])
    expect(writeExact(parseExact(`{"value":${text}}`))).toBe(`{"value":${text}}`)
})

test('what it reads and writes is what JSON means', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      let exact
      try {
        exact = parseExact(text)
      } catch (error) {
        // Broken characters and exponents beyond ±30 are refused, nothing else is.
        expect(/half a character|too long/.test(String(error)), text).toBe(true)
        return
      }
      expect(JSON.parse(writeExact(exact))).toEqual(JSON.parse(text))
    }),
  )
})

test('what could not be kept is refused', () => {
  for (const text of [
    '',
    '{',
    '{"a":1}x',
    '{"a":1,"a":2}',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    '['.repeat(1_000_000),
    `{"a":${'9'.repeat(61)}}`,
    '{"a":1e31}',
    '{"a":"\\u0000"}',
    '{"\\ud800":1}',
    '{"a":"\\ud800"}',
    '{"a":01}',
    '{"a":NaN}',
  ])
    expect(() => parseExact(text), text.slice(0, 40)).toThrow(SyntaxError)
})

test('a member called __proto__ is data like any other', () => {
  const value = parseExact('{"__proto__":{"isAdmin":true}}')
  if (!isObject(value)) throw new Error('not an object')
  expect(Object.keys(value)).toEqual(['__proto__'])
  expect(value['isAdmin']).toBeUndefined()
})

test('a decimal is made from a decimal text only', () => {
  expect(isDecimal(decimal('0.10'))).toBe(true)
  for (const text of ['', '1.', '.5', '0x1', '1 ', 'Infinity', '1e400']) expect(() => decimal(text)).toThrow(RangeError)
})
