import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UsageRecord } from '#contract'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import { JOURNAL, YUAN, expectCoherent, openSlice } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import type { FreshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord, sheetById } from '../../../../test/sample-usage.ts'
import type { Charging } from '../index.ts'
import { createCharging } from '../index.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase({ max: 16 })
})
afterAll(() => database[Symbol.asyncDispose]())

const clock = manualClock(START_MS)
const make = (on: FreshDatabase = database): Charging => createCharging({ database: on, clock })

test('records that break an invariant are kept aside with their reason and hold up nobody else', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  const open = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN })
  const good = sampleRecord(1, open)
  const poison: readonly (readonly [Partial<UsageRecord>, string])[] = [
    [{ slice: 'slc_none' }, 'unknown_slice'],
    [{ tenant: 'zeta' }, 'slice_of_other_tenant'],
    [{ gateway: 'gw-1' }, 'wrong_gateway'],
    [{ taxPico: `${YUAN * 9n}` }, 'tax_above_sell'],
    [{ holdPico: '0' }, 'sell_above_hold'],
    [{ slice: null }, 'charged_without_slice'],
    [{ holdPico: `${9n * YUAN}`, sellPico: `${9n * YUAN}` }, 'above_slice'],
    [{ buyPico: '9'.repeat(38) }, 'absurd_amount'],
    [{ slice: 'a\0b' }, 'malformed'],
    [{ model: '\ud800' }, 'malformed'],
    [{ ending: 'failed', sellPico: '1', holdPico: '1', taxPico: '0' }, 'failure_charged'],
  ]
  const records = [
    ...poison.map(([change], n) => sampleRecord(100 + n, { ...open, ...change })),
    good,
    sampleRecord(2, { ...open, status: 2 ** 50, durationMs: 1e300, ttftMs: 1e-7 }),
  ]
  const reply = await charging.ingest({
    gateway: 'gw-0',
    records,
    malformed: [{ id: 'unreadable', text: '{"x":"\\u0000"}' }],
  })
  expect(reply.accepted).toBe(2)
  expect(reply.quarantined.map((each) => each.reason)).toEqual([...poison.map(([, reason]) => reason), 'malformed'])
  expect(await charging.ingest({ gateway: 'gw-0', records: [good, { ...good, status: 201 }] })).toMatchObject({
    accepted: 0,
    duplicates: 1,
    quarantined: [{ reason: 'altered_duplicate' }],
  })
  const verdict = await charging.verify({ sheetById })
  expect(verdict.checks.filter((check) => !check.ok).map((check) => [check.name, check.disagreements.length])).toEqual([
    ['no usage record waits in quarantine', 13],
  ])
  expect(await charging.quarantine({ limit: 50 })).toHaveLength(13)
})

test('a record that was kept aside is posted when it comes again after the cause is gone', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  await charging.register({ gateway: 'gw-0', journal: JOURNAL })
  const early = sampleRecord(1, { tenant: 'acme', gateway: 'gw-0', slice: 'slc_gw-0_2_1' })
  expect(await charging.ingest({ gateway: 'gw-0', records: [early] })).toMatchObject({
    accepted: 0,
    quarantined: [{ reason: 'unknown_slice' }],
  })
  await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN })
  expect(await charging.ingest({ gateway: 'gw-0', records: [early] })).toMatchObject({ accepted: 1, quarantined: [] })
  await expectCoherent(charging)
})

test('deliveries from many connections, duplicated, overlapping and in any order, post every record once', async () => {
  const charging = make()
  const opens = await Promise.all(
    ['m-0', 'm-1', 'm-2'].map((gateway) =>
      openSlice(charging, { tenant: `many-${gateway}`, gateway, amount: 100n * YUAN }),
    ),
  )
  const batches = opens.flatMap((open, index) => {
    const records = Array.from({ length: 120 }, (_, n) =>
      sampleRecord(10_000 * (index + 1) + n, { ...open, ending: n % 11 === 0 ? 'failed' : 'completed' }),
    )
    return Array.from({ length: 12 }, (_, n) => {
      const start = (n * 37) % 90
      const part = records.slice(start, start + 30 + n)
      return { gateway: open.gateway, records: n % 2 === 0 ? part : part.toReversed() }
    })
  })
  const replies = await Promise.all([...batches, ...batches].map((batch) => charging.ingest(batch)))
  const distinct = new Set(batches.flatMap((batch) => batch.records.map((record) => record.id)))
  expect(replies.reduce((sum, reply) => sum + reply.accepted, 0)).toBe(distinct.size)
  expect(replies.flatMap((reply) => reply.quarantined)).toEqual([])
  await expectCoherent(charging)
})

