import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PriceSheet, UsageRecord } from '#contract'
import { NO_TOKENS } from '#kernel'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import { script, sql } from '#platform/postgres'
import { JOURNAL, YUAN, expectCoherent } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import type { FreshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord, sheetById } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'
import type { Charging } from '../index.ts'

let database: FreshDatabase
const clock = manualClock(START_MS)
beforeAll(async () => {
  database = await freshDatabase({ max: 8 })
})
afterAll(() => database[Symbol.asyncDispose]())
const make = (): Charging => createCharging({ database, clock })

const account = async (code: string): Promise<bigint> =>
  (await balances(database, code)).find((balance) => balance.account === code)?.amountPico ?? 0n

async function slice(charging: Charging, gateway: string, bucket: string, amount: bigint): Promise<string> {
  const { epoch } = await charging.register({ gateway, journal: JOURNAL })
  const reply = await charging.grant({ gateway, epoch, seq: 1, bucket, min: `${amount}`, want: `${amount}` })
  if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
  return reply.slice.id
}

/** The sheet of a record, with all prices multiplied. */
const times =
  (factor: bigint) =>
  async (record: UsageRecord): Promise<PriceSheet | undefined> => {
    const sheet = await sheetById(record.sellSheet)
    if (!sheet) return undefined
    const { uncachedInput, cacheWrite, cacheRead, output, reasoning } = sheet.prices
    const more = (text: string) => `${BigInt(text) * factor}`
    return {
      ...sheet,
      id: `${sheet.id}*${factor}`,
      prices: {
        uncachedInput: more(uncachedInput),
        cacheWrite: more(cacheWrite),
        cacheRead: more(cacheRead),
        output: more(output),
        reasoning: more(reasoning),
      },
    }
  }

test('rating again mirrors what was booked, once per reference, and beyond the wallet it is an overrun that the next payment settles', async () => {
  const charging = make()
  const records = Array.from({ length: 5 }, (_, n) => sampleRecord(n * 41, { gateway: 'gw-r', tenant: 'again' }))
  const spent = records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  await charging.topup({ tenant: 'again', amountPico: spent * 2n, reference: 'again-1' })
  const id = await slice(charging, 'gw-r', 'wallet:again', spent)
  await charging.ingest({ gateway: 'gw-r', records: records.map((record) => ({ ...record, slice: id })) })
  await charging.close({ gateway: 'gw-r', journal: JOURNAL, slice: id, records: 5 })
  const filter = { tenant: 'again', fromMs: 0, toMs: START_MS * 2 }
  const decision = { by: 'ann', reason: 'wrong sheet' }
  const rerate = (factor: bigint, reference: string) =>
    charging.rerate({ ...decision, reference, which: { filter }, price: times(factor) })
  expect(await rerate(2n, 'double')).toEqual({ corrected: 5, unchanged: 0 })
  expect(await rerate(2n, 'double')).toEqual({ corrected: 0, unchanged: 5 })
  expect(await charging.balance('again')).toMatchObject({ postedPico: '0', overrunPico: '0' })
  await expectCoherent(charging)
  expect(await rerate(3n, 'triple')).toEqual({ corrected: 5, unchanged: 0 })
  expect(await charging.balance('again')).toMatchObject({ postedPico: '0', overrunPico: `${spent}` })
  expect(await account('1190:again')).toBe(spent)
  await expectCoherent(charging)
  await charging.topup({ tenant: 'again', amountPico: spent + 7n, reference: 'again-2' })
  expect(await charging.balance('again')).toMatchObject({ postedPico: '7', overrunPico: '0' })
  expect(await account('1190:again')).toBe(0n)
  await expectCoherent(charging)
  expect(await rerate(1n, 'back')).toEqual({ corrected: 5, unchanged: 0 })
  await expectCoherent(charging)
  const refund = { usageId: records[0]?.id ?? '', ...decision, reference: 'sorry' }
  expect(await charging.refundUsage(refund)).toEqual({ corrected: 1, unchanged: 0 })
  expect(await charging.refundUsage(refund)).toEqual({ corrected: 0, unchanged: 1 })
  // What was given back stays free.
  expect(await rerate(2n, 'late')).toEqual({ corrected: 4, unchanged: 1 })
  const versions = (await charging.corrections({ tenant: 'again', limit: 99 })).map(({ usageId, version }) => [
    usageId,
    version,
  ])
  expect(versions).toHaveLength(20)
  const { corrections } = await charging.explain(records[0]?.id ?? '')
  expect(
    corrections.map(({ version, kind, sellPico, by, reason }) => [version, kind, sellPico, by, reason]).at(-1),
  ).toEqual([4, 'refund', '0', 'ann', 'wrong sheet'])
  expect(corrections.map(({ kind }) => kind)).toEqual(['rerate', 'rerate', 'rerate', 'refund'])
  await expectCoherent(charging)
  await expect(charging.refundUsage({ ...refund, usageId: 'req_none' })).rejects.toMatchObject({
    type: { code: 'unknown_request' },
  })
})

