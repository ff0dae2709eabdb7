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

test('tolerance settles small differences, a dispute is put aside and paid later, a penalty is taken off; all of it proves', async () => {
  await using database = await freshDatabase()
  await using stack = new AsyncDisposableStack()
  const tolerance = { absPico: 5_000_000n, bps: 0 }
  const world = await openWorld(database, stack, {
    termsOf: async () => ({ agreement: 'agr-1', taxPercent: 6, tolerance }),
    penaltiesOf: async () => [
      { id: 'sla-2026-11', kind: 'sla', amountPico: 10_000_000_000n, reason: 'available 99.1 %', evidence: 'abc' },
    ],
  })
  const { settlement } = world
  const records = await useNovember(world, { count: 120 })
  const dearer = (n: number): bigint => (n < 3 ? 2_000_000n : n === 3 ? 400_000_000_000n : 0n)
  const lines = records.map((record, n) => {
    const told = toldOf(record)
    const netPico = told.netPico + dearer(n)
    return csvLine({ ...told, netPico, taxPico: (netPico * 6n + 50n) / 100n })
  })
  const { id, state } = await importAndMatch(world, CSV_HEAD + lines.join(''))
  expect(state).toBe('discrepant')
  const sums = async () =>
    (await settlement.statement(id)).discrepancies.map((sum) => [sum.class, sum.state, sum.count])
  // Two of three small ones: a third would make them together more than the agreement lets pass.
  expect(await sums()).toEqual([
    ['price', 'auto_resolved', 2],
    ['price', 'open', 2],
  ])
  await settlement.decide({
    id,
    by: 'clerk',
    decision: { decision: 'dispute', class: 'price', reason: 'not our price' },
  })
  expect((await settlement.collectPenalties({ supplier: 'vllm', period: '2026-11', by: 'clerk' })).length).toBe(1)
  const penalty = { id: 'sla-2026-11', decision: 'approve', reason: 'the evidence says so' } as const
  await expect(settlement.decidePenalty({ ...penalty, by: 'clerk' })).rejects.toMatchObject({
    type: { code: 'same_person' },
  })
  await settlement.decidePenalty({ ...penalty, by: 'chief' })
  await settlement.setPayee(PAYEE, 'clerk')
  await settlement.agree({ id, by: 'clerk' })

  const settle = async () => {
    const run = await settlement.plan({ statement: id, by: 'clerk' })
    await settlement.review({ id: run.id, by: 'chief' })
    await settlement.approve({ id: run.id, by: 'chief' })
    const posted = await settlement.post({ id: run.id, by: 'clerk' })
    await settlement.pay({ id: run.id, by: 'clerk', reference: `bank-${run.id}` })
    return posted.figures
  }
  const first = await settle()
  expect(first).toMatchObject({ penaltyFen: 1n, nettedFen: 1n, heldPico: 400_002_000_000n, agreedPico: 4_000_000n })
  expect(await balanceOf(database, '2110:vllm')).toBe(0n)
  expect(await balanceOf(database, '2115:vllm')).toBe(-400_002_000_000n)
  expect(await balanceOf(database, '5070:vllm')).toBe(-10_000_000_000n)
  expect(await balanceOf(database, '1210:vllm')).toBe(0n)

  const [, big = 0] = (await settlement.discrepancies({ statement: id, state: 'disputed', after: 0, limit: 9 })).map(
    ({ number }) => number,
  )
  const half = { decision: 'adjust' as const, numbers: [big], amountPico: '200000000000', reason: 'met half-way' }
  const tooMuch = { ...half, amountPico: '400000000001' }
  await expect(settlement.decide({ id, by: 'clerk', decision: tooMuch })).rejects.toMatchObject({
    type: { code: 'amount_outside' },
  })
  await settlement.decide({ id, by: 'clerk', decision: half })
  expect(await settle()).toMatchObject({
    freedPico: 400_000_000_000n,
    releasedPico: 200_000_000_000n,
    netFen: 20n,
    taxFen: 1n,
  })
  expect(await balanceOf(database, '2115:vllm')).toBe(-2_000_000n)
  expect(await balanceOf(database, '2100:vllm')).toBe(0n)
  await expectVerified(world)
})
