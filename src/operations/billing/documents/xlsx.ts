import writeExcelFile from 'write-excel-file/node'
import type { Row } from 'write-excel-file/node'
import { formatFen } from '../model/fen.ts'
import { tooManyRows } from '../problems.ts'
import type { FiledLine } from '../run/model.ts'
import { DETAIL_COLUMNS } from './columns.ts'
import { harmless } from './csv.ts'
import type { DetailRow } from './detail.ts'
import { textsOf } from './texts.ts'
import type { Language } from './texts.ts'
import { withoutTimes } from './zip-times.ts'

/** A workbook is made in memory and at one go, while nothing else runs, so there is a limit; CSV has none. */
const MOST_ROWS = 10_000

/**
 * The token detail as a workbook: the document's lines, and a row per request. Amounts that have more digits than a spreadsheet's
 * numbers keep are texts. Throws `too_many_rows`.
 */
export async function detailXlsx(
  rows: AsyncIterable<DetailRow>,
  { lines, language, most = MOST_ROWS }: { lines: readonly FiledLine[]; language: Language; most?: number },
): Promise<Buffer> {
  const data: Row[] = [DETAIL_COLUMNS.map(({ name }) => heading(name[language]))]
  for await (const row of rows) {
    if (data.length > most) throw tooManyRows({ most })
    data.push(
      DETAIL_COLUMNS.map(({ type, value }) =>
        type === 'text' ? { value: harmless(value(row)), type: String } : cellOf(value(row)),
      ),
    )
  }
  const texts = textsOf(language)
  const names = [
    texts.position,
    texts.description,
    texts.sheet,
    texts.month,
    texts.requests,
    texts.tokens,
    texts.taxRate,
    texts.net,
    texts.tax,
    texts.gross,
  ]
  const summary = [
    names.map(heading),
    ...lines.map((line): Row => [
      cellOf(`${line.position}`),
      { value: harmless(line.description), type: String },
      { value: harmless(line.sheet ?? ''), type: String },
      { value: line.period, type: String },
      cellOf(`${line.requests}`),
      cellOf(`${line.tokens}`),
      cellOf(`${line.taxPercent}`),
      ...[line.netFen, line.taxFen, line.grossFen].map((fen) => cellOf(formatFen(fen))),
    ]),
  ]
  const book = await writeExcelFile([
    {
      data: summary,
      sheet: language === 'zh-CN' ? '账单' : 'Lines',
      columns: names.map((_, index) => ({ width: index === 1 ? 40 : 16 })),
      stickyRowsCount: 1,
    },
    {
      data,
      sheet: language === 'zh-CN' ? 'Token 明细' : 'Token detail',
      columns: DETAIL_COLUMNS.map(() => ({ width: 18 })),
      stickyRowsCount: 1,
    },
  ]).toBuffer()
  return withoutTimes(book)
}

function heading(value: string) {
  return { value, type: String, fontWeight: 'bold', backgroundColor: '#EEF4FA' } as const
}

/** A number where a spreadsheet holds it exactly (15 significant digits), else the same digits as text. */
function cellOf(decimal: string) {
  if (decimal === '') return null
  const digits = decimal.replaceAll(/[-.]/g, '').replace(/^0+/, '').length
  return digits <= 15 ? { value: Number(decimal), type: Number } : { value: decimal, type: String }
}
