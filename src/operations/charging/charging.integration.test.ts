import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UsageRecord } from '#contract'
import { manualClock } from '#platform/clock'
import { script, sql, sqlState, violatedConstraint } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import type { Charging } from './index.ts'
import { createCharging } from './index.ts'
import { sampleRecord, sheetById, START_MS } from './sample.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase({ max: 16 })
})
afterAll(() => database[Symbol.asyncDispose]())

const YUAN = 10n ** 12n
const clock = manualClock(START_MS)
const make = (on: FreshDatabase = database): Charging => createCharging({ database: on, clock })

async function expectCoherent(charging: Charging): Promise<void> {
  const reply = await charging.verify({ sheetById })
  expect(reply.checks.filter((check) => !check.ok)).toEqual([])
  expect(reply.ok).toBe(true)
}

/** A tenant with money, a gateway, and a slice of the size asked for. */
async function openSlice(
  charging: Charging,
  { tenant, gateway, amount }: { tenant: string; gateway: string; amount: bigint },
) {
  await charging.topup({ tenant, amountPico: amount * 2n, reference: `pay-${tenant}-${gateway}` })
  const { epoch } = await charging.register(gateway)
  const reply = await charging.grant({ gateway, epoch, seq: 1, tenant, minPico: `${amount}`, wantPico: `${amount}` })
  if (reply.outcome !== 'granted') throw new Error(reply.outcome)
  return { slice: reply.slice.id, epoch, gateway, tenant }
}

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
    await Promise.all(gateways.map(async (gateway) => [gateway, (await charging.register(gateway)).epoch] as const)),
  )
  const replies = await Promise.all(
    Array.from({ length: 80 }, (_, n) => {
      const gateway = gateways[n % 4] ?? ''
      return charging.grant({
        gateway,
        epoch: epochs.get(gateway) ?? 0,
        seq: 1 + Math.floor(n / 4),
        tenant: 'hot',
        minPico: '70',
        wantPico: '70',
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
  const { epoch } = await charging.register('again-gw')
  const ask = (tenant = 'again') =>
    charging.grant({ gateway: 'again-gw', epoch, seq: 1, tenant, minPico: '10', wantPico: '100' })
  const replies = await Promise.all([ask(), ask(), ask(), ask()])
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1)
  expect(replies[0]).toMatchObject({ outcome: 'granted', slice: { amountPico: '100', tight: false } })
  expect(await charging.balance('again')).toMatchObject({ escrowedPico: '100' })
  await expect(ask('twice')).rejects.toMatchObject({ type: { code: 'grant_reused' } })
  await charging.close({ gateway: 'again-gw', slice: 'slc_again-gw_1_1', records: 0 })
  expect(await ask()).toMatchObject({ outcome: 'insufficient_balance' })
})

test('a gateway that was replaced gets no more grants, and its open slices stay listed', async () => {
  const charging = make()
  const { slice, epoch } = await openSlice(charging, { tenant: 'fence', gateway: 'fence-gw', amount: 100n })
  expect(await charging.register('fence-gw')).toEqual({ epoch: epoch + 1 })
  const old = { gateway: 'fence-gw', tenant: 'fence', minPico: '1', wantPico: '1' }
  expect(await charging.grant({ ...old, epoch, seq: 2 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, epoch, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, epoch: epoch + 5, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect(await charging.grant({ ...old, gateway: 'stranger', epoch: 1, seq: 1 })).toEqual({ outcome: 'fenced' })
  expect((await charging.openSlices('fence-gw')).slices.map((each) => [each.id, each.epoch])).toEqual([[slice, epoch]])
})

test('a gateway that takes over waits for grants of the epoch before, so that it sees all of them', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  await charging.topup({ tenant: 'acme', amountPico: YUAN, reference: 'takeover' })
  const { epoch } = await charging.register('gw-0')
  const waiting = async (): Promise<number> => {
    const [row] = await own.rows<{ waiting: bigint }>(
      sql`select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return Number(row?.waiting)
  }
  let pending: Promise<unknown>[] = []
  await own.transaction(async (tx) => {
    await tx.rows(sql`select 1 from charging.wallet where tenant = 'acme' for update`)
    const granted = charging.grant({ gateway: 'gw-0', epoch, seq: 1, tenant: 'acme', minPico: '1', wantPico: '5' })
    pending = [granted]
    await expect.poll(waiting, { timeout: 10_000 }).toBe(1)
    pending = [granted, charging.register('gw-0')]
    await expect.poll(waiting, { timeout: 10_000 }).toBe(2)
  })
  expect(await Promise.all(pending)).toMatchObject([{ outcome: 'granted' }, { epoch: epoch + 1 }])
  expect((await charging.openSlices('gw-0')).slices).toHaveLength(1)
})

test('a slice closes only when all its records are here, and then gives back exactly what is left', async () => {
  const charging = make()
  const open = await openSlice(charging, { tenant: 'closing', gateway: 'closing-gw', amount: YUAN })
  const records = [1, 2].map((n) => sampleRecord(n, open))
  const close = (n: number) => charging.close({ gateway: open.gateway, slice: open.slice, records: n })
  await charging.ingest({ gateway: open.gateway, records: records.slice(0, 1) })
  expect(await close(2)).toEqual({ outcome: 'missing', ingested: 1 })
  await charging.ingest({ gateway: open.gateway, records })
  expect(await close(2)).toEqual({ outcome: 'closed' })
  expect(await close(2)).toEqual({ outcome: 'closed' })
  const spent = records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  expect(await charging.balance('closing')).toMatchObject({ postedPico: `${2n * YUAN - spent}`, escrowedPico: '0' })
  await expect(charging.close({ gateway: 'other-gw', slice: open.slice, records: 0 })).rejects.toMatchObject({
    type: { code: 'unknown_slice' },
  })
  await expect(charging.close({ gateway: 'other-gw', slice: 'slc_none', records: 0 })).rejects.toMatchObject({
    type: { code: 'unknown_slice' },
  })
  await expectCoherent(charging)
})

test('only an operator releases an expired slice, and a charged record that comes later is kept aside', async () => {
  await using own = await freshDatabase()
  const charging = make(own)
  const open = await openSlice(charging, { tenant: 'lost', gateway: 'lost-gw', amount: YUAN })
  expect(await charging.releaseExpired({ graceMs: 0 })).toEqual([])
  clock.advance(600_000)
  expect(await charging.releaseExpired({ graceMs: 1 })).toEqual([])
  expect(await charging.releaseExpired({ graceMs: 0 })).toMatchObject([{ slice: open.slice, releasedPico: `${YUAN}` }])
  expect(await charging.balance('lost')).toMatchObject({ escrowedPico: '0' })
  const reply = await charging.ingest({
    gateway: open.gateway,
    records: [sampleRecord(1, open), sampleRecord(2, { ...open, ending: 'interrupted' })],
  })
  expect(reply).toMatchObject({ accepted: 1, quarantined: [{ reason: 'slice_closed' }] })
  const verdict = await charging.verify({ sheetById })
  expect(verdict.checks.filter((check) => !check.ok)).toMatchObject([{ name: 'no usage record waits in quarantine' }])
  expect(await charging.dismiss(sampleRecord(1).id)).toBe(1)
  await expectCoherent(charging)
})

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
  await charging.register('gw-0')
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
    const { epoch } = await charging.register(gateway)
    let spent = 0n
    for (let seq = 1; seq <= 8; seq++) {
      const reply = await charging.grant({ gateway, epoch, seq, tenant: 'busy', minPico: '1', wantPico: `${YUAN}` })
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
      expect(await charging.close({ gateway, slice, records: 10 })).toEqual({ outcome: 'closed' })
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

test('the database itself refuses a wallet or a slice below zero, and a usage record that is changed', async () => {
  const violated = async (text: string): Promise<string | undefined> => {
    try {
      await database.rows(script(text))
      return 'nothing'
    } catch (error) {
      return violatedConstraint(error) ?? sqlState(error)
    }
  }
  expect(await violated(`update charging.wallet set posted = -1, escrowed = 0 where tenant = 'twice'`)).toBe(
    'wallet_never_overspent',
  )
  expect(await violated(`update charging.wallet set escrowed = posted + 1 where tenant = 'twice'`)).toBe(
    'wallet_never_overspent',
  )
  expect(await violated(`update charging.wallet set escrowed = -1 where tenant = 'twice'`)).toBe(
    'wallet_never_overspent',
  )
  expect(await violated(`update charging.slice set settled = amount + 1`)).toBe('slice_never_overspent')
  for (const table of ['usage_record', 'topup']) {
    expect(await violated(`update charging.${table} set tenant = 'x'`)).toBe('23000')
    expect(await violated(`delete from charging.${table}`)).toBe('23000')
  }
})

test('the views agree with the records: sums by group, by minute, requests, postings, explanation', async () => {
  await using own = await freshDatabase()
  const at = manualClock(START_MS + 600_000)
  const charging = createCharging({ database: own, clock: at })
  const acme = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: 10n * YUAN })
  const zeta = await openSlice(charging, { tenant: 'zeta', gateway: 'gw-0', amount: 10n * YUAN })
  const records = Array.from({ length: 50 }, (_, n) =>
    sampleRecord(n * 300, { ...(n % 2 === 0 ? acme : zeta), ending: n % 10 === 0 ? 'failed' : 'completed' }),
  )
  await charging.ingest({ gateway: 'gw-0', records })
  const sell = (some: readonly UsageRecord[]) => `${some.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)}`
  const tenants = await charging.usage({ by: 'tenant' })
  expect(tenants.map((row) => [row.group, row.requests, row.failed, row.sellPico])).toEqual([
    ['acme', 25, 5, sell(records.filter((record) => record.tenant === 'acme'))],
    ['zeta', 25, 0, sell(records.filter((record) => record.tenant === 'zeta'))],
  ])
  for (const by of ['service', 'supplier', 'key', 'hour'] as const) {
    const rows = await charging.usage({ by, tenant: 'acme' })
    expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(25)
    expect(`${rows.reduce((sum, row) => sum + BigInt(row.sellPico), 0n)}`).toBe(tenants[0]?.sellPico)
  }
  expect((await charging.usage({ by: 'hour' }))[0]?.group).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00Z$/)
  const minute = START_MS - (START_MS % 60_000) + 60_000
  const inMinute = records.filter((record) => record.completedAtMs >= minute && record.completedAtMs < minute + 60_000)
  expect(inMinute.length).toBeGreaterThan(0)
  expect(
    (await charging.usage({ by: 'key', fromMs: minute, toMs: minute + 60_000 })).reduce(
      (sum, row) => sum + row.requests,
      0,
    ),
  ).toBe(inMinute.length)
  const points = await charging.live({ minutes: 12 })
  expect(points).toHaveLength(12)
  expect(points.reduce((sum, point) => sum + point.requests, 0)).toBe(50)
  const point = points.find((each) => each.minuteMs === minute)
  expect(point?.sellPico).toBe(sell(inMinute))
  expect(point?.ttftMsP50).toBeGreaterThan(0)
  expect(point?.outputTokensPerSecond).toBeGreaterThan(0)
  expect(points.find((each) => each.requests === 0)).toMatchObject({ ttftMsP50: null, outputTokensPerSecond: null })
  const page = await charging.requests({ limit: 10 })
  expect(page.map((row) => row.id)).toEqual(
    records
      .map((record) => record.id)
      .toReversed()
      .slice(0, 10),
  )
  expect(
    (await charging.requests({ limit: 99, tenant: 'zeta', before: page[9]?.id ?? '' })).every(
      (row) => row.tenant === 'zeta' && row.id < (page[9]?.id ?? ''),
    ),
  ).toBe(true)
  const [mine, payment, ...more] = await charging.postings({ tenant: 'acme', limit: 5 })
  expect(mine).toMatchObject({ kind: 'usage', records: 50 })
  expect(mine?.entries.find((entry) => entry.account === '2000:acme')?.amountPico).toBe(tenants[0]?.sellPico)
  expect(payment).toMatchObject({ kind: 'topup', memo: 'top-up pay-acme-gw-0' })
  expect(more).toEqual([])
  const [all, next] = await charging.postings({ limit: 2 })
  expect(all?.entries.length).toBeGreaterThan(4)
  expect((await charging.postings({ limit: 1, before: all?.id ?? '' }))[0]?.id).toBe(next?.id)
  const told = await charging.explain(records[1]?.id ?? '')
  expect(told.record).toEqual(records[1])
  expect(told.posting?.id).toBe(all?.id)
  expect(told.shares.reduce((sum, share) => sum + BigInt(share.amountPico), 0n)).toBe(0n)
  expect(told.shares.find((share) => share.account === '2000:zeta')?.amountPico).toBe(records[1]?.sellPico)
  await expect(charging.explain('req_none')).rejects.toMatchObject({ type: { code: 'unknown_request' } })
})
