import { inflateRawSync } from 'node:zlib'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { NOVEMBER_MS, billingFixture, recordsIn } from '../../../../test/billing.ts'

const DAY_MS = 86_400_000

test('an invoice is recomputed from nothing but the columns of its CSV', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(1200, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const id = invoice?.id ?? ''
  const csv = await text(await billing.csv(id, { language: 'en' }))
  expect(await text(await billing.csv(id, { language: 'en' }))).toBe(csv)
  const [head = [], ...rows] = parseCsv(csv.replace(/^\uFEFF/, ''))
  const at = (row: string[], name: string) => row[head.indexOf(name)] ?? ''
  const lines = new Map<string, { pico: bigint; taxPercent: bigint }>()
  for (const row of rows) {
    let pico = 0n
    for (const name of ['input', 'cache_write', 'cache_read', 'output', 'reasoning'])
      pico +=
        (BigInt(at(row, `${name}_tokens`)) - BigInt(at(row, `${name}_covered`))) *
        decimal(at(row, `${name}_price_per_million`), 6)
    pico -= decimal(at(row, 'reservation_yuan'), 12)
    expect(decimal(at(row, 'amount_yuan'), 12)).toBe(pico)
    const billed = pico - decimal(at(row, 'gift_yuan'), 12)
    expect(decimal(at(row, 'billed_yuan'), 12)).toBe(billed)
    const line = at(row, 'line')
    lines.set(line, { pico: (lines.get(line)?.pico ?? 0n) + billed, taxPercent: BigInt(at(row, 'tax_percent')) })
  }
  expect(rows).toHaveLength(1200)
  const detail = await billing.document(id)
  expect(lines.size).toBe(detail.lines.length)
  for (const line of detail.lines) {
    const { pico = 0n, taxPercent = 0n } = lines.get(`${line.position}`) ?? {}
    // ROUND(sum, 2) and ROUND(gross / (1 + rate), 2), in whole fen.
    const gross = (pico + 5n * 10n ** 9n) / 10n ** 10n
    const net = (gross * 200n + 100n + taxPercent) / (2n * (100n + taxPercent))
    expect([gross, net, gross - net]).toEqual([line.grossFen, line.netFen, line.taxFen])
  }
})

test('from an invoice line down to its requests, page by page, each once', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(1200, NOVEMBER_MS, slice)
  for (let from = 0; from < records.length; from += 100)
    await charging.ingest({ gateway: 'gw-0', records: records.slice(from, from + 100) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const { lines } = await billing.document(invoice?.id ?? '')
  const seen: string[] = []
  for (const { position } of lines)
    for (let after: string | undefined; ;) {
      const page = await billing.requests({
        document: invoice?.number ?? '',
        position,
        limit: 77,
        ...(after === undefined ? {} : { after }),
      })
      seen.push(...page.map((each) => each.record.id))
      after = page.at(-1)?.cursor
      if (page.length < 77) break
    }
  expect(seen.toSorted()).toEqual(records.map((record) => record.id).toSorted())
  await expect(billing.document(invoice?.id ?? '', 'zeta')).rejects.toMatchObject({
    type: { code: 'unknown_document' },
  })
})

function decimal(source: string, places: number): bigint {
  const [whole = '0', fraction = ''] = source.split('.')
  return BigInt(whole + fraction.padEnd(places, '0'))
}

/** Enough of RFC 4180 for what has no line breaks inside. */
function parseCsv(source: string): string[][] {
  return source
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    )
}

test('the workbook has a row per request and is the same bytes for the same invoice', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  const slice = await own.postpaid('acme', 100n)
  await charging.ingest({ gateway: 'gw-0', records: recordsIn(120, NOVEMBER_MS, slice) })
  clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  const book = await billing.xlsx(invoice?.id ?? '', { language: 'zh-CN' })
  expect((await billing.xlsx(invoice?.id ?? '', { language: 'zh-CN' })).equals(book)).toBe(true)
  // No time of making it: 1980-01-01, the first that the format can write.
  expect(book.readUInt32LE(10)).toBe(0x0021_0000)
  const sheets = [...entriesOf(book)].filter(([name]) => name.startsWith('xl/worksheets/sheet'))
  expect(sheets.map(([, xml]) => xml.match(/<row /g)?.length)).toEqual([3, 121])
  for (const language of ['zh-CN', 'en'] as const) {
    const pdf = await billing.pdf(invoice?.id ?? '', { language })
    expect((await billing.pdf(invoice?.id ?? '', { language })).equals(pdf)).toBe(true)
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  }
})

/** The files in a ZIP archive, as text. */
function* entriesOf(archive: Buffer): Generator<[name: string, content: string]> {
  const end = archive.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  let at = archive.readUInt32LE(end + 16)
  for (let entry = 0; entry < archive.readUInt16LE(end + 10); entry++) {
    const nameBytes = archive.readUInt16LE(at + 28)
    const name = archive.toString('utf8', at + 46, at + 46 + nameBytes)
    const local = archive.readUInt32LE(at + 42)
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const packed = archive.subarray(from, from + archive.readUInt32LE(at + 20))
    yield [name, (archive.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed).toString('utf8')]
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
}
