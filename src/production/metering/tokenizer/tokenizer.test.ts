import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { type Llama, LlamaLogLevel, type LlamaModel, getLlama } from 'node-llama-cpp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countChatPrompt } from './chat-prompt.ts'
import { createTokenizer } from './tokenizer.ts'

const MODELS = fileURLToPath(new URL('../../../../models', import.meta.url))
const BABBLER = 'babbler-q8_0.gguf'
/** Tokens of the vocabulary that a copy of the file declares to be user-defined; one begins with the other. */
const ATOM = 'ross'
const SHORT_ATOM = 'ro'

let directory: string
let llama: Llama
const reference = new Map<string, LlamaModel>()

/** Copies of the model with the same vocabulary under another pre-tokeniser, and with one user-defined token. */
function writeVariants(): void {
  const original = readFileSync(join(MODELS, BABBLER))
  const qwen = Buffer.from(original)
  const pre = original.indexOf('tokenizer.ggml.pre') + 'tokenizer.ggml.pre'.length + 4 + 8
  expect(original.toString('utf8', pre, pre + 5)).toBe('gpt-2')
  qwen.write('qwen2', pre)
  writeFileSync(join(directory, 'qwen2.gguf'), qwen)

  const foreign = Buffer.from(original)
  foreign.write('gpt-9', pre)
  writeFileSync(join(directory, 'foreign.gguf'), foreign)

  const withAtom = Buffer.from(original)
  const types = original.indexOf('tokenizer.ggml.token_type') + 'tokenizer.ggml.token_type'.length + 4 + 4 + 8
  const vocabulary = createVocabularyIndex(original)
  for (const atom of [ATOM, SHORT_ATOM]) {
    const type = types + 4 * vocabulary.indexOf(atom)
    expect(withAtom.readInt32LE(type)).toBe(1)
    withAtom.writeInt32LE(4, type)
  }
  writeFileSync(join(directory, 'atom.gguf'), withAtom)
  writeFileSync(join(directory, BABBLER), original)
}

function createVocabularyIndex(file: Buffer): string[] {
  let at = file.indexOf('tokenizer.ggml.tokens') + 'tokenizer.ggml.tokens'.length + 4 + 4 + 8
  const tokens: string[] = []
  for (let i = 0; i < 2048; i++) {
    const length = Number(file.readBigUInt64LE(at))
    tokens.push(file.toString('utf8', at + 8, at + 8 + length))
    at += 8 + length
  }
  return tokens
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tokenizer-'))
  writeVariants()
  llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
    maxThreads: 1,
  })
  for (const file of [BABBLER, 'qwen2.gguf', 'atom.gguf']) {
    reference.set(file, await llama.loadModel({ modelPath: join(directory, file), vocabOnly: true }))
  }
})

