import { expect, test } from 'vitest'
import { balances } from '#ledger'
import type { Database } from '#platform/postgres'
import { expectCoherent } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import { CSV_HEAD, PAYEE, csvLine, importAndMatch, openWorld, toldOf, useNovember } from '../../../test/settlement.ts'
import type { World } from '../../../test/settlement.ts'

async function balanceOf(database: Database, account: string): Promise<bigint> {
  return (await balances(database, account)).find((each) => each.account === account)?.amountPico ?? 0n
}

async function expectVerified({ settlement, charging }: World): Promise<void> {
  const reply = await settlement.verify()
  expect(reply.checks.flatMap(({ disagreements }) => disagreements)).toEqual([])
  await expectCoherent(charging)
}

test('an honest month: import, match, agree, approve by another, post, pay; the accrual is zero and repeating posts nothing', async () => {
  await using database = await freshDatabase()
  await using stack = new AsyncDisposableStack()
  const world = await openWorld(database, stack)
  const { settlement } = world
  const records = await useNovember(world, { count: 200 })
  const accrued = records.reduce((sum, { buyPico }) => sum + BigInt(buyPico), 0n)
  expect(await balanceOf(database, '2110:vllm')).toBe(-accrued)

  const content = CSV_HEAD + records.map((record) => csvLine(toldOf(record))).join('')
  const statement = await importAndMatch(world, content)
  expect(statement.state).toBe('matched')
  expect((await settlement.statement(statement.id)).discrepancies).toEqual([])
  await settlement.setPayee(PAYEE, 'clerk')
  await settlement.agree({ id: statement.id, by: 'clerk' })
  const run = await settlement.plan({ statement: statement.id, by: 'clerk' })
  await expect(settlement.review({ id: run.id, by: 'clerk' })).rejects.toMatchObject({ type: { code: 'same_person' } })
  await settlement.review({ id: run.id, by: 'chief' })
  await expect(settlement.approve({ id: run.id, by: 'clerk' })).rejects.toMatchObject({ type: { code: 'same_person' } })
  await settlement.approve({ id: run.id, by: 'chief' })
  const posted = await settlement.post({ id: run.id, by: 'clerk' })
  expect(await balanceOf(database, '2110:vllm')).toBe(0n)
  const figures = posted.figures
  expect(figures?.taxFen).toBe(((figures?.netFen ?? 0n) * 6n + 50n) / 100n)
  expect(await balanceOf(database, '2100:vllm')).toBe(-(figures?.grossFen ?? 0n) * 10_000_000_000n)

  const before = await balances(database)
  await settlement.post({ id: run.id, by: 'clerk' })
  await expect(settlement.plan({ statement: statement.id, by: 'clerk' })).rejects.toMatchObject({
    type: { code: 'nothing_to_settle' },
  })
  expect(await balances(database)).toEqual(before)

  await settlement.pay({ id: run.id, by: 'clerk', reference: 'bank-1' })
  await settlement.pay({ id: run.id, by: 'clerk', reference: 'bank-1' })
  await settlement.close({ id: run.id, by: 'clerk' })
  expect(await balanceOf(database, '2100:vllm')).toBe(0n)
  expect((await settlement.statement(statement.id)).statement.state).toBe('settled')
  await expectVerified(world)
})
