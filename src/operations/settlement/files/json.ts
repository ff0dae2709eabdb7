import type { StatementMapping } from '#contract'
import { isDecimal, isObject, parseExact } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Row } from '../model/line.ts'
import { statementUnreadable } from '../problems.ts'
import { BATCH_ROWS, textOf } from './source.ts'
import type { RowBatch, Source } from './source.ts'

const MOST_OBJECT_CHARS = 1 << 16

/** Where the scan is: inside which object, and whether in a text of it. */
interface Scan {
  depth: number
  isText: boolean
  isEscaped: boolean
  /** What stands around the objects: an array, or nothing (one object after the other). */
  frame: 'unknown' | 'array' | 'lines' | 'ended'
  isAfterComma: boolean
}

/**
 * The objects of a JSON file: an array of them, or one after the other (JSON Lines). Each is parsed by itself, so a large file passes
 * through a small memory, and numbers keep the digits that the file has.
 */
export async function* jsonRows(
  source: Source,
  mapping: Pick<StatementMapping, 'encoding'>,
  wanted: readonly string[],
): AsyncGenerator<RowBatch> {
  const scan: Scan = { depth: 0, isText: false, isEscaped: false, frame: 'unknown', isAfterComma: false }
  let current = ''
  let line = 1
  let startLine = 1
  let rows: Row[] = []
  for await (const { text: piece, bytes } of textOf(source, mapping.encoding)) {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at)
      if (code === 10) line++
      if (scan.depth === 0) {
        if (outside(scan, piece[at] ?? '', line)) {
          from = at
          startLine = line
        }
      } else if (inside(scan, code)) {
        rows.push({ line: startLine, cells: cellsOf(current + piece.slice(from, at + 1), startLine, wanted) })
        current = ''
      }
    }
    if (scan.depth > 0) {
      current += piece.slice(from)
      if (current.length > MOST_OBJECT_CHARS)
        throw statementUnreadable({ flaw: 'line_too_long', line: startLine, what: '' })
    }
    if (rows.length < BATCH_ROWS) continue
    yield { rows, bytes }
    rows = []
  }
  if (scan.frame === 'unknown') throw statementUnreadable({ flaw: 'empty', line: null, what: '' })
  if (scan.depth > 0 || scan.frame === 'array' || scan.isAfterComma)
    throw statementUnreadable({ flaw: 'not_json', line, what: 'it ends too early' })
  yield { rows, bytes: source.bytes }
}

/** Between objects; true where one begins. */
function outside(scan: Scan, char: string, line: number): boolean {
  if (/\s/.test(char) || (char === '\uFEFF' && scan.frame === 'unknown')) return false
  if (char === '{' && scan.frame !== 'ended') {
    if (scan.frame === 'unknown') scan.frame = 'lines'
    scan.depth = 1
    scan.isAfterComma = false
    return true
  }
  if (char === '[' && scan.frame === 'unknown') scan.frame = 'array'
  else if (char === ',' && scan.frame === 'array' && !scan.isAfterComma) scan.isAfterComma = true
  else if (char === ']' && scan.frame === 'array' && !scan.isAfterComma) scan.frame = 'ended'
  else throw statementUnreadable({ flaw: 'not_json', line, what: 'objects are expected' })
  return false
}

/** Within an object; true where it ends. */
function inside(scan: Scan, code: number): boolean {
  if (scan.isText) {
    if (scan.isEscaped) scan.isEscaped = false
    else if (code === 92) scan.isEscaped = true
    else if (code === 34) scan.isText = false
    return false
  }
  if (code === 34) scan.isText = true
  else if (code === 123) scan.depth++
  else if (code === 125) scan.depth--
  return scan.depth === 0
}

function cellsOf(text: string, line: number, wanted: readonly string[]): Map<string, string> {
  if (text.length > MOST_OBJECT_CHARS) throw statementUnreadable({ flaw: 'line_too_long', line, what: '' })
  const object = parsed(text, line)
  return new Map(
    wanted.map((name) => {
      const member = Object.hasOwn(object, name) ? object[name] : undefined
      return [name, typeof member === 'string' ? member : isDecimal(member) ? member.value : '']
    }),
  )
}

function parsed(text: string, line: number): ExactObject {
  try {
    const value = parseExact(text)
    if (isObject(value)) return value
  } catch (error) {
    throw statementUnreadable({ flaw: 'not_json', line, what: '' }, { cause: error })
  }
  throw statementUnreadable({ flaw: 'not_json', line, what: 'objects are expected' })
}
