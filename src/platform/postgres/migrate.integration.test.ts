import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrate, openDatabase, schemaVersion, script, sql } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'

/** An empty ledger of migrations: the template already has the product's own, which would be unknown to these folders. */
async function emptyDatabase() {
  const database = await freshDatabase()
  await database.rows(script('drop schema if exists platform cascade'))
  return database
}

async function folder(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'tokenfactory-migrations-'))
  const write = (name: string, text: string) => writeFile(join(path, name), text)
  for (const [name, text] of Object.entries(files)) await write(name, text)
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

const names = async (database: Database) =>
  (await database.rows<{ name: string }>(sql`select name from platform.migration order by 1`)).map((row) => row.name)

test('migrations are applied in order, once, and new ones later', async () => {
  await using database = await emptyDatabase()
  await using dir = await folder({
    '0002_b.sql': 'insert into first values (2); insert into first values (3)',
    '0001_a.sql': 'create table first (n int)',
  })
  expect(await schemaVersion(database)).toBeUndefined()
  expect(await migrate(database, dir.path)).toEqual({ version: '0002_b', applied: ['0001_a', '0002_b'] })
  expect(await migrate(database, dir.path)).toEqual({ version: '0002_b', applied: [] })
  await dir.write('0003_c.sql', 'insert into first values (4)')
  expect(await migrate(database, dir.path)).toEqual({ version: '0003_c', applied: ['0003_c'] })
  expect(await schemaVersion(database)).toBe('0003_c')
  expect(await database.rows(sql`select n from first order by n`)).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }])
})

test('eight programs that start at once apply each migration once', async () => {
  await using database = await emptyDatabase()
  await using dir = await folder({
    '0001_a.sql': 'create table first (n int)',
    '0002_b.sql': 'insert into first values (1)',
  })
  const results = await Promise.all(
    Array.from({ length: 8 }, async () => {
      await using own = openDatabase(database.url, { max: 1 })
      return await migrate(own, dir.path)
    }),
  )
  expect(results.flatMap((result) => result.applied).toSorted()).toEqual(['0001_a', '0002_b'])
  expect(await database.rows(sql`select n from first`)).toEqual([{ n: 1 }])
})

test('a migration that fails leaves nothing of itself and can be corrected', async () => {
  await using database = await emptyDatabase()
  await using dir = await folder({
    '0001_a.sql': 'create table first (n int)',
    '0002_b.sql': 'create table second (n int); select 1/0',
  })
  await expect(migrate(database, dir.path)).rejects.toThrow('migration 0002_b failed: division by zero')
  expect(await names(database)).toEqual(['0001_a'])
  await dir.write('0002_b.sql', 'create table second (n int)')
  expect((await migrate(database, dir.path)).applied).toEqual(['0002_b'])
})

test('an edited migration is refused, but its line ends may change', async () => {
  await using database = await emptyDatabase()
  await using dir = await folder({ '0001_a.sql': 'create table first\n(n int)' })
  await migrate(database, dir.path)
  await dir.write('0001_a.sql', 'create table first\r\n(n int)')
  await migrate(database, dir.path)
  await dir.write('0001_a.sql', 'create table first (n bigint)')
  await expect(migrate(database, dir.path)).rejects.toThrow('migration 0001_a was edited after it had been applied')
})

test('a database that is newer than the program is refused', async () => {
  await using database = await emptyDatabase()
  await using newer = await folder({ '0001_a.sql': 'select 1', '0002_b.sql': 'select 1' })
  await migrate(database, newer.path)
  await using older = await folder({ '0001_a.sql': 'select 1' })
  await expect(migrate(database, older.path)).rejects.toThrow('newer than this program')
})

test('a migration slipped in between applied ones is refused', async () => {
  await using database = await emptyDatabase()
  await using dir = await folder({ '0001_a.sql': 'select 1', '0003_c.sql': 'select 1' })
  await migrate(database, dir.path)
  await dir.write('0002_b.sql', 'select 1')
  await expect(migrate(database, dir.path)).rejects.toThrow('0002_b sorts before 0003_c')
})

test.each([
  ['a name out of pattern', { 'first.sql': 'select 1' }, 'NNNN_words'],
  [
    'a number used twice',
    { '0001_a.sql': 'select 1', '0001_b.sql': 'select 1' },
    'two migrations have the number 0001',
  ],
])('%s is refused before anything runs', async (_, files, message) => {
  await using database = await emptyDatabase()
  await using dir = await folder(files)
  await expect(migrate(database, dir.path)).rejects.toThrow(message)
  expect(await schemaVersion(database)).toBeUndefined()
})
