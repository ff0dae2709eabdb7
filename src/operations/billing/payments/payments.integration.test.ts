import { expect, test } from 'vitest'
import type { UsageRecord } from '#contract'
import { roundToFen } from '#kernel'
import { balances } from '#ledger'
import { sql, sqlState } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { NOVEMBER_MS, billingFixture, expectDocumentsCoherent, recordsIn } from '../../../../test/billing.ts'
import { JOURNAL, YUAN } from '../../../../test/charging.ts'
import { sampleRecord } from '../../../../test/sample-usage.ts'
import { nextSequence } from '../run/store.ts'

const DAY_MS = 86_400_000

test('payments: partial, whole, too much, again, and without a document', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(900, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const due = invoice?.dueFen ?? 0n
  expect(due).toBeGreaterThan(10n)
  const pay = (reference: string, amountFen: bigint, document?: string) =>
    billing.pay({ reference, tenant: 'acme', amountFen, by: 'test', ...(document === undefined ? {} : { document }) })
  const before = await charging.balance('acme')
  expect(await pay('p1', 10n, invoice?.number ?? '')).toMatchObject({ booked: true, payment: { restFen: 0n } })
  expect((await billing.document(invoice?.id ?? '')).document).toMatchObject({
    state: 'partiallyPaid',
    coveredFen: 10n,
  })
  expect(await pay('p1', 10n, invoice?.number ?? '')).toMatchObject({ booked: false })
  await expect(pay('p1', 11n, invoice?.number ?? '')).rejects.toMatchObject({ type: { code: 'payment_reused' } })
  await expect(pay('p2', 0n)).rejects.toMatchObject({ type: { code: 'invalid_amount' } })
  await expect(pay('p2', 1n, 'INV-2026-000009')).rejects.toMatchObject({ type: { code: 'unknown_document' } })
  const races = await Promise.all([1, 2, 3].map(() => pay('p3', due + 500n)))
  expect(races.filter((race) => race.booked)).toHaveLength(1)
  expect((await billing.document(invoice?.id ?? '')).document).toMatchObject({ state: 'settled', coveredFen: due })
  const after = await charging.balance('acme')
  expect(BigInt(after.postedPico) - BigInt(before.postedPico)).toBe((due + 510n) * 10n ** 10n)
  expect(after.paidPico).toBe(`${510n * 10n ** 10n}`)
  await expectDocumentsCoherent(own)
})

test('credit notes: line by line, never above what is due, once per reference; the rest voids the invoice', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(900, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const id = invoice?.id ?? ''
  const grant = (reference: string, lines?: { position: number; grossFen: bigint }[]) =>
    billing.credit({ reference, document: id, reason: 'slow answers', by: 'test', ...(lines ? { lines } : {}) })
  const one = await grant('c1', [{ position: 1, grossFen: 5n }])
  expect(one).toMatchObject({
    made: true,
    document: { kind: 'credit_note', number: 'CRN-2026-000001', grossFen: -5n, state: 'settled' },
  })
  expect(await grant('c1', [{ position: 1, grossFen: 5n }])).toMatchObject({
    made: false,
    document: { id: one.document.id },
  })
  await expect(grant('c1', [{ position: 1, grossFen: 6n }])).rejects.toMatchObject({ type: { code: 'credit_reused' } })
  await expect(grant('c2', [{ position: 1, grossFen: 10n ** 9n }])).rejects.toMatchObject({
    type: { code: 'credit_above_due' },
  })
  await expect(grant('c2', [{ position: 9, grossFen: 1n }])).rejects.toMatchObject({ type: { code: 'unknown_line' } })
  const rest = await grant('c3')
  expect(rest.document.grossFen).toBe(5n - (invoice?.dueFen ?? 0n))
  expect((await billing.document(id)).document).toMatchObject({ state: 'settled' })
  await expect(grant('c4')).rejects.toMatchObject({ type: { code: 'invalid_amount' } })
  await expectDocumentsCoherent(own)
})

