import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  hiddenImpurities,
  importsOf,
  inspect,
  isHomeless,
  mapFaults,
  readDoors,
  roomOf,
  rooms,
  violation,
} from './architecture.ts'

const doors = readDoors(readFileSync('package.json', 'utf8'))

/** The complaints about one line of code in one file. */
const complaints = (file: string, source: string) =>
  importsOf(file, source, doors).flatMap((each) => violation(each, doors) ?? [])

test.each([
  [
    'a door that does not exist',
    'src/operations/ledger/service.ts',
    `import { a } from '#nowhere'`,
    'there is no door #nowhere in package.json',
  ],
  [
    'a room that is not below',
    'src/operations/ledger/service.ts',
    `import { a } from '#charging'`,
    'ledger does not know charging',
  ],
  [
    'the same by a type',
    'src/operations/ledger/service.ts',
    `import type { A } from '#charging'`,
    'ledger does not know charging',
  ],
  [
    'the same by a re-export',
    'src/operations/ledger/index.ts',
    `export { a } from '#charging'`,
    'ledger does not know charging',
  ],
  [
    'the same by a dynamic import',
    'src/operations/ledger/service.ts',
    `await import('#charging')`,
    'ledger does not know charging',
  ],
  [
    'the database from production',
    'src/production/holds/slices.ts',
    `import { sql } from '#platform/postgres'`,
    'holds does not know platform/postgres',
  ],
  [
    'operations from production',
    'src/production/gateway/serve.ts',
    `import { a } from '#ledger'`,
    'production never imports operations: it gets snapshots',
  ],
  [
    'a room by a path',
    'src/operations/charging/service.ts',
    `import { a } from '../ledger/store.ts'`,
    'another room is entered by its door',
  ],
  [
    'a room by a path, in a test',
    'src/operations/charging/a.test.ts',
    `import { a } from '../ledger/store.ts'`,
    'another room is entered by its door',
  ],
  [
    'a protocol in a supplier',
    'src/production/suppliers/embedded/a.ts',
    `import { a } from '#protocols/openai-chat'`,
    'suppliers/embedded does not know protocols/openai-chat',
  ],
  ['an app', 'src/operations/ledger/service.ts', `import { a } from '../../apps/control.ts'`, 'nobody imports an app'],
  [
    'a test',
    'src/operations/ledger/service.ts',
    `import { a } from './model.test.ts'`,
    'production code does not import tests',
  ],
  [
    'a test helper, from an app',
    'src/apps/control.ts',
    `import { a } from '../../test/database.ts'`,
    'production code does not import tests',
  ],
  [
    'the console, from the server',
    'src/apps/control.ts',
    `import { a } from '../../web/main.tsx'`,
    'the server does not import the console',
  ],
  [
    'a server room, from the console',
    'web/console/a.ts',
    `import { a } from '#ledger'`,
    'the console sees the contract and the kernel only',
  ],
  ['Node, from the console', 'web/console/a.ts', `import { readFile } from 'node:fs'`, 'the console runs in a browser'],
  [
    'Node, from a model',
    'src/operations/ledger/model.ts',
    `import { randomBytes } from 'node:crypto'`,
    'the core is pure: it computes, it never does I/O',
  ],
  [
    'a package, from the kernel',
    'src/kernel/money.ts',
    `import { z } from 'zod'`,
    'the core is pure: it computes, it never does I/O',
  ],
  [
    'the store, from a model',
    'src/operations/ledger/model.ts',
    `import { a } from './store.ts'`,
    'the core is pure: it computes, it never does I/O',
  ],
  [
    'SQL outside a store',
    'src/operations/ledger/service.ts',
    `import { sql } from '#platform/postgres'`,
    'SQL lives in store.ts',
  ],
  [
    'SQL by another name',
    'src/operations/ledger/service.ts',
    `import { sql as q } from '#platform/postgres'`,
    'SQL lives in store.ts',
  ],
  ['the driver', 'src/operations/ledger/store.ts', `import pg from 'pg'`, 'pg is known in one place'],
])('%s is reported', (_, file, source, sentence) => {
  expect(complaints(file, source)).toEqual([sentence])
})

