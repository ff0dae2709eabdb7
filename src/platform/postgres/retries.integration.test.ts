import { expect, test } from 'vitest'
import { script, sql, withRetries } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'

test('two transactions that lock each other out both succeed: one of them starts over', async () => {
  await using plain = await freshDatabase({ max: 3 })
  await plain.rows(script('create table public.pair (id text primary key, n integer not null)'))
  await plain.rows(sql`insert into public.pair values ('a', 0), ('b', 0)`)
  const database = withRetries(plain)
  let runs = 0
  const both = Promise.withResolvers<void>()
  const bump = (first: string, second: string) =>
    database.transaction(async (tx) => {
      await tx.rows(sql`update public.pair set n = n + 1 where id = ${first}`)
      runs += 1
      if (runs === 2) both.resolve()
      await both.promise
      await tx.rows(sql`update public.pair set n = n + 1 where id = ${second}`)
    })
  await Promise.all([bump('a', 'b'), bump('b', 'a')])
  // Three, or more where the machine is so slow that both noticed.
  expect(runs).toBeGreaterThan(2)
  expect(await plain.rows(sql`select n from public.pair order by id`)).toEqual([{ n: 2 }, { n: 2 }])
})

test('what failed for another reason is not tried again', async () => {
  await using plain = await freshDatabase({ max: 1 })
  let runs = 0
  const broken = withRetries(plain).transaction(async (tx) => {
    runs += 1
    await tx.rows(script('select 1 / 0'))
  })
  await expect(broken).rejects.toMatchObject({ code: '22012' })
  expect(runs).toBe(1)
})
