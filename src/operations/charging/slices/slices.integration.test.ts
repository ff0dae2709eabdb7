import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { script, sql, sqlState, violatedConstraint } from '#platform/postgres'
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

test('a payment is booked once, however often and however concurrently it is reported', async () => {
  const charging = make()
  const pay = () => charging.topup({ tenant: 'twice', amountPico: 5n * YUAN, reference: 'bank-1' })
  const replies = await Promise.all([pay(), pay(), pay(), pay(), pay(), pay()])
  expect(new Set(replies.map((reply) => reply.postedPico))).toEqual(new Set([`${5n * YUAN}`]))
  await expect(charging.topup({ tenant: 'twice', amountPico: YUAN, reference: 'bank-1' })).rejects.toMatchObject({
    type: { code: 'topup_reused' },
  })
  await expect(charging.topup({ tenant: 'other', amountPico: 5n * YUAN, reference: 'bank-1' })).rejects.toMatchObject({
    type: { code: 'topup_reused' },
  })
  for (const amountPico of [0n, -1n, 10n ** 26n]) {
    await expect(charging.topup({ tenant: 'twice', amountPico, reference: 'bank-2' })).rejects.toMatchObject({
      type: { code: 'invalid_amount' },
    })
  }
  expect(await charging.balance('nobody')).toMatchObject({ postedPico: '0', availablePico: '0' })
  await expectCoherent(charging)
})

test('many gateways asking at once never get more than the wallet holds', async () => {
  const charging = make()
  await charging.topup({ tenant: 'hot', amountPico: 1_000n, reference: 'hot-1' })
  const gateways = ['h-0', 'h-1', 'h-2', 'h-3']
  const epochs = new Map(
    await Promise.all(
      gateways.map(
        async (gateway) => [gateway, (await charging.register({ gateway, journal: JOURNAL })).epoch] as const,
      ),
    ),
  )
  const replies = await Promise.all(
    Array.from({ length: 80 }, (_, n) => {
      const gateway = gateways[n % 4] ?? ''
      return charging.grant({
        gateway,
        epoch: epochs.get(gateway) ?? 0,
        seq: 1 + Math.floor(n / 4),
        bucket: 'wallet:hot',
        min: '70',
        want: '70',
      })
    }),
  )
  const granted = replies.filter((reply) => reply.outcome === 'granted')
  expect(granted).toHaveLength(14)
  expect(replies.filter((reply) => reply.outcome === 'insufficient_balance')).toHaveLength(66)
  expect(await charging.balance('hot')).toMatchObject({ postedPico: '1000', escrowedPico: '980', availablePico: '20' })
  expect(granted.filter((reply) => reply.outcome === 'granted' && reply.slice.tight).length).toBeGreaterThan(0)
  await expectCoherent(charging)
})

test('repeating a grant gives the same slice and takes nothing more, also when the repetitions race', async () => {
  const charging = make()
  await charging.topup({ tenant: 'again', amountPico: 1_000n, reference: 'again-1' })
  const { epoch } = await charging.register({ gateway: 'again-gw', journal: JOURNAL })
  const ask = (tenant = 'again') =>
    charging.grant({ gateway: 'again-gw', epoch, seq: 1, bucket: `wallet:${tenant}`, min: '10', want: '100' })
  const replies = await Promise.all([ask(), ask(), ask(), ask()])
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1)
  expect(replies[0]).toMatchObject({ outcome: 'granted', slice: { amount: '100', tight: false } })
  expect(await charging.balance('again')).toMatchObject({ escrowedPico: '100' })
  await expect(ask('twice')).rejects.toMatchObject({ type: { code: 'grant_reused' } })
  await charging.close({ gateway: 'again-gw', journal: JOURNAL, slice: 'slc_again-gw_1_1', records: 0 })
  expect(await ask()).toMatchObject({ outcome: 'insufficient_balance' })
})

