import { expect, test } from 'vitest'
import { roundToFen, taxInGross } from '#kernel'
import { balances } from '#ledger'
import { violatedConstraint } from '#platform/postgres'
import type { Database, Transaction } from '#platform/postgres'
import { NOVEMBER_MS, billingFixture, expectDocumentsCoherent, recordsIn } from '../../../test/billing.ts'
import { formatFen } from './model/fen.ts'

const DAY_MS = 86_400_000

test('a month of postpaid usage becomes one invoice, in fen, and the ledger says the same', async () => {
  await using own = await billingFixture()
  const { billing, charging, database, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(40, NOVEMBER_MS, slice)
  await charging.ingest({ gateway: 'gw-0', records })
  clock.advance(30 * DAY_MS)
  const result = await billing.run({ by: 'test' })
  expect(result).toMatchObject({ period: '2026-11', failures: [] })
  const [invoice] = result.documents
  expect(invoice).toMatchObject({
    kind: 'invoice',
    tenant: 'acme',
    state: 'sent',
    number: 'INV-2026-000001',
    coveredFen: 0n,
  })
  const byService = Map.groupBy(records, (record) => record.service)
  const lines = [...byService.values()].map((some) =>
    roundToFen(some.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)),
  )
  expect(invoice?.grossFen).toBe(lines.reduce((a, b) => a + b, 0n))
  expect(invoice?.dueFen).toBe(invoice?.grossFen)
  const taxed = lines.map((fen) => taxInGross(fen, 6))
  expect(invoice?.taxFen).toBe(taxed.reduce((sum, line) => sum + line.taxFen, 0n))
  const [receivable] = await balances(database, '1100:')
  expect(receivable).toMatchObject({ account: '1100:acme', amountPico: (invoice?.grossFen ?? 0n) * 10n ** 10n })
  expect((await balances(database, '1110:')).filter((each) => each.amountPico !== 0n)).toEqual([])
  await expectDocumentsCoherent(own)
})

test('prepaid usage becomes a statement with nothing due, and only its tax moves', async () => {
  await using own = await billingFixture()
  const slice = await own.prepaid('acme', 100n)
  await own.charging.ingest({ gateway: 'gw-0', records: recordsIn(400, NOVEMBER_MS, slice) })
  own.clock.advance(30 * DAY_MS)
  const { documents } = await own.billing.run({ by: 'test' })
  expect(documents).toHaveLength(1)
  expect(documents[0]).toMatchObject({ kind: 'statement', state: 'settled', number: 'STM-2026-000001', dueFen: 0n })
  const [billed] = await balances(own.database, '2200')
  expect(billed?.amountPico).toBe((documents[0]?.taxFen ?? 0n) * -(10n ** 10n))
  await expectDocumentsCoherent(own)
})

test('a second run changes nothing, also when runs race (I16)', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  for (const tenant of ['acme', 'zeta']) {
    const slice = await own.postpaid(tenant, 100n)
    await charging.ingest({ gateway: 'gw-0', records: recordsIn(30, NOVEMBER_MS, slice) })
  }
  clock.advance(30 * DAY_MS)
  const results = await Promise.all([1, 2, 3, 4].map(() => billing.run({ by: 'test' })))
  expect(results.flatMap((result) => result.documents)).toHaveLength(2)
  expect(results.flatMap((result) => result.failures)).toEqual([])
  const before = await billing.documents({ limit: 10 })
  expect((await billing.run({ by: 'test' })).documents).toEqual([])
  expect(await billing.documents({ limit: 10 })).toEqual(before)
  await expectDocumentsCoherent(own)
})