test('a request that is given back returns its tokens and what they earned, lot by lot', async () => {
  const charging = make()
  const grant = (reference: string, amount: bigint, netPico: bigint, priority: number) =>
    database.transaction((tx) =>
      charging.grantLot(tx, {
        tenant: 'tok',
        unit: 'std',
        source: 'package',
        amount,
        reference,
        netPico,
        priority,
        memo: 'package',
      }),
    )
  await charging.topup({ tenant: 'tok', amountPico: YUAN, reference: 'tok-1' })
  await database.transaction((tx) =>
    charging.chargeFee(tx, {
      tenant: 'tok',
      amountPico: 30_003n,
      taxPercent: 0,
      reference: 'tok-f',
      memo: 'f',
      revenue: 'package',
    }),
  )
  await grant('tok-a', 70_000_000n, 10_001n, 1)
  await grant('tok-b', 900_000_000n, 20_002n, 2)
  const id = await slice(charging, 'gw-t', 'tokens:tok/std', 400_000_000n)
  const tokens = { ...NO_TOKENS, uncachedInput: 100 }
  const record = sampleRecord(900, {
    gateway: 'gw-t',
    tenant: 'tok',
    slice: null,
    tokens,
    sellPico: '0',
    taxPico: '0',
    draws: [
      {
        kind: 'tokens',
        bucket: 'tokens:tok/std',
        slice: id,
        held: '100000000',
        amount: '100000000',
        version: 'std@1',
        covered: tokens,
      },
    ],
  })
  expect(await charging.ingest({ gateway: 'gw-t', records: [record] })).toMatchObject({ accepted: 1 })
  const lots = async () =>
    (await charging.lots({ tenant: 'tok', limit: 9 })).map(({ reference, remaining, recognised }) => [
      reference,
      remaining,
      recognised,
    ])
  expect(await lots()).toContainEqual(['grant:tok-a', 0n, 10_001n])
  await charging.refundUsage({ usageId: record.id, by: 'ann', reason: 'empty answer', reference: 'x' })
  expect(await lots()).toContainEqual(['grant:tok-a', 70_000_000n, 0n])
  expect(await lots()).toContainEqual(['grant:tok-b', 900_000_000n, 0n])
  expect([await account('4010:tok'), await account('2010:tok'), await account('8020:std')]).toEqual([0n, -30_003n, 0n])
  await expectCoherent(charging)
})

