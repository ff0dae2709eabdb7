import fc from 'fast-check'
import { expect, test } from 'vitest'
import { continuing, repeating } from './overlap.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })

function cutUp(whole: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].toSorted((a, b) => a - b)
  return places.slice(1).map((end, i) => whole.slice(places[i], end))
}

test('what repeats what the reader has and goes on is joined without a seam, however it is cut', () => {
  fc.assert(
    fc.property(text, text, fc.array(fc.nat(), { maxLength: 6 }), (sent, rest, cuts) => {
      const overlap = repeating(sent)
      const passed = cutUp(sent + rest, cuts).map((piece) => overlap.push(piece))
      expect(sent + passed.join('')).toBe(sent + rest)
      expect(passed).not.toContain(undefined)
      expect(overlap.isJoined).toBe(true)
    }),
  )
})

test('what says something else is noticed at the first difference, and what ends before it repeated all is not joined', () => {
  fc.assert(
    fc.property(
      text.filter((sent) => sent.length > 0),
      text,
      fc.array(fc.nat(), { maxLength: 6 }),
      (sent, other, cuts) => {
        const overlap = repeating(sent)
        const passed = cutUp(other, cuts).map((piece) => overlap.push(piece))
        const agrees = sent.startsWith(other) || other.startsWith(sent)
        expect(passed.includes(undefined)).toBe(!agrees)
        expect(overlap.isJoined).toBe(other.startsWith(sent))
        const delivered = passed.map((piece) => piece ?? '').join('')
        if (!other.startsWith(sent)) expect(delivered).toBe('')
      },
    ),
  )
})

test('white space at the seam is neither doubled nor missed', () => {
  const join = (space: string, ...pieces: string[]) => {
    const overlap = continuing(space)
    return `sent${space}${pieces.map((piece) => overlap.push(piece)).join('')}`
  }
  expect(join(' ', ' more')).toBe('sent more')
  expect(join(' ', 'more')).toBe('sent more')
  expect(join('\n\n', '\n', '\nmore')).toBe('sent\n\nmore')
  expect(join('\n\n', '\n', 'more')).toBe('sent\n\nmore')
  expect(join('', ' more')).toBe('sent more')
  expect(join(' ', '', ' ', ' ')).toBe('sent  ')
})
