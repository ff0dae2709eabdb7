import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseFactoryFile } from './factory-file.ts'
import { reported } from './reported.ts'

const NOW_MS = Date.parse('2026-11-23T12:00:00+08:00')
const NOTHING = {
  suppliers: new Set<string>(),
  tenants: new Set<string>(),
  services: new Set<string>(),
  calendars: new Set<string>(),
  tables: new Set<string>(),
  projects: new Set<string>(),
}

function parse(text: string, known = NOTHING) {
  return parseFactoryFile(text, 'factory.yaml', { nowMs: NOW_MS, known })
}

/** `12:5 services[0].id message`, in file order. */
function told(text: string, known = NOTHING): readonly string[] {
  return reported(parse(text, known).mistakes).map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  )
}

const GOOD = `suppliers:
  - id: engine
    kind: embedded
  - id: vllm
    kind: openai-compatible
    baseUrl: http://127.0.0.1:8000/v1/
tenants:
  - id: acme
    topups:
      - { reference: pay-1, amountYuan: 0.1 }
keys:
  - { id: k1, tenant: acme }
services:
  - id: babbler
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: gguf, file: models/babbler-q8_0.gguf }
    sell:
      - validFrom: 2026-01-01
        taxPercent: 6
        perMillion: { uncachedInput: 0.1, output: 0.30 }
    deployments:
      - supplier: engine
        model: babbler
        buy:
          - { validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 0, output: 0 } }
`

test('a right file has no mistakes, keeps decimals exactly as written and prices the classes that were left out', () => {
  const { file, mistakes } = parse(GOOD)
  expect(mistakes).toEqual([])
  expect(file?.services[0]?.sell[0]?.perMillion).toEqual({
    uncachedInput: '0.1',
    cacheWrite: '0.1',
    cacheRead: '0.1',
    output: '0.30',
    reasoning: '0.30',
  })
  expect(file?.tenants[0]?.topups[0]?.amountYuan).toBe('0.1')
  expect(file?.suppliers[1]?.baseUrl).toBe('http://127.0.0.1:8000/v1')
})

test('a price with more digits than a float can hold is not rounded', () => {
  const { file } = parse(GOOD.replace('output: 0.30', 'output: 123456789012.123457'))
  expect(file?.services[0]?.sell[0]?.perMillion.output).toBe('123456789012.123457')
})

test('an empty file declares nothing and is right', () => {
  expect(parse('').file).toEqual({
    calendars: [],
    suppliers: [],
    links: [],
    services: [],
    tables: [],
    offers: [],
    tenants: [],
    keys: [],
  })
  expect(parse('# only a comment\n').mistakes).toEqual([])
})

test('a bare date means midnight in China, and a time needs its offset', () => {
  const { file } = parse('tenants: [{ id: a }]\nkeys:\n  - { id: k, tenant: a, expiresAt: 2026-12-01 }\n')
  expect(file?.keys[0]?.expiresAt).toBe(Date.parse('2026-11-30T16:00:00Z'))
  expect(told('tenants: [{ id: a }]\nkeys:\n  - { id: k, tenant: a, expiresAt: 2026-12-01T00:00:00 }\n')).toEqual([
    '3:36 keys[0].expiresAt not a date such as 2026-11-01 or a time with its offset such as 2026-11-01T08:00:00+08:00',
  ])
  expect(told('tenants: [{ id: a }]\nkeys:\n  - { id: k, tenant: a, expiresAt: 2026-02-30 }\n')).toHaveLength(1)
})