test('the end of the month in China decides, by completion; what arrives late is on the next document', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const decemberMs = Date.parse('2026-12-01T00:00:00+08:00')
  const [last, first] = recordsIn(2, NOVEMBER_MS, slice)
  if (!last || !first) throw new Error('no records')
  const late = { ...recordsIn(3, NOVEMBER_MS, slice)[2], completedAtMs: decemberMs - 5 } as typeof last
  const records = [
    { ...last, acceptedAtMs: decemberMs - 2_000, completedAtMs: decemberMs - 1 },
    { ...first, acceptedAtMs: decemberMs - 1, completedAtMs: decemberMs },
  ]
  await charging.ingest({ gateway: 'gw-0', records })
  await expect(billing.run({ period: '2026-11', by: 'test' })).rejects.toMatchObject({ type: { code: 'period_open' } })
  clock.advance(decemberMs - clock.nowMs())
  const november = (await billing.run({ period: '2026-11', by: 'test' })).documents
  expect(november[0]?.grossFen).toBe(roundToFen(BigInt(last.sellPico)))
  await charging.ingest({ gateway: 'gw-0', records: [late] })
  expect((await billing.run({ period: '2026-11', by: 'test' })).documents).toEqual([])
  clock.advance(31 * DAY_MS)
  const [december] = (await billing.run({ period: '2026-12', by: 'test' })).documents
  const { lines } = await billing.document(december?.id ?? '')
  expect(lines.map((line) => [line.period, line.revision])).toEqual(
    late.service === last.service
      ? [
          ['2026-11', 2],
          ['2026-12', 1],
        ]
      : [
          ['2026-11', 1],
          ['2026-12', 1],
        ],
  )
  const all = [...november, ...(december ? [december] : [])]
  expect(all.map((document) => document.number)).toEqual(['INV-2026-000001', 'INV-2027-000001'])
  await expectDocumentsCoherent(own)
})

test('whatever fails and races, numbers have no gaps', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock, database } = own
  const tenants = Array.from({ length: 8 }, (_, n) => `tenant-${n}`)
  for (const tenant of tenants) {
    const slice = await own.postpaid(tenant, 100n)
    await charging.ingest({ gateway: 'gw-0', records: recordsIn(10, NOVEMBER_MS, slice) })
  }
  clock.advance(30 * DAY_MS)
  let statements = 0
  const failing: Database = {
    ...database,
    transaction: (work, isolation) =>
      database.transaction((tx) => {
        const unlucky: Transaction = {
          ...tx,
          rows: (statement) => {
            // Every fifth statement of a transaction that may have taken its number already.
            if (statement.text.includes('insert into billing.event') && statements++ % 5 === 4)
              throw new Error('the disk is full')
            return tx.rows(statement)
          },
        }
        return work(unlucky)
      }, isolation),
  }
  const broken = own.billingWith({ database: failing })
  const attempts = await Promise.allSettled(
    tenants.flatMap((tenant) => [broken.run({ tenant, by: 'test' }), broken.run({ tenant, by: 'test' })]),
  )
  expect(attempts.some((attempt) => attempt.status === 'rejected')).toBe(true)
  await billing.run({ by: 'test' })
  const numbers = (await billing.documents({ limit: 100 }))
    .map((document) => document.number ?? '')
    .toSorted((a, b) => a.localeCompare(b))
  expect(numbers).toEqual(tenants.map((_, n) => `INV-2026-00000${n + 1}`))
  await expectDocumentsCoherent(own)
})

test('the database itself refuses to bill a charge twice or to change what was issued', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(10, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  await own.corrupt(`alter table billing.line disable trigger append_only`)
  const again = `insert into billing.line (document, position, charge, revision, from_gross, from_credit, from_tax, from_requests, from_tokens,
      to_gross, to_credit, to_tax, to_requests, to_tokens, from_seq, to_seq, period, description, service, sheet, tax_percent, gross_fen, net_fen, tax_fen, due_fen)
    select document, 90 + position, charge, REVISION, from_gross, from_credit, from_tax, from_requests, from_tokens,
      to_gross, to_credit, to_tax, to_requests, to_tokens, from_seq, to_seq, period, description, service, sheet, tax_percent, gross_fen, net_fen, tax_fen, due_fen
      from billing.line where position = 1`
  const refusal = async (work: Promise<unknown>) =>
    violatedConstraint(
      await work.then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
  expect(await refusal(own.corrupt(again.replace('REVISION', 'revision')))).toMatch(/line_once/)
  expect(
    await refusal(
      own.corrupt(again.replace('document, 90 + position', `'${invoice?.id ?? ''}', 90`).replace('REVISION', '3')),
    ),
  ).toMatch(/line_once_per_document|line_continues/)
  expect(
    await refusal(own.corrupt(`update billing.document set gross_fen = gross_fen + 1, net_fen = net_fen + 1`)),
  ).toBe('issued_document_stays')
  expect(await refusal(own.corrupt(`delete from billing.document`))).toBe('issued_document_stays')
})

test('nothing is issued to a tenant whose documents have been tampered with', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(10, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  await billing.run({ by: 'test' })
  await own.corrupt(
    `alter table billing.line disable trigger append_only; update billing.line set gross_fen = gross_fen + 1, net_fen = net_fen + 1`,
  )
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(20, NOVEMBER_MS + 20 * DAY_MS, slice).slice(10) })
  clock.advance(31 * DAY_MS)
  const { documents, failures } = await billing.run({ by: 'test' })
  expect(documents).toEqual([])
  expect(failures).toMatchObject([{ tenant: 'acme', code: 'double_billing' }])
  expect((await billing.verify()).checks.filter((check) => !check.ok).map((check) => check.name)).toEqual([
    'every charge is the sum of its days, and its lines say it once',
    'every document is the sum of its lines and is posted once',
  ])
})