afterAll(async () => {
  for (const model of reference.values()) await model.dispose()
  await llama.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const CORPUS = [
  '',
  ' ',
  'The quick brown fox jumps over the lazy dog.',
  "I'm sure they'll say we've won; don't WE'LL 'tis rock'n'roll",
  '  leading,   inner    and trailing   ',
  'tabs\tand\r\nlines\n\n\n  \n end\n',
  '中文分词测试：你好，世界！今天天气不错。',
  'ひらがなカタカナ漢字ｶﾀｶﾅ 한국어 텍스트',
  'emoji 🙂👩‍👩‍👧‍👦🏳️‍🌈 and flags 🇨🇳🇩🇪',
  'math ∑∫√∞ ½ ² ³ Ⅷ ① ١٢٣ १२३',
  'mixed123abc456 v1.2.3-rc4 0xDEADBEEF 1,000,000.00',
  'function f(a, b) { return a?.b ?? `x${b}`; } // => {}[]()<>',
  '<|user|>not a marker<|end|><|assistant|>',
  'nbsp\u00a0ideographic\u3000nel\u0085bom\ufeffzwsp\u200bls\u2028end',
  'combining e\u0301 a\u0308\u0323 दे\u094d \u0e01\u0e33',
  'control \u0000\u0001\u001f\u007f\u009f end',
  'rtl עברית العربية ‏',
  'private \ue000 unassigned \u0378 noncharacter \uffff astral \u{10ffff} 𝔘𝔫𝔦 𠀀',
  'x'.repeat(300),
  ' '.repeat(300),
  '\n'.repeat(77) + 'a',
  'across the throw Ġcluster select * from pg_catalog.pg_class where relname = $1;',
]

test.each([BABBLER, 'qwen2.gguf', 'atom.gguf'])('%s: counts equal the engine for every kind of text', (file) => {
  const tokenizer = createTokenizer({ kind: 'gguf', file }, { modelRoot: directory })
  const model = reference.get(file)!
  for (const text of CORPUS) expect([text, tokenizer.count(text)]).toEqual([text, model.tokenize(text, false).length])
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom<string[]>(
        ' ',
        '\t',
        '\n',
        '\r\n',
        '\u00a0',
        '\u3000',
        'a',
        "'",
        "'s",
        "'LL",
        '1',
        '.',
        '中',
        'ross',
        'é',
        '🙂',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
  fc
    .array(
      fc.constantFrom<string[]>(
        'the ',
        'data',
        'base ',
        'return',
        ' value',
        'cross',
        'ing',
        's',
        '_',
        '(',
        ')',
        ' of',
        'The',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
)

test.each([BABBLER, 'qwen2.gguf', 'atom.gguf'])('%s: counts equal the engine for arbitrary text', (file) => {
  const tokenizer = createTokenizer({ kind: 'gguf', file }, { modelRoot: directory })
  const model = reference.get(file)!
  fc.assert(
    fc.property(anyText, (text) => {
      expect(tokenizer.count(text)).toBe(model.tokenize(text.toWellFormed(), false).length)
    }),
    { numRuns: 3000 },
  )
})

test('the user-defined token is really one token in the copy that declares it', () => {
  const plain = createTokenizer({ kind: 'gguf', file: BABBLER }, { modelRoot: directory })
  const atom = createTokenizer({ kind: 'gguf', file: 'atom.gguf' }, { modelRoot: directory })
  expect(plain.count('xxrossxx')).toBeGreaterThan(0)
  expect(atom.count(`the ${ATOM}${ATOM}`)).toBe(atom.count('the ') + 2)
})

test('a count does not depend on what was counted before', () => {
  const warm = createTokenizer({ kind: 'gguf', file: BABBLER }, { modelRoot: directory })
  const texts = [...CORPUS, ...CORPUS]
  const counts = texts.map((text) => warm.count(text))
  const cold = texts.map((text) =>
    createTokenizer({ kind: 'gguf', file: BABBLER }, { modelRoot: directory }).count(text),
  )
  expect(counts).toEqual(cold)
})

test('one word of 220,000 letters is counted, and equals the engine', () => {
  const tokenizer = createTokenizer({ kind: 'gguf', file: BABBLER }, { modelRoot: directory })
  const word = 'thereinabstractionless'.repeat(10_000)
  expect(tokenizer.count(word)).toBe(reference.get(BABBLER)!.tokenize(word, false).length)
  expect(tokenizer.count(' '.repeat(200_000))).toBe(reference.get(BABBLER)!.tokenize(' '.repeat(200_000), false).length)
})

test('a chat prompt costs its markers and its texts', () => {
  const tokenizer = createTokenizer({ kind: 'gguf', file: BABBLER }, { modelRoot: directory })
  const messages = [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello ' },
        { type: 'text', text: 'wörld <|end|>' },
      ],
    },
  ]
  const model = reference.get(BABBLER)!
  const rendered = [
    ...model.tokenize('<|system|>', true),
    ...model.tokenize('Be brief.', false),
    ...model.tokenize('<|end|>', true),
    ...model.tokenize('<|user|>', true),
    ...model.tokenize('Hello wörld <|end|>', false),
    ...model.tokenize('<|end|>', true),
    ...model.tokenize('<|assistant|>', true),
  ]
  expect(countChatPrompt(tokenizer, messages)).toBe(rendered.length)
  const estimate = createTokenizer({ kind: 'bytes', bytesPerToken: 4 }, { modelRoot: directory })
  expect(countChatPrompt(estimate, [{ role: 'user', content: '12345' }])).toBe(2 + 4)
})

test('a vocabulary that we cannot tokenise gives an estimate that says so', () => {
  const tokenizer = createTokenizer({ kind: 'gguf', file: 'foreign.gguf' }, { modelRoot: directory })
  expect(tokenizer.isExact).toBe(false)
  expect(tokenizer.method).toBe('estimate:bytes/4 (gpt2/gpt-9 is not supported)')
  expect(tokenizer.count('12345')).toBe(2)
})

test('tiktoken encodings count as OpenAI documents them, and markers are plain text', () => {
  const o200k = createTokenizer({ kind: 'tiktoken', encoding: 'o200k_base' }, { modelRoot: directory })
  const cl100k = createTokenizer({ kind: 'tiktoken', encoding: 'cl100k_base' }, { modelRoot: directory })
  expect(cl100k.count('tiktoken is great!')).toBe(6)
  expect(o200k.count('hello world')).toBe(2)
  expect(o200k.count('<|endoftext|>')).toBeGreaterThan(1)
  expect(o200k.count('')).toBe(0)
})

test('a hostile word of 200,000 letters is counted in pieces, close to its own count', () => {
  const o200k = createTokenizer({ kind: 'tiktoken', encoding: 'o200k_base' }, { modelRoot: directory })
  const short = o200k.count('abcdefgh'.repeat(100)) / 800
  expect(o200k.count('abcdefgh'.repeat(25_000)) / 200_000).toBeCloseTo(short, 2)
})

test('a byte estimate rounds up', () => {
  const tokenizer = createTokenizer({ kind: 'bytes', bytesPerToken: 3.5 }, { modelRoot: directory })
  expect(tokenizer.method).toBe('estimate:bytes/3.5')
  expect([tokenizer.count(''), tokenizer.count('a'), tokenizer.count('中文字')]).toEqual([0, 1, 3])
})

test.each([
  ['../models/babbler-q8_0.gguf', 'it is not in the model directory'],
  ['/etc/hostname', 'it is not in the model directory'],
  ['..', 'it is not in the model directory'],
  ['', 'it is not in the model directory'],
  ['absent.gguf', 'it cannot be read'],
  ['text.gguf', 'not a GGUF file'],
  ['cut.gguf', 'the file ends inside its header'],
])('a file that cannot be used gives an estimate that says why: %j', (file, reason) => {
  writeFileSync(join(directory, 'text.gguf'), 'this is some text and not a model')
  writeFileSync(join(directory, 'cut.gguf'), readFileSync(join(MODELS, BABBLER)).subarray(0, 5000))
  const tokenizer = createTokenizer({ kind: 'gguf', file }, { modelRoot: directory })
  expect(tokenizer).toMatchObject({
    isExact: false,
    chatTemplate: null,
    method: `estimate:bytes/4 (${file}: ${reason})`,
  })
  expect(tokenizer.count('12345')).toBe(2)
})