const BROKEN: readonly (readonly [string, string, string])[] = [
  ['a tab as indentation', 'suppliers:\n\t- id: a\n', '2:1 suppliers '],
  ['an unclosed bracket', 'tenants: [{ id: a }\n', '2:1 tenants[0].id '],
  [
    'a line that is out of place',
    'tenants:\n  - id: a\n    limits:\n      maxConcurrency: 1\n   name: b\n',
    '5:1 tenants[0].limits.maxConcurrency ',
  ],
  ['a list that is not a list', 'tenants: 5\n', '1:10 tenants must be a list'],
  ['a root that is not an object', '- a\n', '1:1  must be an object of fields'],
  ['an unknown field at the top', 'tenant: []\n', '1:1 tenant unknown field'],
  ['an unknown field inside', 'tenants:\n  - id: a\n    limit: {}\n', '3:5 tenants[0].limit unknown field'],
  ['an unknown limit', 'tenants:\n  - id: a\n    limits:\n      rpm: 5\n', '4:7 tenants[0].limits.rpm unknown field'],
  ['a missing id', 'tenants:\n  - name: a\n', '2:5 tenants[0].id the field id is missing'],
  ['an id in capitals', 'tenants:\n  - id: ACME\n', '2:9 tenants[0].id use lower-case letters'],
  [
    'a limit of zero',
    'tenants:\n  - id: a\n    limits: { requestsPerMinute: 0 }\n',
    '3:34 tenants[0].limits.requestsPerMinute must be at least 1',
  ],
  [
    'a limit as text',
    'tenants:\n  - id: a\n    limits: { maxConcurrency: "7" }\n',
    '3:31 tenants[0].limits.maxConcurrency must be a number',
  ],
  [
    'a limit with a fraction',
    'tenants:\n  - id: a\n    limits: { maxConcurrency: 1.5 }\n',
    '3:31 tenants[0].limits.maxConcurrency must be a whole number',
  ],
  [
    'the same field twice',
    'tenants:\n  - id: a\n    id: b\n',
    '3:5 tenants[0].id this name is already given in the same object',
  ],
  [
    'two tenants of one id',
    'tenants:\n  - id: a\n  - id: b\n  - id: a\n',
    '4:9 tenants[2].id a is already declared above',
  ],
  [
    'a key of an unknown tenant',
    'keys:\n  - id: k\n    tenant: ghost\n',
    '3:13 keys[0].tenant there is no tenant ghost',
  ],
  [
    'a supplier kind that does not exist',
    'suppliers:\n  - { id: a, kind: magic }\n',
    '2:20 suppliers[0].kind must be one of: embedded, openai-compatible',
  ],
  [
    'a compatible supplier without address',
    'suppliers:\n  - { id: a, kind: openai-compatible }\n',
    '2:5 suppliers[0].baseUrl a supplier',
  ],
  [
    'an address with credentials',
    'suppliers:\n  - id: a\n    kind: openai-compatible\n    baseUrl: http://u:p@h/v1\n',
    '4:14 suppliers[0].baseUrl not an http',
  ],
  [
    'an address of another scheme',
    'suppliers:\n  - id: a\n    kind: openai-compatible\n    baseUrl: file:///etc/passwd\n',
    '4:14 suppliers[0].baseUrl not an http',
  ],
  [
    'the key itself in place of its variable',
    'suppliers:\n  - id: a\n    kind: openai-compatible\n    baseUrl: http://h/v1\n    apiKeyEnv: sk-123\n',
    '5:16 suppliers[0].apiKeyEnv write the NAME',
  ],
  [
    'an amount of zero',
    'tenants:\n  - id: a\n    topups: [{ reference: r, amountYuan: 0 }]\n',
    '3:42 tenants[0].topups[0].amountYuan the amount must be above zero',
  ],
  [
    'a negative amount',
    'tenants:\n  - id: a\n    topups: [{ reference: r, amountYuan: -5 }]\n',
    '3:42 tenants[0].topups[0].amountYuan the amount must be above zero',
  ],
  [
    'an amount in exponent form',
    'tenants:\n  - id: a\n    topups: [{ reference: r, amountYuan: 1e3 }]\n',
    '3:42 tenants[0].topups[0].amountYuan not an amount in yuan',
  ],
  [
    'an amount in hexadecimal',
    'tenants:\n  - id: a\n    topups: [{ reference: r, amountYuan: 0x10 }]\n',
    '3:42 tenants[0].topups[0].amountYuan not an amount in yuan',
  ],
  [
    'an amount finer than the books',
    'tenants:\n  - id: a\n    topups: [{ reference: r, amountYuan: 0.0000000000001 }]\n',
    '3:42 tenants[0].topups[0].amountYuan not an amount in yuan',
  ],
  ['an anchor that does not exist', 'tenants: *ghost\n', '1:10 '],
  ['an anchor that contains itself', 'tenants: &a [ *a ]\n', '1:15 tenants[0] the anchor *a contains itself'],
  ['a tag', 'tenants: !!js/function "x"\n', '1:10 '],
  ['a second document', 'tenants: []\n---\ntenants: []\n', '2:1 '],
  ['a field with a dangerous name', '__proto__: { tenants: [] }\n', '1:1  this name is not possible'],
  [
    'a character that cannot be stored',
    'tenants:\n  - id: a\n    name: "\\0"\n',
    '3:11 tenants[0].name contains the character NUL',
  ],
  ['a field whose name is a list', '? [a]\n: b\n', '1:3  the name of a field must be a plain word'],
]