test('deliveries that race without a wallet to wait for are posted once too', async () => {
  await using own = await freshDatabase({ max: 8 })
  const charging = make(own)
  const records = Array.from({ length: 50 }, (_, n) => sampleRecord(n, { slice: null, ending: 'failed' }))
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      charging.ingest({ gateway: 'gw-0', records: n % 2 ? records : records.slice(5) }),
    ),
  )
  expect(replies.reduce((sum, reply) => sum + reply.accepted, 0)).toBe(50)
  await expectCoherent(charging)
})

test('grants, closes, payments and deliveries on one hot wallet neither deadlock nor lose a pico', async () => {
  const charging = make()
  await charging.topup({ tenant: 'busy', amountPico: 50n * YUAN, reference: 'busy-0' })
  const life = async (gateway: string): Promise<bigint> => {
    const { epoch } = await charging.register({ gateway, journal: JOURNAL })
    let spent = 0n
    for (let seq = 1; seq <= 8; seq++) {
      const reply = await charging.grant({ gateway, epoch, seq, bucket: 'wallet:busy', min: '1', want: `${YUAN}` })
      if (reply.outcome !== 'granted') continue
      const slice = reply.slice.id
      const records = Array.from({ length: 10 }, (_, n) =>
        sampleRecord(1_000_000 * Number(gateway.slice(5)) + seq * 100 + n, { gateway, slice, tenant: 'busy' }),
      )
      await Promise.all([
        charging.ingest({ gateway, records }),
        charging.ingest({ gateway, records: records.slice(3) }),
        charging.topup({ tenant: 'busy', amountPico: 1n, reference: `${gateway}-${seq}` }),
      ])
      expect(await charging.close({ gateway, journal: JOURNAL, slice, records: 10 })).toEqual({ outcome: 'closed' })
      spent += records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
    }
    return spent
  }
  const spent = await Promise.all(Array.from({ length: 6 }, (_, n) => life(`busy-${n + 1}`)))
  expect(await charging.balance('busy')).toMatchObject({
    postedPico: `${50n * YUAN + 48n - spent.reduce((a, b) => a + b)}`,
    escrowedPico: '0',
  })
  await expectCoherent(charging)
})

test('several top-ups in one transaction do not deadlock with deliveries and with each other', async () => {
  const charging = make()
  const tenants = ['pair-a', 'pair-b']
  const opens = await Promise.all(
    tenants.map((tenant) => openSlice(charging, { tenant, gateway: `gw-${tenant}`, amount: 100n * YUAN })),
  )
  const pay = (n: number) =>
    database.transaction(async (tx) => {
      const order = n % 2 === 0 ? tenants : tenants.toReversed()
      await charging.lockForTopups(tx, order)
      for (const tenant of order)
        await charging.topupIn(tx, { tenant, amountPico: 3n, reference: `pair-${tenant}-${n}` })
    })
  const deliver = (n: number) => {
    const open = opens[n % 2] ?? opens[0]!
    return charging.ingest({ gateway: open.gateway, records: [sampleRecord(50_000_000 + n, open)] })
  }
  await Promise.all(Array.from({ length: 40 }, (_, n) => [pay(n), deliver(n)]).flat())
  await expectCoherent(charging)
})

test('any partition, order and duplication of the same records comes to the same totals', async () => {
  const outcomes = new Set<string>()
  const plan = fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer(), fc.boolean()), {
    minLength: 40,
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      await using own = await freshDatabase({ max: 3 })
      const charging = make(own)
      const open = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: 10n * YUAN })
      const batches = new Map<number, { record: UsageRecord; at: number }[]>()
      steps.forEach(([batch, at, twice], n) => {
        const record = sampleRecord(n, { ...open, ending: n % 7 === 0 ? 'interrupted' : 'completed' })
        for (const target of twice ? [batch, (batch + at) & 7] : [batch])
          batches.set(target, [...(batches.get(target) ?? []), { record, at }])
      })
      for (const batch of batches.values()) {
        const records = batch.toSorted((a, b) => a.at - b.at).map((each) => each.record)
        expect((await charging.ingest({ gateway: 'gw-0', records })).quarantined).toEqual([])
      }
      await expectCoherent(charging)
      const balances = await own.rows(sql`select account, amount from ledger.balance order by account`)
      const rollups = await own.rows(sql`select (r.*)::text as cell from charging.usage_rollup r order by 1`)
      outcomes.add(JSON.stringify([balances, rollups, await charging.balance('acme')]))
    }),
    { numRuns: 6 },
  )
  expect(outcomes.size).toBe(1)
})