test('a slice of a lost gateway is given back by itself where that is wanted, and what comes late never goes missing', async () => {
  const charging = make()
  for (const tenant of ['lost-a', 'lost-s']) await charging.topup({ tenant, amountPico: YUAN, reference: tenant })
  await database.transaction((tx) => charging.openAccount(tx, { tenant: 'lost-a', mode: 'available' }))
  const half = YUAN / 2n
  const [a, s] = [
    await slice(charging, 'gw-la', 'wallet:lost-a', half),
    await slice(charging, 'gw-ls', 'wallet:lost-s', half),
  ]
  const at = clock.nowMs() + 600_000 + 3_600_000 + 60_000
  expect(await charging.reclaimSlices(at - 1)).toEqual({ reclaimed: 0 })
  expect(await charging.reclaimSlices(at)).toEqual({ reclaimed: 1 })
  expect(await charging.balance('lost-a')).toMatchObject({ escrowedPico: '0' })
  expect(await charging.balance('lost-s')).toMatchObject({ escrowedPico: `${half}` })
  // All but a little is spent elsewhere before the first gateway's records come.
  const little = 1_000_000n
  await database.transaction((tx) =>
    charging.withdraw(tx, { tenant: 'lost-a', amountPico: YUAN - little, reference: 'wd', memo: 'paid back' }),
  )
  const late = [
    sampleRecord(800, { gateway: 'gw-la', tenant: 'lost-a', slice: a }),
    sampleRecord(801, { gateway: 'gw-la', tenant: 'lost-a', slice: a }),
  ]
  const price = late.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  expect(await charging.ingest({ gateway: 'gw-la', records: late })).toMatchObject({ accepted: 2, quarantined: [] })
  expect(await charging.balance('lost-a')).toMatchObject({ postedPico: '0', overrunPico: `${price - little}` })
  expect(
    await charging.ingest({
      gateway: 'gw-ls',
      records: [sampleRecord(802, { gateway: 'gw-ls', tenant: 'lost-s', slice: s })],
    }),
  ).toMatchObject({ accepted: 1 })
  await charging.topup({ tenant: 'lost-a', amountPico: YUAN, reference: 'lost-2' })
  expect(await charging.balance('lost-a')).toMatchObject({ overrunPico: '0', postedPico: `${YUAN - price + little}` })
  await expectCoherent(charging)
})

test('an altered correction, booking, fee or lot is named', async () => {
  const names = async (text: string): Promise<string[]> => {
    const undo = new Error('undo')
    let failed: string[] = []
    await expect(
      database.transaction(async (tx) => {
        await tx.rows(script(`set local session_replication_role = replica; ${text}`))
        const inside = { ...database, transaction: <T>(work: (inner: typeof tx) => Promise<T>) => work(tx) }
        const reply = await createCharging({ database: inside, clock }).verify()
        failed = reply.checks.filter((check) => !check.ok).map(({ name }) => name)
        throw undo
      }),
    ).rejects.toBe(undo)
    return failed
  }
  const [CORRECTIONS, BOOKINGS, DEFERRED, LOTS] = [
    'every correction continues what was booked before',
    'every booking is posted as it says',
    'deferred revenue is what packages and fees have not earned yet',
    'every lot is what was granted less what was used of it',
  ]
  expect(await names('select 1')).toEqual([])
  expect(await names(`update charging.correction set sell = sell + 1 where version = 1`)).toContain(CORRECTIONS)
  expect(await names(`update charging.correction set version = 9 where version = 4`)).toContain(CORRECTIONS)
  expect(await names(`delete from charging.correction where version = 1`)).toContain(CORRECTIONS)
  expect(await names(`update charging.lot_move set amount = amount + 1`)).toEqual(
    expect.arrayContaining([BOOKINGS, LOTS, CORRECTIONS]),
  )
  expect(
    await names(`update charging.booking set detail = jsonb_set(detail, '{amount}', '"5"') where kind = 'grant'`),
  ).toEqual([BOOKINGS])
  expect(await names(`delete from charging.booking where kind = 'grant'`)).toEqual([BOOKINGS])
  expect(await names(`update charging.booking set posting_id = 'pst_gone' where kind = 'withdrawal'`)).toContain(
    BOOKINGS,
  )
  expect(await names(`update charging.fee set refunded = refunded + 1`)).toEqual([DEFERRED])
  expect(await names(`update charging.lot set net = net + 1000 where reference = 'grant:tok-a'`)).toEqual(
    expect.arrayContaining([DEFERRED]),
  )
  expect(await names(`update charging.lot set recognised = recognised + 1 where reference = 'grant:tok-b'`)).toEqual([
    LOTS,
    DEFERRED,
  ])
  expect(await database.rows(sql`select count(*) as many from charging.correction`)).not.toEqual([{ many: 0n }])
})