test.each(BROKEN)('%s is told with its place', (_, text, expected) => {
  const mistakes = told(text)
  expect(mistakes.map((line) => line.slice(0, expected.length))).toContain(expected)
  expect(parse(text).file).toBeUndefined()
})

const inGood: readonly (readonly [string, string, string, string])[] = [
  [
    'an unknown supplier',
    'supplier: engine',
    'supplier: ghost',
    '23:19 services[0].deployments[0].supplier there is no supplier ghost',
  ],
  [
    'an unknown tenant of a service',
    '    sell:',
    '    tenants: [acme, ghost]\n    sell:',
    '18:21 services[0].tenants[1] there is no tenant ghost',
  ],
  [
    'more output than context',
    'maxOutputTokens: 128',
    'maxOutputTokens: 512',
    '16:22 services[0].maxOutputTokens is above contextTokens',
  ],
  ['a price with too many decimals', '0.30', '0.0000001', '21:51 services[0].sell[0].perMillion.output not a price'],
  ['a negative price', '0.30', '-1', '21:51 services[0].sell[0].perMillion.output not a price'],
  ['a price that is not a number', '0.30', 'cheap', '21:51 services[0].sell[0].perMillion.output not a price'],
  ['a missing price', ', output: 0.30', '', '21:21 services[0].sell[0].perMillion.output the field output is missing'],
  [
    'a price of a class that does not exist',
    'output: 0.30',
    'output: 0.30, audio: 1',
    '21:57 services[0].sell[0].perMillion.audio unknown field',
  ],
  [
    'a sheet that ends before it begins',
    '        taxPercent: 6\n',
    '        validTo: 2025-01-01\n        taxPercent: 6\n',
    '20:18 services[0].sell[0].validTo ends before it begins',
  ],
  [
    'a price that begins tomorrow only',
    'validFrom: 2026-01-01\n',
    'validFrom: 2026-11-24\n',
    '19:7 services[0].sell this service has no sell price that is valid now',
  ],
  [
    'a price that has ended',
    '        taxPercent: 6\n',
    '        validTo: 2026-11-23\n        taxPercent: 6\n',
    '19:7 services[0].sell this service has no sell price',
  ],
  [
    'a buy price that has ended',
    '{ validFrom: 2026-01-01,',
    '{ validFrom: 2026-01-01, validTo: 2026-02-01,',
    '26:11 services[0].deployments[0].buy this deployment has no buy price',
  ],
  ['a tokenizer that does not exist', 'kind: gguf', 'kind: magic', '17:24 services[0].tokenizer.kind must be one of'],
  [
    'a misspelt field of the tokenizer',
    'file: models',
    'path: models',
    '17:30 services[0].tokenizer.path unknown field',
  ],
]

test.each(inGood)('%s is told with its place', (_, from, to, expected) => {
  const text = GOOD.replace(from, to)
  expect(text).not.toBe(GOOD)
  const mistakes = told(text)
  expect(mistakes.map((line) => line.slice(0, expected.length))).toContain(expected)
  expect(parse(text).file).toBeUndefined()
})

test('two sheets of one line that overlap are told, and an open end is closed by the next beginning', () => {
  const second = (from: string, to = '') =>
    GOOD.replace(
      '    deployments:',
      `      - { validFrom: ${from}${to}, taxPercent: 6, perMillion: { uncachedInput: 1, output: 1 } }\n    deployments:`,
    )
  expect(told(second('2026-12-01'))).toEqual([])
  expect(told(second('2026-01-01'))).toEqual([
    '22:22 services[0].sell[1].validFrom overlaps another sell price sheet of this service',
  ])
  const closed = second('2026-12-01').replace(
    '        taxPercent: 6\n',
    '        validTo: 2026-12-02\n        taxPercent: 6\n',
  )
  expect(told(closed)).toEqual([
    '23:22 services[0].sell[1].validFrom overlaps another sell price sheet of this service',
  ])
})

