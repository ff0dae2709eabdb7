import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStopFilter } from './stop-filter.ts'
import { createTextDecoder } from './text-decoder.ts'
import { createToolCallFilter } from './tool-call-filter.ts'

/** Cuts a text at arbitrary places. */
function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted((a, b) => a - b)
  return places.slice(1).map((place, index) => text.slice(places[index], place))
}

const cutPlaces = fc.array(fc.nat(), { maxLength: 12 })

function filtered(parts: readonly string[], stops: readonly string[]): { text: string; stopped: boolean } {
  const filter = createStopFilter(stops)
  let text = ''
  for (const part of parts) {
    const seen = filter.push(part)
    text += seen.text
    if (seen.stopped) return { text, stopped: true }
  }
  return { text: text + filter.flush(), stopped: false }
}

test('text up to the first stop sequence is shown, wherever the text is cut', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '🙂', '中'), maxLength: 30 })
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '🙂'), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  })
  fc.assert(
    fc.property(letters, stops, cutPlaces, (text, stops, cuts) => {
      // The first stop to be complete ends the text; where several begin before that, the earliest beginning counts.
      const whole = filtered(Array.from(text), stops)
      const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
      expect(whole.stopped).toBe(ends.length > 0)
      const cut = filtered(pieces(text, cuts), stops)
      expect(cut.stopped).toBe(whole.stopped)
      for (const shown of [whole.text, cut.text]) {
        expect(text.startsWith(shown)).toBe(true)
        for (const stop of stops) expect(shown.includes(stop)).toBe(false)
        if (ends.length === 0) expect(shown).toBe(text)
      }
    }),
  )
})

test('text that may begin a stop sequence is kept back until it does not', () => {
  const filter = createStopFilter(['END!'])
  expect(filter.push('the E')).toEqual({ text: 'the ', stopped: false })
  expect(filter.push('N')).toEqual({ text: '', stopped: false })
  expect(filter.push('D of')).toEqual({ text: 'END of', stopped: false })
  expect(filter.push(' EN')).toEqual({ text: ' ', stopped: false })
  expect(filter.flush()).toBe('EN')
})

test('characters are shown whole, however their bytes are spread over tokens', () => {
  const detokenize = (tokens: readonly number[][]) => Buffer.from(tokens.flat()).toString('utf8')
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
      (text, sizes) => {
        const bytes = [...Buffer.from(text)]
        const decoder = createTextDecoder<number[]>(detokenize)
        const deltas: string[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!
          deltas.push(decoder.push(bytes.slice(at, at + size)))
          at += size
        }
        for (const delta of deltas) expect(delta.isWellFormed()).toBe(true)
        if (!text.includes('\uFFFD')) for (const delta of deltas) expect(delta).not.toContain('\uFFFD')
        expect(deltas.join('') + decoder.flush()).toBe(text)
      },
    ),
  )
})

test('bytes that never become a character show as replacement characters, and do not hold back what follows', () => {
  const detokenize = (tokens: readonly number[]) => Buffer.from(tokens).toString('utf8')
  const decoder = createTextDecoder<number>(detokenize)
  expect([0xe4, 0xb8, 0x61, 0x62].map((byte) => decoder.push(byte))).toEqual(['', '', '\uFFFDa', 'b'])
  expect([0xf0, 0x9f].map((byte) => decoder.push(byte)).join('')).toBe('')
  expect(decoder.flush()).toBe('\uFFFD')
  const noise = Array.from({ length: 200 }, () => decoder.push(0x80)).join('')
  expect(noise.length).toBeGreaterThanOrEqual(128)
})

test('a forced call of one tool is its arguments', () => {
  const filter = createToolCallFilter(['now'])
  expect(filter.push('{')).toEqual([
    { kind: 'tool_name', name: 'now' },
    { kind: 'tool_arguments', text: '{' },
  ])
  expect(filter.push('}')).toEqual([{ kind: 'tool_arguments', text: '}' }])
})

test('a choice between tools is taken out of its envelope, wherever the text is cut', () => {
  fc.assert(
    fc.property(fc.json(), cutPlaces, (json, cuts) => {
      const filter = createToolCallFilter(['get_weather', 'now'])
      const parts = pieces(`{"name":"now","arguments":${json}}`, cuts).flatMap((piece) => filter.push(piece))
      expect(parts[0]).toEqual({ kind: 'tool_name', name: 'now' })
      expect(
        parts
          .slice(1)
          .map((part) => (part.kind === 'tool_arguments' ? part.text : '?'))
          .join(''),
      ).toBe(json)
    }),
  )
})