test('a gateway that was replaced gets no more grants, and its open slices stay listed', async () => {
  const charging = make()
  const { slice, epoch } = await openSlice(charging, { tenant: 'fence', gateway: 'fence-gw', amount: 100n })
  expect(await charging.register({ gateway: 'fence-gw', journal: JOURNAL })).toEqual({ epoch: epoch + 1 })
  const old = { gateway: 'fence-gw', bucket: 'wallet:fence', min: '1', want: '1' }
  expect(await charging.grant({ ...old, epoch, seq: 2 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, epoch, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, epoch: epoch + 5, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, gateway: 'stranger', epoch: 1, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect(
    (await charging.openSlices({ gateway: 'fence-gw', journal: JOURNAL })).slices.map((each) => [each.id, each.epoch]),
  ).toEqual([[slice, epoch]])
})

test('a gateway that takes over waits for grants of the epoch before, so that it sees all of them', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  await charging.topup({ tenant: 'acme', amountPico: YUAN, reference: 'takeover' })
  const { epoch } = await charging.register({ gateway: 'gw-0', journal: JOURNAL })
  const waiting = async (): Promise<number> => {
    const [row] = await own.rows<{ waiting: bigint }>(
      sql`select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return Number(row?.waiting)
  }
  let pending: Promise<unknown>[] = []
  await own.transaction(async (tx) => {
    await tx.rows(sql`select 1 from charging.bucket where id = 'wallet:acme' for update`)
    const granted = charging.grant({ gateway: 'gw-0', epoch, seq: 1, bucket: 'wallet:acme', min: '1', want: '5' })
    pending = [granted]
    await expect.poll(waiting, { timeout: 10_000 }).toBe(1)
    pending = [granted, charging.register({ gateway: 'gw-0', journal: JOURNAL })]
    await expect.poll(waiting, { timeout: 10_000 }).toBe(2)
  })
  expect(await Promise.all(pending)).toMatchObject([{ outcome: 'granted' }, { epoch: epoch + 1 }])
  expect((await charging.openSlices({ gateway: 'gw-0', journal: JOURNAL })).slices).toHaveLength(1)
})

test('a slice closes only when all its records are here, and then gives back exactly what is left', async () => {
  const charging = make()
  const open = await openSlice(charging, { tenant: 'closing', gateway: 'closing-gw', amount: YUAN })
  const records = [1, 2].map((n) => sampleRecord(n, open))
  const close = (n: number) =>
    charging.close({ gateway: open.gateway, journal: JOURNAL, slice: open.slice, records: n })
  await charging.ingest({ gateway: open.gateway, records: records.slice(0, 1) })
  expect(await close(2)).toEqual({ outcome: 'missing', ingested: 1 })
  await charging.ingest({ gateway: open.gateway, records })
  expect(await close(2)).toEqual({ outcome: 'closed' })
  expect(await close(2)).toEqual({ outcome: 'closed' })
  const spent = records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  expect(await charging.balance('closing')).toMatchObject({ postedPico: `${2n * YUAN - spent}`, escrowedPico: '0' })
  await expect(
    charging.close({ gateway: 'other-gw', journal: JOURNAL, slice: open.slice, records: 0 }),
  ).rejects.toMatchObject({
    type: { code: 'unknown_slice' },
  })
  await expect(
    charging.close({ gateway: 'other-gw', journal: JOURNAL, slice: 'slc_none', records: 0 }),
  ).rejects.toMatchObject({
    type: { code: 'unknown_slice' },
  })
  await expectCoherent(charging)
})

test('only an operator releases a slice, an hour after it expired, and a charged record that comes later is kept aside', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  const open = await openSlice(charging, { tenant: 'lost', gateway: 'lost-gw', amount: YUAN })
  const release = (slice = open.slice) => charging.releaseSlice({ slice, by: 'ann@example.com', reason: 'disk lost' })
  await expect(release()).rejects.toMatchObject({ type: { code: 'slice_in_use' } })
  await expect(release('slc_none')).rejects.toMatchObject({ type: { code: 'unknown_slice' } })
  clock.advance(600_000 + 3_600_000 - 1)
  await expect(release()).rejects.toMatchObject({ type: { code: 'slice_in_use' } })
  expect(await charging.slices({ limit: 9 })).toMatchObject([{ id: open.slice, state: 'open', settled: '0' }])
  clock.advance(1)
  expect(await release()).toMatchObject({ id: open.slice, state: 'released', amount: `${YUAN}` })
  expect(await release()).toMatchObject({ state: 'released' })
  expect(await charging.slices({ limit: 9 })).toEqual([])
  expect(await own.rows(sql`select released_by, released_reason from charging.slice`)).toEqual([
    { released_by: 'ann@example.com', released_reason: 'disk lost' },
  ])
  expect(await charging.balance('lost')).toMatchObject({ escrowedPico: '0' })
  const records = [sampleRecord(1, open), sampleRecord(2, { ...open, ending: 'interrupted' })]
  const reply = await charging.ingest({ gateway: open.gateway, records })
  expect(reply).toMatchObject({ accepted: 1, quarantined: [{ reason: 'slice_closed' }] })
  const verdict = await charging.verify({ sheetById })
  expect(verdict.checks.filter((check) => !check.ok)).toMatchObject([{ name: 'no usage record waits in quarantine' }])
  const [kept] = await charging.quarantine({ limit: 9 })
  expect(await charging.dismiss({ id: kept?.id ?? '', by: 'ann', reason: 'written off' })).toMatchObject({
    record: sampleRecord(1).id,
    state: 'dismissed',
  })
  await expectCoherent(charging)
})

test('the database itself refuses a wallet or a slice below zero, and a usage record that is changed', async () => {
  const violated = async (text: string): Promise<string | undefined> => {
    try {
      await database.rows(script(text))
      return 'nothing'
    } catch (error) {
      return violatedConstraint(error) ?? sqlState(error)
    }
  }
  expect(await violated(`update charging.bucket set posted = -1, escrowed = 0 where tenant = 'twice'`)).toBe(
    'bucket_never_overspent',
  )
  expect(await violated(`update charging.bucket set escrowed = posted + 1 where tenant = 'twice'`)).toBe(
    'bucket_never_overspent',
  )
  expect(await violated(`update charging.bucket set escrowed = -1 where tenant = 'twice'`)).toBe(
    'bucket_never_overspent',
  )
  expect(await violated(`update charging.slice set settled = amount + 1`)).toBe('slice_never_overspent')
  for (const table of ['usage_record', 'topup']) {
    expect(await violated(`update charging.${table} set tenant = 'x'`)).toBe('23000')
    expect(await violated(`delete from charging.${table}`)).toBe('23000')
  }
})