test('a wallet whose credit is used up to the last pico can be invoiced, rounded up', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock, database } = own
  const slice = await own.postpaid('acme', 100n)
  const count = roundedUp(recordsIn(200, NOVEMBER_MS, slice))
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(count, NOVEMBER_MS, slice) })
  const { credit } = await own.spentOf('acme')
  await charging.close({ gateway: 'gw-0', journal: JOURNAL, slice: slice.slice, records: count })
  await own.corrupt(
    `update charging.bucket set credit_limit = ${credit}, credit_agreed = ${credit} where id = 'wallet:acme'`,
  )
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const rounding = (invoice?.dueFen ?? 0n) * 10n ** 10n - credit
  expect(rounding).toBeGreaterThan(0n)
  expect((await charging.balance('acme')).availablePico).toBe('0')
  expect((await balances(database, '1110:'))[0]?.amountPico).toBe(0n)
  await billing.pay({ reference: 'all', tenant: 'acme', amountFen: invoice?.dueFen ?? 0n, by: 'test' })
  await expectDocumentsCoherent(own)
})

/** How many of the records are rounded up when they are billed, so that documents ask for more than was used. */
function roundedUp(records: readonly UsageRecord[]): number {
  for (let count = 100; count <= records.length; count++) {
    const services = [...Map.groupBy(records.slice(0, count), (record) => record.service).values()]
    const sums = services.map((some) => some.reduce((sum, record) => sum + BigInt(record.sellPico), 0n))
    if (sums.reduce((rest, sum) => rest + roundToFen(sum) * 10n ** 10n - sum, 0n) > 0n) return count
  }
  throw new Error('no number of records is rounded up')
}

test('fees are billed with the month in which they were charged, and what is given back is credited', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock, database } = own
  await own.postpaid('acme', 1000n)
  const fee = {
    tenant: 'acme',
    amountPico: 106n * YUAN,
    taxPercent: 6,
    reference: 'plan-1',
    memo: 'Plan of November',
  } as const
  await database.transaction((tx) => charging.chargeFee(tx, { ...fee, revenue: 'other' }))
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  expect(invoice).toMatchObject({ kind: 'invoice', grossFen: 10_600n, netFen: 10_000n, taxFen: 600n, dueFen: 10_600n })
  expect((await billing.document(invoice?.id ?? '')).lines).toMatchObject([
    { description: 'Plan of November', taxPercent: 6 },
  ])
  const refund = { feeReference: 'plan-1', amountPico: 53n * YUAN, reference: 'back-1', memo: 'half of it' }
  await database.transaction((tx) => charging.refundFee(tx, refund))
  clock.advance(31 * DAY_MS)
  const [credit] = (await billing.run({ by: 'test' })).documents
  expect(credit).toMatchObject({
    kind: 'credit_note',
    corrects: invoice?.id,
    grossFen: -5_300n,
    taxFen: -300n,
    state: 'settled',
  })
  expect((await billing.document(invoice?.id ?? '')).document).toMatchObject({
    state: 'partiallyPaid',
    coveredFen: 5_300n,
  })
  await billing.pay({ reference: 'rest', tenant: 'acme', amountFen: 5_300n, by: 'test' })
  expect((await billing.document(invoice?.id ?? '')).document.state).toBe('settled')
  expect((await charging.balance('acme')).postedPico).toBe('0')
  await expectDocumentsCoherent(own)
})

test('no request stands behind a fee', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock, database } = own
  const slice = await own.postpaid('acme', 1000n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(4, NOVEMBER_MS, slice) })
  const fee = { tenant: 'acme', amountPico: 106n * YUAN, taxPercent: 6, reference: 'plan-1', memo: 'Plan of November' }
  await database.transaction((tx) => charging.chargeFee(tx, { ...fee, revenue: 'other' }))
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const { lines } = await billing.document(invoice?.id ?? '')
  const counts = await Promise.all(
    lines.map(async ({ position, requests, service }) => {
      const behind = await billing.requests({ document: invoice?.id ?? '', position, limit: 10 })
      return [service === null, requests, behind.length]
    }),
  )
  expect(counts.filter(([isFee]) => isFee)).toEqual([[true, 0, 0]])
  expect(counts.filter(([isFee]) => !isFee).reduce((sum, [, , behind]) => sum + Number(behind), 0)).toBe(4)
})

