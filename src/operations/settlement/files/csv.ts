import type { StatementMapping } from '#contract'
import type { Row } from '../model/line.ts'
import { statementUnreadable } from '../problems.ts'
import { BATCH_ROWS, headingsOf, textOf } from './source.ts'
import type { RowBatch, Source } from './source.ts'

const MOST_RECORD_CHARS = 1 << 16
const MOST_COLUMNS = 200

/** A record of CSV (RFC 4180), where it ends, and how many lines it took. */
interface Found {
  readonly cells: readonly string[]
  readonly next: number
  readonly lines: number
}

/** The rows of a CSV file below its headings, which are in the first line that is not empty. */
export async function* csvRows(
  source: Source,
  mapping: Pick<StatementMapping, 'encoding' | 'delimiter'>,
  wanted: readonly string[],
): AsyncGenerator<RowBatch> {
  let rest = ''
  let line = 1
  let headings: string[] | undefined
  let rows: Row[] = []
  let isStart = true
  const take = (isLast: boolean): void => {
    let at = 0
    while (at < rest.length) {
      const found = recordAt(rest, at, { delimiter: mapping.delimiter, isLast, line })
      if (!found) break
      if (found.cells.length > MOST_COLUMNS) throw statementUnreadable({ flaw: 'too_many_columns', line, what: '' })
      if (found.cells.length > 1 || found.cells[0] !== '') {
        if (headings) rows.push({ line, cells: cellsOf(headings, found.cells, line) })
        else headings = headingsOf(found.cells, line, wanted)
      }
      line += found.lines
      at = found.next
    }
    rest = rest.slice(at)
    if (rest.length > MOST_RECORD_CHARS) throw statementUnreadable({ flaw: 'line_too_long', line, what: '' })
  }
  for await (const { text, bytes } of textOf(source, mapping.encoding)) {
    rest += isStart && text.startsWith('\uFEFF') ? text.slice(1) : text
    isStart &&= text === ''
    take(false)
    if (rows.length < BATCH_ROWS) continue
    yield { rows, bytes }
    rows = []
  }
  take(true)
  if (!headings) throw statementUnreadable({ flaw: 'empty', line: null, what: '' })
  yield { rows, bytes: source.bytes }
}

function cellsOf(headings: readonly string[], cells: readonly string[], line: number): Map<string, string> {
  if (cells.length > headings.length && cells.slice(headings.length).some((cell) => cell !== ''))
    throw statementUnreadable({ flaw: 'not_csv', line, what: 'more cells than headings' })
  return new Map(headings.map((heading, index) => [heading, cells[index] ?? '']))
}

interface Rules {
  readonly delimiter: string
  readonly isLast: boolean
  readonly line: number
}

/** Undefined where the record does not end in this text. */
function recordAt(text: string, at: number, rules: Rules): Found | undefined {
  const newline = text.indexOf('\n', at)
  if (newline < 0 && !rules.isLast) return undefined
  const end = newline < 0 ? text.length : newline
  const plain = text.slice(at, text.charCodeAt(end - 1) === 13 ? end - 1 : end)
  if (!plain.includes('"')) return { cells: plain.split(rules.delimiter), next: end + 1, lines: 1 }
  return quotedRecordAt(text, at, rules)
}

function quotedRecordAt(text: string, start: number, { delimiter, isLast, line }: Rules): Found | undefined {
  const cells: string[] = []
  let lines = 1
  for (let at = start; ;) {
    let cell: string
    let next: number
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1)
      if (close === undefined || (close + 1 >= text.length && !isLast)) {
        if (isLast) throw statementUnreadable({ flaw: 'not_csv', line, what: 'a quote is not closed' })
        return undefined
      }
      cell = text.slice(at + 1, close).replaceAll('""', '"')
      lines += cell.split('\n').length - 1
      next = close + 1
    } else {
      next = at
      while (next < text.length && text[next] !== delimiter && text[next] !== '\n' && text[next] !== '\r') next++
      if (next >= text.length && !isLast) return undefined
      cell = text.slice(at, next)
      if (cell.includes('"')) throw statementUnreadable({ flaw: 'not_csv', line, what: 'a quote inside a cell' })
    }
    cells.push(cell)
    if (text[next] === delimiter) {
      at = next + 1
      continue
    }
    if (text[next] === '\r') next++
    if (next < text.length && text[next] !== '\n')
      throw statementUnreadable({ flaw: 'not_csv', line, what: 'something follows a quote' })
    return { cells, next: next + 1, lines }
  }
}

/** Two quotes are one in the text. */
function closingQuote(text: string, from: number): number | undefined {
  for (let at = from; ;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return undefined
    if (text[quote + 1] !== '"') return quote
    at = quote + 2
  }
}
