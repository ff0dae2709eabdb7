import { expect, test } from 'vitest'
import { copyValue, integerFromNumeric, sql, sqlState, violatedConstraint } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'

test('values of every type survive the way to the database and back', async () => {
  await using database = await freshDatabase()
  const when = new Date('2026-03-01T00:30:00.123Z')
  const [row] = await database.rows<Record<string, unknown>>(sql`
    select ${9_007_199_254_740_993n}::int8 as big, ${[1n, 2n]}::int8[] as bigs, ${['a,b', 'c"d', null]}::text[] as texts,
           ${'123456789012345678901234567890'}::numeric as num, ${'2026-03-01'}::date as day, ${when}::timestamptz as at,
           ${[when]}::timestamptz[] as ats, ${true}::bool as yes, ${null}::text as nothing, ${Buffer.from([0, 255])}::bytea as bytes,
           count(*) as count from (values (1), (2)) as v
  `)
  expect(row).toEqual({
    big: 9_007_199_254_740_993n,
    bigs: [1n, 2n],
    texts: ['a,b', 'c"d', null],
    num: '123456789012345678901234567890',
    day: '2026-03-01',
    at: when,
    ats: [when],
    yes: true,
    nothing: null,
    bytes: Buffer.from([0, 255]),
    count: 2n,
  })
  expect(integerFromNumeric('123456789012345678901234567890')).toBe(123456789012345678901234567890n)
})

test('a nested statement keeps its parameters in order', async () => {
  await using database = await freshDatabase()
  const filter = sql`n > ${2} and n < ${5}`
  const rows = await database.rows<{ n: number }>(sql`
    select n from unnest(${[1, 2, 3, 4, 5]}::int[]) as n where ${filter} and n <> ${4}
  `)
  expect(rows).toEqual([{ n: 3 }])
})

test('a transaction that throws leaves nothing, and its connection is usable again', async () => {
  await using database = await freshDatabase({ max: 1 })
  await database.rows(sql`create table thing (id int primary key, constraint positive check (id > 0))`)
  const failed = database.transaction(async (tx) => {
    await tx.rows(sql`insert into thing values (1)`)
    await tx.rows(sql`insert into thing values (-1)`)
  })
  const error: unknown = await failed.catch((reason: unknown) => reason)
  expect(sqlState(error)).toBe('23514')
  expect(violatedConstraint(error)).toBe('positive')
  expect(await database.rows(sql`select * from thing`)).toEqual([])
})

test('a connection killed in the middle of a transaction is not given to the next caller', async () => {
  await using database = await freshDatabase({ max: 1 })
  const failed = database.transaction((tx) => tx.rows(sql`select pg_terminate_backend(pg_backend_pid())`))
  await expect(failed).rejects.toThrow()
  expect(await database.rows(sql`select 1 as one`)).toEqual([{ one: 1 }])
})

test('the isolation level asked for is the one in force', async () => {
  await using database = await freshDatabase()
  const [row] = await database.transaction(
    (tx) => tx.rows<{ level: string }>(sql`select current_setting('transaction_isolation') as level`),
    'serializable',
  )
  expect(row?.level).toBe('serializable')
})

/** What has a meaning in an array, in a row of `copy`, or in JSON. */
const hostile = [
  '',
  'NULL',
  '\\N',
  '\\.',
  'a"b',
  "a'b",
  'a\\b',
  '\t\n\r',
  '{a,b}',
  ' a ',
  '汉字 😀',
  '\\x00',
  'a\\',
  '"',
]

test('texts and bytes in lists arrive as they are', async () => {
  await using database = await freshDatabase({ max: 1 })
  const bytes = [Buffer.from([0, 92, 34, 255]), null]
  const [row] = await database.rows<{ texts: string[]; bytes: Buffer[]; none: string[] }>(sql`
    select ${[...hostile, null]}::text[] as texts, ${bytes}::bytea[] as bytes, ${[]}::text[] as none
  `)
  expect(row).toEqual({ texts: [...hostile, null], bytes, none: [] })
})

test('rows that are copied in arrive as they are, and a row that cannot fails the transaction with its constraint', async () => {
  await using database = await freshDatabase({ max: 1 })
  await database.rows(sql`create table thing (id int constraint one primary key, text text, big numeric)`)
  const lines = [...hostile, null]
    .map((text, id) => `${[copyValue(id), copyValue(text), copyValue(-(10n ** 30n))].join('\t')}\n`)
    .join('')
  const copy = sql`copy thing (id, text, big) from stdin`
  await database.transaction((tx) => tx.copy(copy, lines))
  const rows = await database.rows<{ text: string; big: string }>(sql`select text, big from thing order by id`)
  expect(rows).toEqual([...hostile, null].map((text) => ({ text, big: `-1${'0'.repeat(30)}` })))
  const error: unknown = await database
    .transaction((tx) => tx.copy(copy, '99\ta\t1\n0\tb\t1\n'))
    .catch((e: unknown) => e)
  expect([sqlState(error), violatedConstraint(error)]).toEqual(['23505', 'one'])
  const broken: unknown = await database
    .transaction((tx) => tx.copy(sql`copy nowhere from stdin`, ''))
    .catch((e: unknown) => e)
  expect(sqlState(broken)).toBe('42P01')
  expect(await database.rows(sql`select count(*)::int as n from thing`)).toEqual([{ n: hostile.length + 1 }])
})
