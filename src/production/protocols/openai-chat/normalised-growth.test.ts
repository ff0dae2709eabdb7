import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normalisedGrowth } from './normalised-growth.ts'

const sizeOf = (text: string) => Buffer.byteLength(text)
const normalisedSize = (text: string) => Buffer.byteLength(text.normalize('NFC'))
const scalars = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
const marks = scalars.filter((letter) => /\p{M}/u.test(letter))
const composed = scalars.filter((letter) => letter.normalize('NFC') === letter && letter.normalize('NFD') !== letter)

test('no letter of Unicode gains more than it is held for, and one written as an escape pays for itself', () => {
  for (const letter of scalars) {
    const size = normalisedSize(letter)
    if (size > sizeOf(letter) + normalisedGrowth(letter)) expect.unreachable(letter.codePointAt(0)?.toString(16))
    if (size > 6 * letter.length) expect.unreachable(letter.codePointAt(0)?.toString(16))
  }
})

test('no mark takes more from a composed letter than it is held for, also when it is written as an escape', () => {
  const bases = composed.filter((letter) => letter < '\uac00' || letter > '\ud7a3')
  expect(marks.length * bases.length).toBeGreaterThan(1_000_000)
  for (const mark of marks)
    for (const base of bases) {
      const size = normalisedSize(base + mark)
      if (size > sizeOf(base + mark) + normalisedGrowth(base + mark)) expect.unreachable(JSON.stringify(base + mark))
      if (size > sizeOf(base) + normalisedGrowth(base) + 6) expect.unreachable(JSON.stringify(base + mark))
    }
})

test('no text of letters and marks in any order gains more than it is held for', () => {
  const letter = fc.oneof(
    fc.constantFrom(...composed),
    fc.constantFrom(...marks),
    fc.constantFrom('a', 'e', 'A', 'α', 'ï'),
  )
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 30 }), (letters) => {
      const text = letters.join('')
      expect(normalisedSize(text)).toBeLessThanOrEqual(sizeOf(text) + normalisedGrowth(text))
    }),
    { numRuns: 5000 },
  )
})

test('ordinary texts of the world are held for nothing', () => {
  for (const text of ['plain', '你好，世界。', 'Größe, naïve, Ærø', 'Việt Nam', '한국어', 'ไม่', 'العربية', '🙂👨‍👩‍👧‍👦'])
    expect(normalisedGrowth(text.normalize('NFC'))).toBe(0)
})
