import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import type { Transaction } from '#platform/postgres'
import { JOURNAL, YUAN } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { START_MS, sampleRecord, sheetById } from '../../../test/sample-usage.ts'
import { createCharging } from './index.ts'
import type { Charging } from './index.ts'

let database: FreshDatabase
type LotGrant = Parameters<Charging['grantLot']>[1]
const clock = manualClock(START_MS)
beforeAll(async () => {
  database = await freshDatabase({ max: 12 })
})
afterAll(() => database[Symbol.asyncDispose]())
const make = (on: FreshDatabase = database): Charging => createCharging({ database: on, clock })
const within = <T>(work: (tx: Transaction) => Promise<T>, on: FreshDatabase = database): Promise<T> =>
  on.transaction(work)
async function coherent(charging: Charging): Promise<void> {
  const reply = await charging.verify({ sheetById })
  expect(reply.checks.filter((check) => !check.ok)).toEqual([])
}
const lot = (tenant: string, more: Partial<LotGrant>) =>
  ({ tenant, unit: 'CNY', source: 'gift', amount: YUAN, memo: 'x', reference: `l-${tenant}`, ...more }) as LotGrant

test('credit goes down as it is repaid', async () => {
  const charging = make()
  await within((tx) => charging.openAccount(tx, { tenant: 'cr', creditLimitPico: 10n * YUAN }))
  await within((tx) =>
    charging.chargeFee(tx, {
      tenant: 'cr',
      amountPico: 9n * YUAN,
      taxPercent: 6,
      reference: 'f-cr',
      memo: 'x',
      revenue: 'other',
    }),
  )
  await within((tx) => charging.openAccount(tx, { tenant: 'cr', creditLimitPico: 0n }))
  await within((tx) =>
    charging.postReceivable(tx, {
      key: 'pay-cr',
      kind: 'payment',
      memo: 'p',
      bookedAtMs: START_MS,
      evidence: null,
      facts: 1,
      entries: [
        { account: '1010', amountPico: 9n * YUAN },
        { account: '1110:cr', amountPico: -9n * YUAN },
      ],
    }),
  )
  expect(await charging.balance('cr')).toMatchObject({ availablePico: '0', creditLimitPico: '0' })
})

test('every lot whose time has come is turned in one run, however many there are of a bucket', async () => {
  const charging = make()
  const many = 510
  await within(async (tx) => {
    await charging.lockAccounts(tx, [{ tenant: 'many' }])
    for (let n = 0; n < many; n++)
      await charging.grantLot(tx, lot('many', { amount: 1n, reference: `m-${n}`, validFromMs: START_MS + 1_000 }))
  })
  expect(await charging.expireLots(START_MS + 999)).toEqual({ begun: 0, expired: 0 })
  expect(await charging.expireLots(START_MS + 1_000)).toEqual({ begun: many, expired: 0 })
  expect(await charging.balance('many')).toMatchObject({ postedPico: `${many}` })
}, 30_000)

test('paid money cannot expire', async () => {
  const charging = make()
  const grant = lot('px', { source: 'paid', expiresAtMs: START_MS + 1000 })
  await expect(within((tx) => charging.grantLot(tx, grant))).rejects.toMatchObject({ type: { code: 'invalid_lot' } })
})

test('what is nothing is booked too: a lot cancelled twice, a fee of zero', async () => {
  const charging = make()
  await within((tx) => charging.grantLot(tx, lot('ru', {})))
  await within((tx) => charging.revokeLot(tx, { lotReference: 'l-ru', reference: 'r1', memo: 'x' }))
  await within((tx) => charging.revokeLot(tx, { lotReference: 'l-ru', reference: 'r2', memo: 'x' }))
  await within((tx) =>
    charging.chargeFee(tx, {
      tenant: 'ru',
      amountPico: 0n,
      taxPercent: 6,
      reference: 'f-ru',
      memo: 'x',
      revenue: 'other',
    }),
  )
  await coherent(charging)
})

test('a record is accepted from a gateway that heard of a share before it began', async () => {
  const charging = make()
  await within((tx) => charging.putShare(tx, { owner: 'own', member: 'mem', fromMs: START_MS + 5000 }))
  await charging.topup({ tenant: 'own', amountPico: 10n * YUAN, reference: 'own-1' })
  const { epoch } = await charging.register({ gateway: 'gws', journal: JOURNAL })
  const reply = await charging.grant({
    gateway: 'gws',
    epoch,
    seq: 1,
    bucket: 'wallet:own',
    min: `${YUAN}`,
    want: `${YUAN}`,
  })
  if (reply.outcome !== 'granted') throw new Error('no')
  const base = sampleRecord(1, { gateway: 'gws', epoch, slice: reply.slice.id, tenant: 'mem' })
  const record = { ...base, payer: 'own' }
  expect((await charging.funding(database)).means.get('mem')?.length).toBe(2)
  expect(await charging.ingest({ gateway: 'gws', records: [record] })).toMatchObject({ accepted: 1 })
})

test('periods that nobody used are cleared away when they are over; what records drew on stays, and the books agree', async () => {
  const minutes = manualClock(START_MS + 400 * 86_400_000)
  const charging = createCharging({ database, clock: minutes })
  const id = 'throughput:pr.1/std'
  await within((tx) =>
    charging.putDefinition(tx, {
      ...{ id, tenant: 'pr', kind: 'throughput', unit: 'std', period: 'minute', amount: 1_000n },
      ...{ validFromMs: 0, validToMs: null, terms: { services: ['m'], window: null, overflow: 'next' } },
    }),
  )
  const { epoch } = await charging.register({ gateway: 'gw-pr', journal: JOURNAL })
  const slices: string[] = []
  for (let seq = 1; seq <= 4; seq++) {
    const bucket = `${id}@${Math.floor(minutes.nowMs() / 60_000)}`
    const reply = await charging.grant({ gateway: 'gw-pr', epoch, seq, bucket, min: '500', want: '500' })
    if (reply.outcome !== 'granted') throw new Error(JSON.stringify(reply))
    slices.push(reply.slice.id)
    minutes.advance(60_000)
  }
  const close = (slice: string) => charging.close({ gateway: 'gw-pr', journal: JOURNAL, slice, records: 0 })
  const left = async () =>
    (await database.rows<{ id: string }>(sql`select id from charging.bucket where tenant = 'pr' order by id`)).length
  // One slice is never given back, and stays until it is known what became of it.
  for (const slice of slices.slice(1)) await close(slice)
  expect(await charging.prunePeriods(minutes.nowMs() + 86_400_000 - 120_000)).toEqual({ pruned: 1 })
  expect(await left()).toBe(3)
  minutes.advance(2 * 86_400_000)
  expect(await charging.prunePeriods(minutes.nowMs())).toEqual({ pruned: 2 })
  expect(await charging.prunePeriods(minutes.nowMs())).toEqual({ pruned: 0 })
  expect(await left()).toBe(1)
  await coherent(charging)
})
