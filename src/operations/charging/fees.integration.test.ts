import { afterAll, beforeAll, expect, test } from 'vitest'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import type { Transaction } from '#platform/postgres'
import { YUAN, expectCoherent } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { START_MS, sheetById } from '../../../test/sample-usage.ts'
import { createCharging } from './index.ts'
import type { Charging } from './index.ts'

let database: FreshDatabase
const clock = manualClock(START_MS)
beforeAll(async () => {
  database = await freshDatabase({ max: 12 })
})
afterAll(() => database[Symbol.asyncDispose]())
const make = (on: FreshDatabase = database): Charging => createCharging({ database: on, clock })

const DAY_MS = 86_400_000
async function coherent(charging: Charging): Promise<void> {
  const reply = await charging.verify({ sheetById })
  expect(reply.checks.filter((check) => !check.ok)).toEqual([])
}

const within = <T>(work: (tx: Transaction) => Promise<T>, on: FreshDatabase = database): Promise<T> =>
  on.transaction(work)

const account = async (code: string, on: FreshDatabase = database): Promise<bigint> =>
  (await balances(on, code)).find((balance) => balance.account === code)?.amountPico ?? 0n

const remaining = async (charging: Charging, tenant: string): Promise<Record<string, string>> =>
  Object.fromEntries((await charging.lots({ tenant, limit: 100 })).map((lot) => [lot.reference, `${lot.remaining}`]))

test('fees take paid money and then credit, never gifts, and are refused whole', async () => {
  const charging = make()
  const fee = (reference: string, amountPico: bigint, more: object = {}) =>
    within((tx) =>
      charging.chargeFee(tx, {
        tenant: 'fees',
        amountPico,
        taxPercent: 6,
        reference,
        memo: reference,
        revenue: 'reservation',
        ...more,
      }),
    )
  await within(async (tx) => {
    await charging.openAccount(tx, { tenant: 'fees', creditLimitPico: 5n * YUAN })
    await charging.grantLot(tx, {
      tenant: 'fees',
      unit: 'CNY',
      source: 'gift',
      amount: 50n * YUAN,
      reference: 'fees-gift',
      memo: 'gift',
    })
  })
  await charging.topup({ tenant: 'fees', amountPico: 10n * YUAN, reference: 'fees-1' })
  await expect(fee('f0', 16n * YUAN)).rejects.toMatchObject({ type: { code: 'insufficient_balance' } })
  const now = clock.nowMs()
  const term = { fromMs: now, toMs: now + 10 * DAY_MS }
  expect(await fee('f1', 12n * YUAN, { recognise: term })).toMatchObject({ booked: true })
  expect(await fee('f1', 12n * YUAN, { recognise: term })).toMatchObject({ booked: false })
  await expect(fee('f1', 11n * YUAN)).rejects.toMatchObject({ type: { code: 'fee_reused' } })
  expect([await account('2000:fees'), await account('1110:fees'), await account('2001:fees')]).toEqual([
    0n,
    2n * YUAN,
    -50n * YUAN,
  ])
  const net = -(await account('2010:fees'))
  await charging.recogniseRevenue(now + 3 * DAY_MS + 1)
  expect(await charging.recogniseRevenue(now + 3 * DAY_MS + 1)).toEqual({ fees: 0 })
  const earned = (net * 3n * 2n + 10n) / 20n
  expect(await account('4010:fees')).toBe(-earned)
  // Half of it goes back: credit first, what was not earned first.
  await within((tx) =>
    charging.refundFee(tx, { feeReference: 'f1', amountPico: 6n * YUAN, reference: 'r1', memo: 'half' }),
  )
  expect([await account('2000:fees'), await account('1110:fees')]).toEqual([-4n * YUAN, 0n])
  await charging.recogniseRevenue(now + 11 * DAY_MS)
  expect(await account('2010:fees')).toBe(0n)
  await within((tx) =>
    charging.refundFee(tx, { feeReference: 'f1', amountPico: 6n * YUAN, reference: 'r2', memo: 'rest' }),
  )
  expect([await account('4010:fees'), await account('2000:fees')]).toEqual([0n, -10n * YUAN])
  expect(await remaining(charging, 'fees')).toMatchObject({ 'topup:fees-1': `${10n * YUAN}` })
  await coherent(charging)
})

