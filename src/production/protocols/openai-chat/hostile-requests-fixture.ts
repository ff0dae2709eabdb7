import fc from 'fast-check'

/** Pieces of text that cost the most tokens for their bytes, somewhere. */
const letters: Readonly<Record<string, fc.Arbitrary<string>>> = {
  latin: fc.constantFrom('the ', 'Xq', 'zzz', ' a', 'ﬁ', 'œ', 'ñ', 'I', '.', ', ', 'Straße'),
  chinese: fc.constantFrom('的', '你好', '，', '。', '鑫', '龘', '靐', '齉', '爨', '〇', '㐂', '　'),
  rareChinese: fc.integer({ min: 0x20000, max: 0x323af }).map(codePoint),
  compatibility: fc
    .oneof(fc.integer({ min: 0xf900, max: 0xfad9 }), fc.integer({ min: 0x2f800, max: 0x2fa1d }))
    .map(codePoint),
  emoji: fc.constantFrom('🙂', '👨‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇨🇳', '🇦🇶', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🫠', '\u200d', '\ufe0f'),
  marks: fc.oneof(fc.integer({ min: 0x300, max: 0x36f }), fc.integer({ min: 0x1ab0, max: 0x1ace })).map(codePoint),
  displaced: fc.constantFrom('é\u0323', 'ǖ\u0323', 'ấ\u0323', 'Ǖ\u032d', 'ō\u0328', 'ἆ\u0345', 'ệ', 'e\u0323\u0302'),
  gaining: fc.constantFrom(
    '\u0958',
    '\u095a',
    '\u09dc',
    '\u0a5e',
    '\u0f73',
    '\u2adc',
    '\ufb2c',
    '\u{1d160}',
    '\u{1d1c0}',
    '\u0344',
  ),
  control: fc.oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0x9f })).map(codePoint),
  unpaired: fc.constantFrom('\ud83d', '\udc00', '\ud834', 'a\udfff'),
  base64: fc.base64String({ minLength: 8, maxLength: 40 }),
  space: fc.constantFrom(' ', '  ', '\n', '\r\n', '\t', '        ', '\n\n\n', '\u00a0', '\u2003', '\u3000', '\u2028'),
  digits: fc.constantFrom('0', '1', '37', '1234567', '٣', '๓', '½', '①', '0.1'),
  code: fc.constantFrom(
    '{"a":[1,2]}',
    'if (a<b) {\n',
    '<div class="x">',
    "it's",
    '&amp;',
    '\\\\n',
    '//',
    '=>',
    '$_',
    '%20',
    '"',
  ),
  scripts: fc.constantFrom(
    'ไม่',
    'กี่',
    'हिन्दी',
    'مَرْحَبًا',
    'שָׁלוֹם',
    '한국어',
    'ᄒ\u1161\u11ab',
    'ལྷ',
    'ꦗꦮ',
    'ᚠᛇᚻ',
    '𐎀',
    '𝕏',
    '𒀀',
  ),
  markers: fc.constantFrom(
    '<|im_start|>',
    '<|im_end|>',
    '<|eot_id|>',
    '<think>',
    '[INST]',
    '<｜User｜>',
    '</s>',
    '<tool_response>',
  ),
  private: fc
    .oneof(fc.integer({ min: 0xe000, max: 0xf8ff }), fc.integer({ min: 0xf0000, max: 0x10fff0 }))
    .map(codePoint),
  any: fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
}

function codePoint(value: number): string {
  return String.fromCodePoint(value)
}

const anyLetter = fc.oneof(...Object.values(letters))
const oneKind = fc.constantFrom(...Object.values(letters)).chain((kind) => fc.array(kind, { maxLength: 60 }))
export const hostileText: fc.Arbitrary<string> = fc
  .oneof(
    fc.array(anyLetter, { maxLength: 40 }),
    oneKind,
    fc.tuple(anyLetter, fc.integer({ min: 1, max: 200 })).map(([letter, times]) => [letter.repeat(times)]),
  )
  .map((pieces) => pieces.join(''))

