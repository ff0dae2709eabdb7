import { afterAll, beforeAll, expect, test } from 'vitest'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import { script } from '#platform/postgres'
import { JOURNAL, YUAN, expectCoherent } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../test/sample-usage.ts'
import { createCharging } from './index.ts'

let database: FreshDatabase
const clock = manualClock(START_MS)
beforeAll(async () => {
  database = await freshDatabase({ max: 4 })
})
afterAll(() => database[Symbol.asyncDispose]())

const account = async (code: string): Promise<bigint> =>
  (await balances(database, code)).find((balance) => balance.account === code)?.amountPico ?? 0n

const charging = () => createCharging({ database, clock })

async function slice(gateway: string, tenant: string, amount: bigint): Promise<string> {
  const { epoch } = await charging().register({ gateway, journal: JOURNAL })
  const bucket = `wallet:${tenant}`
  const reply = await charging().grant({ gateway, epoch, seq: 1, bucket, min: `${amount}`, want: `${amount}` })
  if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
  return reply.slice.id
}

/** A tenant with one yuan in its wallet, of which nobody uses anything, and an overrun: the price of one request that came late. */
async function overdrawn(tenant: string): Promise<{ usageId: string; overrun: bigint }> {
  const own = charging()
  await database.transaction((tx) => own.openAccount(tx, { tenant, mode: 'available' }))
  await own.topup({ tenant, amountPico: YUAN, reference: tenant })
  const lost = await slice(`${tenant}-lost`, tenant, YUAN / 2n)
  clock.advance(600_000 + 3_600_000 + 60_000)
  await own.reclaimSlices(clock.nowMs())
  const other = await slice(`${tenant}-b`, tenant, YUAN)
  const late = sampleRecord(900, { gateway: `${tenant}-lost`, tenant, slice: lost })
  await own.ingest({ gateway: `${tenant}-lost`, records: [{ ...late, id: late.id.replace(/^req_../, idOf(tenant)) }] })
  await own.close({ gateway: `${tenant}-b`, journal: JOURNAL, slice: other, records: 0 })
  const overrun = BigInt(late.sellPico)
  expect(await own.balance(tenant)).toMatchObject({ postedPico: `${YUAN}`, overrunPico: `${overrun}` })
  return { usageId: late.id.replace(/^req_../, idOf(tenant)), overrun }
}

const idOf = (tenant: string): string => `req_${tenant.charCodeAt(0).toString().slice(-2).padStart(2, '0')}`

test('an overrun is paid before money is paid back', async () => {
  const { overrun } = await overdrawn('a')
  const withdraw = (reference: string, amountPico: bigint) =>
    database.transaction((tx) => charging().withdraw(tx, { tenant: 'a', amountPico, reference, memo: 'back' }))
  await expect(withdraw('all', YUAN)).rejects.toMatchObject({ type: { code: 'insufficient_balance' } })
  expect(await withdraw('rest', YUAN - overrun)).toEqual({ booked: true })
  expect(await withdraw('rest', YUAN - overrun)).toEqual({ booked: false })
  expect(await charging().balance('a')).toMatchObject({ postedPico: '0', overrunPico: '0' })
  expect(await account('1190:a')).toBe(0n)
  await expectCoherent(charging())
})

test('an overrun is paid before money goes to somebody else', async () => {
  const { overrun } = await overdrawn('b')
  const transfer = (reference: string, amountPico: bigint) =>
    charging().transferNow({ from: 'b', to: 'b2', amountPico, reference, memo: 'x' })
  await expect(transfer('all', YUAN)).rejects.toMatchObject({ type: { code: 'insufficient_balance' } })
  await transfer('some', YUAN / 2n)
  expect(await charging().balance('b')).toMatchObject({ postedPico: `${YUAN / 2n - overrun}`, overrunPico: '0' })
  await expectCoherent(charging())
})

test('a fee that is given back pays the overrun first', async () => {
  const own = charging()
  await own.topup({ tenant: 'c', amountPico: 3n * YUAN, reference: 'c0' })
  const fee = {
    tenant: 'c',
    amountPico: 3n * YUAN,
    taxPercent: 6,
    reference: 'c-f',
    memo: 'f',
    revenue: 'other',
  } as const
  await database.transaction((tx) => own.chargeFee(tx, fee))
  const { overrun } = await overdrawn('c')
  await database.transaction((tx) => own.chargeFee(tx, { ...fee, amountPico: YUAN, reference: 'c-g' }))
  const back = { feeReference: 'c-f', amountPico: 2n * YUAN, reference: 'c-b', memo: 'b' }
  for (let repeat = 0; repeat < 2; repeat++) await database.transaction((tx) => own.refundFee(tx, back))
  expect(await own.balance('c')).toMatchObject({ postedPico: `${2n * YUAN - overrun}`, overrunPico: '0' })
  await expectCoherent(own)
})

test('what was written off is not paid out when its usage is given back', async () => {
  const { usageId, overrun } = await overdrawn('d')
  const entries = [
    { account: '5030', amountPico: overrun },
    { account: '1190:d', amountPico: -overrun },
  ]
  const writeOff = { key: 'wo:d', kind: 'write_off', memo: 'bad debt', bookedAtMs: START_MS, evidence: null, facts: 1 }
  await database.transaction((tx) => charging().postReceivable(tx, { ...writeOff, entries }))
  expect(await charging().balance('d')).toMatchObject({ postedPico: `${YUAN}`, overrunPico: '0' })
  await charging().refundUsage({ usageId, by: 'ann', reason: 'empty answer', reference: 'r' })
  expect(await charging().balance('d')).toMatchObject({ postedPico: `${YUAN}`, overrunPico: '0' })
  expect(await account('5030')).toBe(0n)
  await expectCoherent(charging())
})

test('records of before there were lots pass the proof, and come back as money when they are corrected', async () => {
  const own = charging()
  const tenant = 'e'
  await own.topup({ tenant, amountPico: YUAN, reference: tenant })
  const id = await slice('gw-e', tenant, YUAN)
  const records = [1, 2].map((n) => sampleRecord(n * 41, { gateway: 'gw-e', tenant, slice: id }))
  await own.ingest({ gateway: 'gw-e', records })
  const spent = records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  // What migration 0014 leaves: records that name no lots, and one lot of what there was in the wallet.
  await database.rows(
    script(`
      begin;
      set local session_replication_role = replica;
      update charging.usage_record set lots = null, lot_amounts = null where tenant = 'e';
      update charging.lot set granted = remaining, reference = 'opening:e' where bucket = 'wallet:e';
      commit;
    `),
  )
  await expectCoherent(own)
  await own.refundUsage({ usageId: records[0]?.id ?? '', by: 'ann', reason: 'empty answer', reference: 'old' })
  await expectCoherent(own)
  const left = spent - BigInt(records[0]?.sellPico ?? '0')
  expect(await own.balance(tenant)).toMatchObject({ postedPico: `${YUAN - left}`, paidPico: `${YUAN - left}` })
  // An altered one is still noticed.
  await database.rows(
    script(`
      begin;
      set local session_replication_role = replica;
      update charging.usage_record set sell = sell + 1 where tenant = 'e' and id = '${records[1]?.id ?? ''}';
      commit;
    `),
  )
  expect((await own.verify()).ok).toBe(false)
})