test('money moves between wallets, out of them, and onto invoices, and wallets stay in step', async () => {
  const charging = make()
  await charging.topup({ tenant: 'from', amountPico: 3n * YUAN, reference: 'from-1' })
  const move = (amountPico: bigint, reference = 't1') =>
    within((tx) => charging.transfer(tx, { from: 'from', to: 'to', amountPico, reference, memo: 'moved' }))
  expect([await move(YUAN), await move(YUAN)]).toEqual([{ booked: true }, { booked: false }])
  await expect(move(2n * YUAN)).rejects.toMatchObject({ type: { code: 'transfer_reused' } })
  await expect(move(3n * YUAN, 't2')).rejects.toMatchObject({ type: { code: 'insufficient_balance' } })
  await within((tx) => charging.withdraw(tx, { tenant: 'from', amountPico: YUAN, reference: 'w1', memo: 'paid back' }))
  expect([await account('2000:from'), await account('2000:to'), await account('2400:from')]).toEqual([
    -YUAN,
    -YUAN,
    -YUAN,
  ])
  await within((tx) => charging.openAccount(tx, { tenant: 'post', creditLimitPico: YUAN }))
  await within((tx) =>
    charging.chargeFee(tx, {
      tenant: 'post',
      amountPico: YUAN,
      taxPercent: 6,
      reference: 'p1',
      memo: 'fee',
      revenue: 'other',
    }),
  )
  expect(await charging.balance('post')).toMatchObject({ availablePico: '0' })
  const invoice = (key: string, entries: { account: string; amountPico: bigint }[]) =>
    within((tx) =>
      charging.postReceivable(tx, {
        key,
        kind: 'invoice',
        memo: key,
        bookedAtMs: 0,
        entries,
        evidence: null,
        facts: 1,
      }),
    )
  for (const repeated of [false, true])
    expect(
      await invoice('i1', [
        { account: '1100:post', amountPico: YUAN + 7n },
        { account: '1110:post', amountPico: -YUAN },
        { account: '5020', amountPico: -7n },
      ]),
    ).toMatchObject({ repeated })
  await coherent(charging)
  await invoice('i1 paid', [
    { account: '1010', amountPico: YUAN + 7n },
    { account: '1100:post', amountPico: -YUAN - 7n },
  ])
  expect(await charging.balance('post')).toMatchObject({ postedPico: '0' })
  await coherent(charging)
})

test('what cannot be is refused: lots, definitions and shares that contradict themselves or what was there', async () => {
  const charging = make()
  const grant = (more: object) =>
    within((tx) =>
      charging.grantLot(tx, {
        tenant: 'odd',
        unit: 'std',
        source: 'package',
        amount: 5n,
        reference: 'odd',
        memo: 'odd',
        ...more,
      }),
    )
  await grant({})
  for (const [change, code] of [
    [{ amount: 6n }, 'lot_reused'],
    [{ tenant: 'even' }, 'lot_reused'],
    [{ reference: 'x', amount: 0n }, 'invalid_lot'],
    [{ reference: 'x', source: 'paid' }, 'invalid_lot'],
    [{ reference: 'x', unit: 'CNY' }, 'invalid_lot'],
    [{ reference: 'x', priority: 1001 }, 'invalid_lot'],
    [{ reference: 'x', expiresAtMs: 5 }, 'invalid_lot'],
  ] as const)
    await expect(grant(change), JSON.stringify(Object.keys(change))).rejects.toMatchObject({ type: { code } })
  const revoke = (change: object) => within((tx) => charging.revokeLot(tx, { reference: 'z', memo: 'z', ...change }))
  await expect(revoke({ lotReference: 'none' })).rejects.toMatchObject({ type: { code: 'unknown_lot' } })
  await charging.topup({ tenant: 'odd', amountPico: 5n, reference: 'odd-1' })
  const [paid] = (await charging.lots({ tenant: 'odd', limit: 9 })).filter(({ source }) => source === 'paid')
  await expect(revoke({ lot: paid?.id })).rejects.toMatchObject({ type: { code: 'invalid_lot' } })
  const end = within((tx) => charging.endDefinition(tx, { id: 'cap:none', atMs: 0 }))
  await expect(end).rejects.toMatchObject({ type: { code: 'unknown_definition' } })
  const share = within((tx) => charging.putShare(tx, { owner: 'odd', member: 'odd', fromMs: 0 }))
  await expect(share).rejects.toMatchObject({ type: { code: 'invalid_share' } })
  expect(await database.rows(sql`select 1 from charging.lot where reference = 'grant:x'`)).toEqual([])
  await expectCoherent(charging)
})
