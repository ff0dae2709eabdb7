import type { Row } from '../model/line.ts'
import { statementUnreadable } from '../problems.ts'
import { BATCH_ROWS, headingsOf } from './source.ts'
import type { RowBatch, Source } from './source.ts'
import { readXml, xmlPieces } from './xml.ts'
import { openZip } from './zip.ts'
import type { Zip } from './zip.ts'

/** ECMA-376, as far as a table of numbers and texts needs it: the first sheet, shared and inline strings. */
const MOST_PART_BYTES = 1 << 20
const MOST_STRINGS_BYTES = 256 << 20
const MOST_SHEET_BYTES = 2 ** 31
const MOST_STRING_CHARS = 32_767
const MOST_COLUMNS = 200

const broken = (what: string) => statementUnreadable({ flaw: 'not_xlsx', line: null, what })

/** The rows of a workbook's first sheet below its headings. A formula is refused: what it says depends on who opens it. */
export async function* xlsxRows(source: Source, wanted: readonly string[]): AsyncGenerator<RowBatch> {
  await using zip = await openZip(source)
  const sheet = await firstSheet(zip)
  const strings = await sharedStrings(zip)
  let headings: readonly string[] | undefined
  const rows: Row[] = []
  const reader = sheetReader(strings, (line, cells) => {
    if (cells.every((cell) => cell === '')) return
    if (!headings) headings = headingsOf(cells, line, wanted)
    else rows.push({ line, cells: new Map(headings.map((name, index) => [name, cells[index] ?? ''])) })
  })
  for await (const _ of xmlPieces(zip.read(sheet, MOST_SHEET_BYTES), reader))
    if (rows.length >= BATCH_ROWS) yield { rows: rows.splice(0), bytes: 0 }
  yield { rows, bytes: source.bytes }
  if (!headings) throw statementUnreadable({ flaw: 'empty', line: null, what: '' })
}

async function firstSheet(zip: Zip): Promise<string> {
  let id: string | undefined
  await readXml(zip.read('xl/workbook.xml', MOST_PART_BYTES), {
    open: (name, attribute) => {
      if (name === 'sheet') id ??= attribute('id')
    },
    close: () => {},
    text: () => {},
  })
  let target: string | undefined
  await readXml(zip.read('xl/_rels/workbook.xml.rels', MOST_PART_BYTES), {
    open: (name, attribute) => {
      if (name === 'Relationship' && id !== undefined && attribute('Id') === id) target = attribute('Target')
    },
    close: () => {},
    text: () => {},
  })
  if (target === undefined) throw broken('it has no sheet')
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`
}

async function sharedStrings(zip: Zip): Promise<readonly string[]> {
  const name = 'xl/sharedStrings.xml'
  if (!zip.has(name)) return []
  const strings: string[] = []
  let current: string | undefined
  let isText = false
  await readXml(zip.read(name, MOST_STRINGS_BYTES), {
    open: (tag) => {
      if (tag === 'si') current = ''
      // What is read aloud (phonetic runs) is not the text.
      isText = tag === 't'
    },
    close: (tag) => {
      if (tag === 't') isText = false
      if (tag !== 'si') return
      strings.push(current ?? '')
      current = undefined
    },
    text: (text) => {
      if (!isText || current === undefined) return
      current += text
      if (current.length > MOST_STRING_CHARS) throw statementUnreadable({ flaw: 'line_too_long', line: null, what: '' })
    },
  })
  return strings
}

function sheetReader(strings: readonly string[], onRow: (line: number, cells: readonly string[]) => void) {
  let line = 0
  let cells: string[] = []
  let column = 0
  let type: string | undefined
  let value: string | undefined
  let isValue = false
  return {
    open(name: string, attribute: (name: string) => string | undefined) {
      if (name === 'row') {
        line = Number(attribute('r') ?? line + 1)
        if (!Number.isSafeInteger(line) || line < 1) throw broken('the number of a row')
        cells = []
        column = 0
      } else if (name === 'c') {
        column = columnOf(attribute('r')) ?? cells.length
        if (column >= MOST_COLUMNS) throw statementUnreadable({ flaw: 'too_many_columns', line, what: '' })
        type = attribute('t')
        value = undefined
      } else if (name === 'f') throw statementUnreadable({ flaw: 'formula', line, what: '' })
      else if (name === 'v' || name === 't') isValue = true
    },
    close(name: string) {
      if (name === 'v' || name === 't') isValue = false
      else if (name === 'c') {
        while (cells.length < column) cells.push('')
        cells[column] = type === 's' ? (strings[Number(value)] ?? '') : (value ?? '')
      } else if (name === 'row') onRow(line, cells)
    },
    text(text: string) {
      if (!isValue) return
      value = (value ?? '') + text
      if (value.length > MOST_STRING_CHARS) throw statementUnreadable({ flaw: 'line_too_long', line, what: '' })
    },
  }
}

/** `AB12` is column 27, counted from 0. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? '')?.[1]
  if (letters === undefined) return undefined
  let column = 0
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64
  return column - 1
}