test('money of a wallet is paid back once, and cannot be spent meanwhile', async () => {
  await using own = await billingFixture()
  const { billing, charging, database } = own
  await charging.topup({ tenant: 'acme', amountPico: 10n * YUAN, reference: 'p' })
  const ask = (amountFen: bigint) => billing.requestRefund({ reference: 'r', tenant: 'acme', amountFen, by: 'test' })
  expect((await Promise.all([ask(400n), ask(400n)])).map((refund) => refund.state)).toEqual(['requested', 'requested'])
  await expect(ask(500n)).rejects.toMatchObject({ type: { code: 'refund_reused' } })
  expect((await charging.balance('acme')).availablePico).toBe(`${6n * YUAN}`)
  await expect(
    billing.requestRefund({ reference: 'x', tenant: 'acme', amountFen: 601n, by: 'test' }),
  ).rejects.toMatchObject({ type: { code: 'insufficient_balance' } })
  for (let repeat = 0; repeat < 2; repeat++)
    expect(await billing.payRefund({ reference: 'r', by: 'test' })).toMatchObject({ state: 'paid' })
  await expect(billing.payRefund({ reference: 'x', by: 'test' })).rejects.toMatchObject({
    type: { code: 'unknown_refund' },
  })
  expect((await balances(database, '2400:'))[0]?.amountPico).toBe(0n)
  expect((await balances(database, '1000'))[0]?.amountPico).toBe(-4n * YUAN)
  await expectDocumentsCoherent(own)
})

test('what is overdue goes from stage to stage, and whoever decides about service hears of it and of its payment', async () => {
  await using own = await billingFixture()
  const heard: string[] = []
  const arrears = {
    setOverdue: async (_: unknown, debt: { reference: string }) => void heard.push(`overdue ${debt.reference}`),
    clear: async (_: unknown, debt: { reference: string }) => void heard.push(`clear ${debt.reference}`),
  }
  const billing = own.billingWith({ arrears })
  const slice = await own.postpaid('acme', 100n)
  await own.charging.ingest({ gateway: 'gw-0', records: recordsIn(300, NOVEMBER_MS, slice) })
  own.clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const id = invoice?.id ?? ''
  expect(await billing.dun()).toEqual([])
  const stages: string[] = []
  for (const days of [31, 14, 15]) {
    own.clock.advance(days * DAY_MS)
    for (let repeat = 0; repeat < 2; repeat++) expect(await billing.dun()).toMatchObject([{ tenant: 'acme' }])
    stages.push((await billing.document(id)).document.dunning)
  }
  expect(stages).toEqual(['reminded', 'warned', 'final'])
  await billing.pay({ reference: 'late', tenant: 'acme', amountFen: invoice?.dueFen ?? 0n, by: 'test' })
  expect(heard).toEqual([`overdue ${id}`, `overdue ${id}`, `overdue ${id}`, `clear ${id}`])
  expect(await billing.dun()).toEqual([])
})

test('what is corrected after it was invoiced is credited, request by request', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(300, NOVEMBER_MS, slice).map((record) => ({
    ...record,
    service: 'babbler',
    sellSheet: 'sell|babbler',
    buySheet: `buy|babbler|${record.supplier}|${record.model}`,
  }))
  await charging.ingest({ gateway: 'gw-0', records })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const given = records.slice(0, 100)
  for (const { id: usageId } of given)
    await charging.refundUsage({ usageId, by: 'test', reason: 'wrong model', reference: 'c' })
  clock.advance(31 * DAY_MS)
  const [credit] = (await billing.run({ by: 'test' })).documents
  const sum = (some: readonly UsageRecord[]) => some.reduce((total, record) => total + BigInt(record.sellPico), 0n)
  expect(credit).toMatchObject({ kind: 'credit_note', corrects: invoice?.id })
  expect((invoice?.grossFen ?? 0n) + (credit?.grossFen ?? 0n)).toBe(roundToFen(sum(records.slice(100))))
  expect((await billing.document(invoice?.id ?? '')).document.coveredFen).toBe(-(credit?.dueFen ?? 0n))
  const behind = await billing.requests({ document: credit?.id ?? '', position: 1, limit: 500 })
  expect(behind.map((each) => each.record.id)).toEqual(given.map((record) => record.id))
  expect(behind.reduce((total, each) => total + each.sellPico, 0n)).toBe(-sum(given))
  expect((await billing.reconcile('2026-11-23')).differences).toEqual([])
  await expectDocumentsCoherent(own)
})