test('the roll-up counts every posting once, however it is called', async () => {
  await using own = await billingFixture()
  const { billing, charging } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(500, NOVEMBER_MS, slice)
  await Promise.all([
    ...Array.from({ length: 20 }, (_, n) =>
      charging.ingest({ gateway: 'gw-0', records: records.slice(n * 25, n * 25 + 25) }),
    ),
    ...Array.from({ length: 10 }, () => billing.rollUp()),
  ])
  await Promise.all([billing.rollUp(), billing.rollUp()])
  await expectDocumentsCoherent(own)
  const found = await billing.reconcile('2026-11-23')
  expect(found).toMatchObject({ ok: true, differences: [] })
  expect(found.services.reduce((sum, service) => sum + service.requests, 0)).toBe(500)
  const rated = records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  expect(found.services.reduce((sum, service) => sum + service.toBeBilledPico, 0n)).toBe(rated)
})

test('documents of a charge never drift from its sum, however many months its records arrive in', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(60, NOVEMBER_MS, slice)
  for (const [from, to] of [
    [0, 1],
    [1, 7],
    [7, 8],
    [8, 60],
  ]) {
    await charging.ingest({ gateway: 'gw-0', records: records.slice(from, to) })
    clock.advance(31 * DAY_MS)
    await billing.run({ by: 'test' })
  }
  const documents = await billing.documents({ limit: 100 })
  expect(documents).toHaveLength(4)
  const sums = [...Map.groupBy(records, (record) => record.service).values()].map((some) =>
    roundToFen(some.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)),
  )
  const billed = documents.reduce((sum, document) => sum + document.grossFen, 0n)
  expect(formatFen(billed)).toBe(formatFen(sums.reduce((a, b) => a + b, 0n)))
  await expectDocumentsCoherent(own)
})

test('documents and their lines are read page by page, the oldest first, by whose they are and by their names', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  for (const tenant of ['acme', 'zeta']) {
    const slice = await own.postpaid(tenant, 100n)
    await charging.ingest({ gateway: 'gw-0', records: recordsIn(60, NOVEMBER_MS, slice) })
  }
  clock.advance(30 * 86_400_000)
  const { documents } = await billing.run({ by: 'test' })
  const lines = (await Promise.all(documents.map(({ id }) => billing.document(id)))).flatMap((each) => each.lines)
  const first = await billing.documentPage({ offset: 0, limit: 1 })
  const second = await billing.documentPage({ offset: 1, limit: 1 })
  expect([first.total, ...first.documents, ...second.documents].length).toBe(3)
  expect(new Set([...first.documents, ...second.documents].map(({ id }) => id))).toEqual(
    new Set(documents.map(({ id }) => id)),
  )
  const [line] = lines
  const name = `${line?.document ?? ''}:${line?.position ?? 0}`
  expect(await billing.linePage({ ids: [name, 'doc_x:1', 'x'], offset: 0, limit: 9 })).toMatchObject({
    total: 1,
    lines: [{ document: { id: line?.document }, line: { position: line?.position } }],
  })
  const mine = await billing.linePage({ tenants: ['acme'], offset: 0, limit: 99 })
  expect(mine.lines.every(({ document }) => document.tenant === 'acme')).toBe(true)
  expect((await billing.linePage({ offset: 0, limit: 1 })).total).toBe(lines.length)
  expect(await billing.documentPage({ states: ['onHold'], offset: 0, limit: 9 })).toEqual({ documents: [], total: 0 })
})
