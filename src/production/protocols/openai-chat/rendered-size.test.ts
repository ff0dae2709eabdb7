import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostileJson, spell, spelling } from './hostile-requests-fixture.ts'
import { renderedSize } from './rendered-size.ts'
import { asTags, writeJson } from './renderings-fixture.ts'

const writers: Readonly<Record<string, (value: unknown) => string>> = {
  spaced: (value) => writeJson(value),
  indented: (value) => writeJson(value, { indent: 4 }),
  html: (value) => writeJson(value, { escapeHtml: true }),
  ascii: (value) => writeJson(value, { indent: 4, escapeHtml: true, escapeAll: true }),
  tags: (value) => asTags(value),
}

function sizeOf(json: string, times: 1 | 2 = 1): number {
  const bytes = Buffer.from(json)
  return renderedSize(bytes, 0, bytes.length, { depth: 1, times })
}

test('no way of writing JSON takes more bytes than its rendered size, however its client wrote it', () => {
  fc.assert(
    fc.property(hostileJson, spelling, (value, written) => {
      const json = spell({ value }, written)
      const size = sizeOf(json)
      for (const [name, write] of Object.entries(writers))
        expect(Buffer.byteLength(write(JSON.parse(json))), name).toBeLessThanOrEqual(size)
    }),
    { numRuns: 1000 },
  )
})

test.each([
  ['exponents', '[9e15,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20,1e20]', writers['ascii']],
  ['HTML', JSON.stringify(['<>&'.repeat(40)]), writers['html']],
  ['letters that are not ASCII', JSON.stringify(['é中🙂\u007f'.repeat(40)]), writers['ascii']],
  ['nesting', `${'['.repeat(60)}1${']'.repeat(60)}`, writers['indented']],
  ['lists', `[${'0,'.repeat(99)}0]`, writers['indented']],
  ['names', JSON.stringify({ ['x'.repeat(500)]: 1 }), writers['tags']],
])('the rendered size is not far above the largest writing: %s', (_, json, write) => {
  const largest = Buffer.byteLength(write?.(JSON.parse(json)) ?? '')
  expect(sizeOf(json)).toBeGreaterThanOrEqual(largest)
  expect(sizeOf(json)).toBeLessThan(largest * 1.3 + 100)
})

test('a piece that is told twice has twice its texts', () => {
  const json = JSON.stringify({ description: 'plain words '.repeat(50) })
  expect(sizeOf(json, 2)).toBeGreaterThanOrEqual(2 * json.length)
})