test('every mistake of a file is told at once, in file order, and one does not hide the others', () => {
  const lines = told(`suppliers:
  - { id: a, kind: magic }
  - { id: b, kind: embedded, colour: red }
tenants:
  - { id: t, limits: { requestsPerMinute: none } }
keys:
  - { id: k, tenant: ghost }
  - { id: k, tenant: t }
services:
  - id: s
    contextTokens: 10
    maxOutputTokens: 20
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell: []
    deployments:
      - { supplier: nobody, model: m, buy: [] }
`)
  expect(lines).toEqual([
    '2:20 suppliers[0].kind must be one of: embedded, openai-compatible',
    '3:30 suppliers[1].colour unknown field',
    '5:43 tenants[0].limits.requestsPerMinute must be a number',
    '7:22 keys[0].tenant there is no tenant ghost',
    '8:11 keys[1].id k is already declared above',
    '12:22 services[0].maxOutputTokens is above contextTokens',
    '14:11 services[0].sell needs at least one price sheet',
    '16:21 services[0].deployments[0].supplier there is no supplier nobody',
    '16:44 services[0].deployments[0].buy needs at least one price sheet: what the supplier charges us, if only 0',
  ])
})

test('what is already in force may be referred to without being declared again', () => {
  const known = { ...NOTHING, suppliers: new Set(['engine']), tenants: new Set(['acme']) }
  expect(told('keys:\n  - { id: k, tenant: acme }\n', known)).toEqual([])
})

test('the same payment twice in one file is a mistake, also across tenants', () => {
  const text =
    'tenants:\n  - { id: a, topups: [{ reference: r, amountYuan: 1 }] }\n  - { id: b, topups: [{ reference: r, amountYuan: 1 }] }\n'
  expect(told(text)).toEqual(['3:36 tenants[1].topups[0].reference the payment r is already in this file'])
})

test('anchors may be used, but not to blow up the file', () => {
  const shared = 'tenants:\n  - { id: a, limits: &l { requestsPerMinute: 5 } }\n  - { id: b, limits: *l }\n'
  expect(parse(shared).file?.tenants[1]?.limits).toEqual({ requestsPerMinute: 5 })
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
  for (let level = 1; level < 12; level++) bomb += `a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]\n`
  const lines = told(bomb)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('once its aliases are followed')
})

test('a huge file and a bottomless one are refused with one line', () => {
  expect(told(`# ${'x'.repeat(1_100_000)}\n`)).toEqual(['1:1  the file is larger than 1048576 characters'])
  expect(told(`tenants: ${'['.repeat(500_000)}`).length).toBeGreaterThan(0)
  expect(told(`tenants: ${'['.repeat(200)}${']'.repeat(200)}`)[0]).toContain('nested too deeply')
})

test('a file with thousands of mistakes is told in part', () => {
  const text = `tenants:\n${Array.from({ length: 3_000 }, () => '  - { id: A }\n').join('')}`
  const lines = told(text)
  expect(lines).toHaveLength(501)
  expect(lines.at(-1)).toContain('more mistakes')
})

test('a wrong value is never repeated in a mistake, because it may be a secret', () => {
  const text =
    'suppliers:\n  - id: a\n    kind: openai-compatible\n    baseUrl: http://h/v1\n    apiKeyEnv: sk-verysecret\n'
  expect(JSON.stringify(parse(text).mistakes)).not.toContain('verysecret')
})

test('the example that a new installation begins with is right', () => {
  const text = readFileSync(new URL('../../../examples/factory.yaml', import.meta.url), 'utf8')
  const { file, mistakes } = parse(text)
  expect(mistakes).toEqual([])
  expect(file?.suppliers).toHaveLength(3)
  expect(file?.tenants).toHaveLength(3)
  expect(file?.tables).toHaveLength(1)
  expect(file?.services.some(({ deployments }) => deployments.length === 2)).toBe(true)
})

test('a text that is broken anywhere is told with a place in it and breaks nothing else', () => {
  const text = readFileSync(new URL('../../../examples/factory.yaml', import.meta.url), 'utf8')
  fc.assert(
    fc.property(
      fc.nat(text.length),
      fc.constantFrom('', '[', '{', '}', ': ', '? ', '*x ', '&x ', '- ', '\t', '"', '!', '\n', '\0'),
      fc.nat(40),
      (offset, inserted, removed) => {
        const broken = text.slice(0, offset) + inserted + text.slice(offset + removed)
        const { file, mistakes } = parse(broken)
        expect(file === undefined).toBe(mistakes.length > 0)
        for (const { line } of mistakes) expect(line).toBeLessThanOrEqual(broken.split('\n').length)
      },
    ),
    { numRuns: 200 },
  )
})