const name = fc.oneof(fc.constantFrom('a', 'city', 'query', 'x_1', ''), fc.string({ maxLength: 12 }), anyLetter)
const shortText = fc.oneof(fc.constantFrom('', 'a', '<', "'"), hostileText)
const number = fc.constantFrom(0, 1, -1, 7, 1e20, 9e15, 1e15, -9e20, 1e21, 1e-6, 1e-7, 0.1, 1e300, 123_456_789)
const leaf: fc.Arbitrary<unknown> = fc.oneof(number, shortText, fc.constantFrom(true, false, null))
const wide = fc.oneof(
  fc.tuple(leaf, fc.integer({ min: 0, max: 200 })).map(([value, times]) => Array.from({ length: times }, () => value)),
  fc
    .tuple(leaf, fc.integer({ min: 0, max: 60 }))
    .map(([value, times]) => Object.fromEntries(Array.from({ length: times }, (_, i) => [i.toString(36), value]))),
)
const deep = fc
  .tuple(leaf, fc.integer({ min: 1, max: 80 }), fc.constantFrom('list', 'object'))
  .map(([value, depth, kind]) => {
    let nested: unknown = value
    for (let i = 0; i < depth; i++) nested = kind === 'list' ? [nested] : { a: nested }
    return nested
  })
const property = fc.oneof(
  fc.record(
    { type: fc.constantFrom('string', 'integer', 'array'), description: shortText, enum: wide, default: leaf },
    { requiredKeys: [] },
  ),
  deep,
  wide,
  fc.constant({}),
)
const schema = fc.oneof(
  fc
    .dictionary(name, property, { maxKeys: 8, noNullPrototype: true })
    .map((properties) => ({ type: 'object', properties, required: Object.keys(properties) })),
  deep,
  fc.jsonValue(),
)
const tool = fc.record({
  type: fc.constant('function'),
  function: fc.record(
    { name: fc.constantFrom('f', 'get_weather', 'x'.repeat(64)), description: shortText, parameters: schema },
    { requiredKeys: ['name'] },
  ),
})

/** JSON as its client wrote it: numbers as short as they can be, escapes and white space to taste. */
export interface Spelling {
  readonly indent: number
  readonly escapes: boolean
}
export const spelling: fc.Arbitrary<Spelling> = fc.record({
  indent: fc.constantFrom(0, 0, 2),
  escapes: fc.boolean(),
})

export function spell(value: unknown, { indent, escapes }: Spelling): string {
  const numbers: string[] = []
  const json = JSON.stringify(
    value,
    (_, each: unknown) => {
      if (typeof each !== 'number' || !Number.isFinite(each)) return each
      const exponential = each.toExponential().replace('+', '')
      if (exponential.length >= String(each).length) return each
      return `\u0000${numbers.push(exponential) - 1}\u0000`
    },
    indent,
  ).replaceAll(/"\\u0000(\d+)\\u0000"/g, (_, index: string) => numbers[Number(index)] ?? '')
  return escapes
    ? json.replaceAll(/[^ -~\n]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
}

const call = fc
  .tuple(
    fc.constantFrom('f', 'get_weather'),
    fc.oneof(fc.dictionary(name, leaf, { maxKeys: 6 }), deep, wide),
    shortText,
    spelling,
  )
  .map(([called, given, broken, written]) => ({
    id: 'call_1',
    type: 'function',
    function: { name: called, arguments: broken.length === 3 ? broken : spell(given, written) },
  }))
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'user', 'assistant', 'developer'), content: hostileText }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.constant(null),
    tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    role: fc.constant('assistant'),
    content: shortText,
    tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ role: fc.constant('tool'), tool_call_id: fc.constant('call_1'), content: shortText }),
)
const tiny = fc
  .tuple(
    fc.array(
      fc.record({
        role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
        content: fc.constantFrom('', 'a', '是'),
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    fc.integer({ min: 1, max: 150 }),
  )
  .map(([few, times]) => Array.from({ length: times }, () => few).flat())
const messages = fc.oneof(
  { arbitrary: fc.array(message, { minLength: 1, maxLength: 6 }), weight: 4 },
  { arbitrary: tiny, weight: 1 },
)

/** Chat requests that try to cost more tokens than they have bytes. */
export const hostileRequest = fc.record({
  messages,
  tools: fc.oneof(fc.constant(undefined), fc.array(tool, { minLength: 1, maxLength: 4 })),
  spelling,
})

/** What the parameters of a tool or the arguments of a call can be. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(schema, wide, deep, fc.array(property, { maxLength: 4 }))
