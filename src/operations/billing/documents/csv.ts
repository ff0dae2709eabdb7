import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import { DETAIL_COLUMNS } from './columns.ts'
import type { DetailRow } from './detail.ts'
import type { Language } from './texts.ts'

/**
 * The token detail as CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read Chinese), made as it is read. Texts that a
 * spreadsheet would take for a formula are told to be text.
 */
export function detailCsv(rows: AsyncIterable<DetailRow>, language: Language): Readable {
  const writer = stringify({ bom: true, record_delimiter: 'windows' })
  const source = Readable.from(lines(rows, language), { objectMode: true, highWaterMark: 64 })
  source.on('error', (error) => writer.destroy(error))
  writer.on('close', () => source.destroy())
  source.pipe(writer)
  return writer
}

async function* lines(rows: AsyncIterable<DetailRow>, language: Language): AsyncGenerator<string[]> {
  yield DETAIL_COLUMNS.map(({ name }) => name[language])
  for await (const row of rows)
    yield DETAIL_COLUMNS.map(({ type, value }) => (type === 'text' ? harmless(value(row)) : value(row)))
}

/** OWASP's list of what begins a formula, with the full-width forms that spreadsheets take for the same. */
export function harmless(text: string): string {
  return /^[=+\-@\t\r\n＝＋－＠]/u.test(text) ? `'${text}` : text
}