test('a line that an operator credited is not credited above what it asked for when its usage is corrected', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(400, NOVEMBER_MS, slice).filter(({ service }) => service === 'babbler')
  await charging.ingest({ gateway: 'gw-0', records: records.slice(0, 60) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const due = invoice?.dueFen ?? 0n
  const kind = { document: invoice?.id ?? '', reason: 'slow answers', by: 'test' }
  await billing.credit({ ...kind, reference: 'c1', lines: [{ position: 1, grossFen: due - 3n }] })
  // What came late is billed by another document; what is corrected is taken from that one first.
  await charging.ingest({ gateway: 'gw-0', records: records.slice(60) })
  clock.advance(31 * DAY_MS)
  const [late] = (await billing.run({ by: 'test' })).documents
  for (const { id: usageId } of records)
    await charging.refundUsage({ usageId, by: 'test', reason: 'wrong model', reference: 'c' })
  clock.advance(31 * DAY_MS)
  const [note] = (await billing.run({ by: 'test' })).documents
  expect(note).toMatchObject({ kind: 'credit_note', dueFen: -(late?.dueFen ?? 0n) - 3n })
  expect((await billing.document(note?.id ?? '')).lines.map(({ dueFen }) => dueFen)).toEqual([
    -due - (late?.dueFen ?? 0n),
    due - 3n,
  ])
  expect((await balances(own.database, '1100:acme'))[0]?.amountPico).toBe(0n)
  await expect(billing.credit({ ...kind, reference: 'c2' })).rejects.toMatchObject({ type: { code: 'invalid_amount' } })
  await expectDocumentsCoherent(own)
  expect((await charging.balance('acme')).postedPico).toBe('0')
})

test('a run that makes an invoice and a credit note waits for both numbers before it holds up everybody who posts', async () => {
  await using own = await billingFixture()
  const { charging, clock, database } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(20, NOVEMBER_MS, slice)
  await charging.ingest({ gateway: 'gw-0', records })
  clock.advance(30 * DAY_MS)
  await own.billing.run({ by: 'test' })
  await charging.refundUsage({ usageId: records[0]?.id ?? '', by: 'test', reason: 'wrong model', reference: 'c' })
  const later = sampleRecord(77, slice)
  const acceptedAtMs = NOVEMBER_MS + 20 * DAY_MS
  await charging.ingest({ gateway: 'gw-0', records: [{ ...later, acceptedAtMs, completedAtMs: acceptedAtMs + 9 }] })
  clock.advance(31 * DAY_MS)
  const gaveWay: (string | undefined)[] = []
  const watched: Database = {
    ...database,
    transaction: (work, isolation) =>
      database.transaction(work, isolation).catch((error: unknown) => {
        gaveWay.push(sqlState(error))
        throw error
      }),
  }
  const issued = own.billingWith({ database: watched })
  const made = await database.transaction(async (tx) => {
    await nextSequence(tx, 'CRN', 2027)
    const running = issued.run({ by: 'test' })
    await untilSomebodyWaits(database)
    // Whoever has the number posts too; it must not find the run before it there.
    await charging.topupIn(tx, { tenant: 'zeta', amountPico: YUAN, reference: 'z' })
    return { running }
  })
  const { documents, failures } = await made.running
  expect(failures).toEqual([])
  expect(documents.map(({ kind }) => kind).toSorted()).toEqual(['credit_note', 'invoice'])
  expect(gaveWay).toEqual([])
})

async function untilSomebodyWaits(database: Database): Promise<void> {
  for (;;) {
    const waiting = await database.rows(sql`select pid from pg_stat_activity where wait_event_type = 'Lock'`)
    if (waiting.length > 0) return
  }
}

test('usage, runs, payments, credits and refunds at once neither deadlock nor lose a fen', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.topup({ tenant: 'acme', amountPico: 100n * YUAN, reference: 'paid' })
  const records = recordsIn(1_000, NOVEMBER_MS, slice)
  await charging.ingest({ gateway: 'gw-0', records: records.slice(0, 400) })
  clock.advance(30 * DAY_MS)
  const [first] = (await billing.run({ by: 'test' })).documents
  clock.advance(31 * DAY_MS)
  const work = Array.from({ length: 12 }, (_, n) => [
    charging.ingest({ gateway: 'gw-0', records: records.slice(400 + n * 50, 450 + n * 50) }),
    billing.run({ by: 'test' }),
    billing.rollUp(),
    billing.pay({ reference: `p${n % 6}`, tenant: 'acme', amountFen: 7n, by: 'test' }),
    billing.requestRefund({ reference: `r${n % 4}`, tenant: 'acme', amountFen: 10n, by: 'test' }),
    charging.refundUsage({ usageId: records[n]?.id ?? '', by: 'test', reason: 'test', reference: 'c' }),
    billing
      .credit({ reference: `c${n % 3}`, document: first?.id ?? '', reason: 'test', by: 'test' })
      .catch((error: unknown) => error),
  ]).flat()
  await Promise.all(work)
  clock.advance(31 * DAY_MS)
  await billing.run({ by: 'test' })
  await expectDocumentsCoherent(own)
})
