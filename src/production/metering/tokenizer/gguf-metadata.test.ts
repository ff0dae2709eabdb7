import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GgufError, GgufTruncated, readGgufMetadata } from './gguf-metadata.ts'
import { parseGgufVocabulary } from './gguf-vocabulary.ts'

const babbler = readFileSync(new URL('../../../../models/babbler-q8_0.gguf', import.meta.url))

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function string(text: string): Buffer {
  return Buffer.concat([uint64(Buffer.byteLength(text)), Buffer.from(text)])
}

function header(keys: number | bigint, ...rest: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(0), uint64(keys), ...rest])
}

const everything = () => true

test('the vocabulary of the shipped model is read as it was written', () => {
  const vocabulary = parseGgufVocabulary(babbler)
  expect(vocabulary.model).toBe('gpt2')
  expect(vocabulary.pre).toBe('gpt-2')
  expect(vocabulary.tokens).toHaveLength(2048)
  expect(vocabulary.tokens.slice(-3)).toEqual(['<|tool|>', '<|end|>', '<|bos|>'])
  expect(vocabulary.tokenTypes.at(-1)).toBe(3)
  expect(vocabulary.merges).toHaveLength(1786)
  expect(vocabulary.merges[0]).toBe('Ġ t')
  expect(vocabulary.chatTemplate).toContain('<|assistant|>')
})

test('every value type is read, and keys that nobody wants are skipped exactly', () => {
  const double = Buffer.alloc(8)
  double.writeDoubleLE(0.5)
  const bytes = header(
    5,
    Buffer.concat([string('skipped'), uint32(9), uint32(8), uint64(2), string('a'), string('bc')]),
    Buffer.concat([string('nested'), uint32(9), uint32(9), uint64(1), uint32(0), uint64(2), Buffer.from([7, 8])]),
    Buffer.concat([string('big'), uint32(10), uint64(2n ** 60n)]),
    Buffer.concat([string('half'), uint32(12), double]),
    Buffer.concat([string('yes'), uint32(7), Buffer.from([1])]),
  )
  expect([...readGgufMetadata(bytes, (key) => key !== 'skipped')]).toEqual([
    ['nested', [[7, 8]]],
    ['big', 2n ** 60n],
    ['half', 0.5],
    ['yes', true],
  ])
})

test.each([
  ['other magic', Buffer.from('GGML0000000000000000000000')],
  ['version 1', Buffer.concat([Buffer.from('GGUF'), uint32(1), uint64(0), uint64(0)])],
  ['a billion keys', header(1_000_000_000)],
  ['a string of 2⁶³ bytes', header(1, uint64(2n ** 63n))],
  ['an unknown type', header(1, string('k'), uint32(99), uint64(0))],
  ['an array of 2⁴⁰ elements', header(1, string('k'), uint32(9), uint32(4), uint64(2n ** 40n))],
  [
    'arrays without end',
    header(
      1,
      string('k'),
      ...Array.from({ length: 9 }, () => Buffer.concat([uint32(9), uint64(1)])),
      Buffer.alloc(200),
    ),
  ],
])('a hostile header is refused: %s', (_name, bytes) => {
  expect(() => readGgufMetadata(bytes, everything)).toThrow(GgufError)
})

test('an array that the file has no bytes for is refused before it is read', () => {
  const bytes = header(1, string('k'), uint32(9), uint32(8), uint64(4_000_000))
  expect(() => readGgufMetadata(bytes, everything)).toThrow(GgufTruncated)
})

test('a header cut at any byte says that it is truncated, and nothing else', () => {
  const whole = header(
    2,
    string('a'),
    uint32(4),
    uint32(1),
    string('b'),
    uint32(9),
    uint32(8),
    uint64(2),
    string('x'),
    string('yz'),
  )
  expect(readGgufMetadata(whole, everything).get('b')).toEqual(['x', 'yz'])
  for (let length = 0; length < whole.length; length++) {
    expect(() => readGgufMetadata(whole.subarray(0, length), everything)).toThrow(GgufTruncated)
  }
})

test('altered bytes lead to an answer or to a GgufError, never to anything else', () => {
  const start = babbler.subarray(0, 4096)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(start)
      for (const [at, value] of changes) bytes[at] = value
      try {
        readGgufMetadata(bytes, everything)
      } catch (error) {
        expect(error).toBeInstanceOf(GgufError)
      }
    }),
    { numRuns: 500 },
  )
})
