import { expect, test } from 'vitest'
import { brokenRules, foreignSchemas, inspect, lengths, missingFurniture, sourceFile } from './tidy.ts'

const doors = {
  ledger: 'src/operations/ledger/index.ts',
  charging: 'src/operations/charging/index.ts',
  'platform/clock': 'src/platform/clock/index.ts',
}
const complaints = (path: string, text: string) =>
  brokenRules(sourceFile(path, text)).map((line) => line.replace(/^.*?:\d+: /, ''))

/** Written apart, because this file is looked at by the same rules. */
const ONLY = ['test', 'only'].join('.')
const RANDOM = ['Math', 'random()'].join('.')
const IGNORE = ['@ts', 'ignore'].join('-')
const DISABLE = ['oxlint', 'disable'].join('-')
const ANY = ['a', 'ny'].join('')
const HOME = ['', 'home', 'ann'].join('/')

test.each([
  [
    'the environment',
    'src/operations/ledger/a.ts',
    'const a = process.env',
    'process.env is read in platform/config, apps and tests only',
  ],
  ['the time', 'src/operations/ledger/a.ts', 'const a = Date.now()', 'time comes from a Clock (platform/clock)'],
  ['a date of now', 'src/operations/ledger/a.ts', 'const a = new Date()', 'time comes from a Clock (platform/clock)'],
  [
    'a date of now without brackets',
    'src/operations/ledger/a.ts',
    'const a = new Date',
    'time comes from a Clock (platform/clock)',
  ],
  ['chance', 'src/platform/crypto/a.ts', `const a = ${RANDOM}`, 'randomness comes from platform/crypto'],
  ['chance in the console', 'web/a.tsx', `const a = ${RANDOM}`, 'randomness comes from platform/crypto'],
  [
    'a test singled out',
    'src/operations/ledger/a.test.ts',
    `${ONLY}('x', () => {})`,
    'no test is skipped or singled out',
  ],
  ['a type without meaning', 'src/operations/ledger/a.ts', `const a: ${ANY} = 1`, 'there is no any'],
  ['a cast without meaning', 'src/operations/ledger/a.ts', `const a = 1 as ${ANY}`, 'there is no any'],
  [
    'a type argument without meaning',
    'src/operations/ledger/a.ts',
    `const a = new Map<string, ${ANY}>()`,
    'there is no any',
  ],
  [
    'a silenced type checker',
    'src/operations/ledger/a.ts',
    `// ${IGNORE}\nconst a = 1`,
    'the checkers are not silenced',
  ],
  ['a silenced linter', 'src/operations/ledger/a.ts', `/* ${DISABLE} */ const a = 1`, 'the checkers are not silenced'],
  ['a path of a machine', 'docs/a.md', `see ${HOME}/notes`, 'no path of one particular machine'],
  ['a path of a machine in code', 'tools/a.mjs', `const a = '${HOME}'`, 'no path of one particular machine'],
])('%s is reported', (_, path, text, sentence) => {
  expect(complaints(path, text)).toEqual([sentence])
})

test.each([
  ['the environment in an app', 'src/apps/a.ts', 'const a = process.env'],
  ['the environment in a test', 'src/operations/ledger/a.test.ts', 'const a = process.env'],
  ['the time in its room', 'src/platform/clock/index.ts', 'const a = Date.now()'],
  ['a date made from a number', 'src/operations/ledger/a.ts', 'const a = new Date(12)'],
  ['prose about a rule', 'src/operations/ledger/a.ts', '// any Date.now() would do\nconst a = 1'],
  ['a property called any', 'src/operations/ledger/a.ts', 'const a = { any: 1 }'],
  ['a URL', 'docs/a.md', `see https://example.com${HOME}`],
])('%s is allowed', (_, path, text) => {
  expect(complaints(path, text)).toEqual([])
})

test('the complaint says where', () => {
  expect(brokenRules(sourceFile('src/operations/ledger/a.ts', '// x\n\nconst a = Date.now()'))).toEqual([
    'src/operations/ledger/a.ts:3: time comes from a Clock (platform/clock)',
  ])
})

test.each([
  'from charging.wallet',
  'insert into charging.wallet',
  'update charging.wallet',
  'left join charging.wallet',
])('%s in the ledger is reported', (text) => {
  const file = sourceFile('src/operations/ledger/store.ts', `const a = sql\`select 1 from ledger.entry ${text}\``)
  expect(foreignSchemas(file, doors)).toEqual([
    'src/operations/ledger/store.ts:1: ledger names the schema charging, which is not its own',
  ])
})

test('columns of an alias are not schemas', () => {
  const file = sourceFile(
    'src/operations/ledger/store.ts',
    'const a = sql`select e.n from ledger.entry e where e.n = 1`',
  )
  expect(foreignSchemas(file, doors)).toEqual([])
})

test('a room without its furniture is reported', () => {
  const { charging: _, ...rest } = doors
  expect(missingFurniture(new Set(['src/operations/ledger/index.ts', 'src/platform/clock/README.md']), rest)).toEqual([
    'src/operations/ledger: the room has no README.md',
    'src/platform/clock/index.ts: the room has no door',
  ])
})

test('a file that is too long is reported, a long one is noted', () => {
  const file = (path: string, lines: number) => sourceFile(path, '\n'.repeat(lines))
  expect(lengths(file('src/a.ts', 401)).complaint).toBe('src/a.ts: 401 lines; at most 400')
  expect(lengths(file('src/a.ts', 201))).toEqual({ note: 'src/a.ts: 201 lines' })
  expect(lengths(file('src/a.ts', 200))).toEqual({})
  expect(lengths(file('src/kernel/README.md', 81)).complaint).toContain('one page')
})

test('a check that sees almost nothing fails', () => {
  expect(inspect([], {}).complaints).toEqual(['only 0 files seen: the check itself is broken'])
})