test.each([
  ['a room below, by its door', 'src/operations/charging/service.ts', `import { a } from '#ledger'`],
  ['a file of the own room', 'src/operations/charging/service.ts', `import { a } from './store.ts'`],
  [
    'the type of a transaction',
    'src/operations/ledger/service.ts',
    `import type { Transaction } from '#platform/postgres'`,
  ],
  [
    'the state of a failure in a service',
    'src/operations/ledger/service.ts',
    `import { sqlState } from '#platform/postgres'`,
  ],
  ['SQL in a store', 'src/operations/ledger/store.ts', `import { sql } from '#platform/postgres'`],
  ['a type in a model', 'src/operations/ledger/model.ts', `import type { Clock } from '#platform/clock'`],
  ['a digest in a model', 'src/operations/ledger/model.ts', `import { createHash } from 'node:crypto'`],
  ['a sibling in a model', 'src/operations/ledger/model.ts', `import { a } from './chain.ts'`],
  ['Node in a test of the console', 'web/kit/a.test.ts', `import { execFileSync } from 'node:child_process'`],
  ['the kernel in a model', 'src/operations/ledger/model.ts', `import { pico } from '#kernel'`],
  ['any room in an app', 'src/apps/control.ts', `import { a } from '#charging'`],
  ['any room in a test', 'src/operations/ledger/a.test.ts', `import { a } from '#charging'`],
  ['the contract in the console', 'web/console/a.ts', `import { InfoReply } from '#contract'`],
])('%s is allowed', (_, file, source) => {
  expect(complaints(file, source)).toEqual([])
})

test('a model that does I/O through a file of its room is reported', () => {
  const model = importsOf('src/operations/ledger/model.ts', `import { a } from './a.ts'`, doors)
  const a = importsOf('src/operations/ledger/a.ts', `import { b } from './b.ts'`, doors)
  const b = (source: string) => importsOf('src/operations/ledger/b.ts', source, doors)
  expect(hiddenImpurities([...model, ...a, ...b(`import { readFile } from 'node:fs'`)], doors)).toEqual([
    'src/operations/ledger/model.ts → src/operations/ledger/b.ts → node:fs: the core is pure: it computes, it never does I/O',
  ])
  expect(hiddenImpurities([...model, ...a, ...b(`import type { Clock } from '#platform/clock'`)], doors)).toEqual([])
})

test('a file outside every room is reported', () => {
  expect(isHomeless('src/operations/shared/util.ts', doors)).toBe(true)
  expect(isHomeless('src/helpers.ts', doors)).toBe(true)
  expect(isHomeless('src/operations/ledger/sub/a.ts', doors)).toBe(false)
  expect(isHomeless('src/apps/control.ts', doors)).toBe(false)
})

test('the deepest door decides the room', () => {
  expect(roomOf('src/production/protocols/openai-chat/decode.ts', doors)).toBe('protocols/openai-chat')
  expect(roomOf('src/production/metering/tokenizer/a.ts', doors)).toBe('metering')
})

test('a map with a cycle, an unknown room or no door is reported', () => {
  const two = { a: 'src/a/index.ts', b: 'src/b/index.ts' }
  expect(mapFaults({ a: ['b'], b: ['a'] }, two)).toEqual(['a lists b, which is not below it'])
  expect(mapFaults({ a: ['a'], b: [] }, two)).toEqual(['a lists a, which is not below it'])
  expect(mapFaults({ a: ['c'], b: [] }, two)).toEqual(['a lists c, which is not on the map'])
  expect(mapFaults({ a: [], b: [] }, { a: 'src/a/index.ts' })).toEqual([
    'b is on the map, but has no door in package.json',
  ])
  expect(mapFaults({ a: [] }, two)).toEqual(['#b is a door to no room of the map'])
  expect(mapFaults(rooms, doors)).toEqual([])
})

test('a check that sees almost nothing fails', () => {
  const { complaints: found } = inspect(new Map([['src/kernel/index.ts', '']]), doors)
  expect(found).toEqual(['only 1 files and 0 imports seen: the check itself is broken'])
})

test('code that does not parse is not skipped', () => {
  expect(() => importsOf('src/kernel/a.ts', 'import {', doors)).toThrow('src/kernel/a.ts')
})
