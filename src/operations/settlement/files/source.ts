import { createReadStream } from 'node:fs'
import type { Row } from '../model/line.ts'
import { statementUnreadable } from '../problems.ts'

/** A file on disk: parts of it are read in any order, so that nothing of it has to be in memory. */
export interface Source {
  readonly path: string
  readonly bytes: number
}

/** Rows in batches, with how many bytes of the file were read for them. */
export interface RowBatch {
  readonly rows: readonly Row[]
  readonly bytes: number
}

export const BATCH_ROWS = 2_000
const CHUNK_BYTES = 1 << 18

/** The file as text, piece by piece. Throws `statement_unreadable` where a byte is not of the encoding. */
export async function* textOf(
  { path }: Source,
  encoding: 'utf-8' | 'gb18030',
): AsyncGenerator<{ text: string; bytes: number }> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let bytes = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      bytes += (chunk as Buffer).byteLength
      yield { text: decoder.decode(chunk as Buffer, { stream: true }), bytes }
    }
    yield { text: decoder.decode(), bytes }
  } catch (error) {
    if (error instanceof TypeError) throw statementUnreadable({ flaw: 'encoding', line: null, what: `not ${encoding}` })
    throw error
  }
}

/** Headings, each once; one that is there twice could mean either. */
export function headingsOf(cells: readonly string[], line: number, wanted: readonly string[]): string[] {
  const names = cells.map((cell) => cell.trim())
  for (const [index, name] of names.entries())
    if (name !== '' && names.indexOf(name) !== index)
      throw statementUnreadable({ flaw: 'duplicate_heading', line, what: name.slice(0, 60) })
  for (const name of wanted)
    if (!names.includes(name)) throw statementUnreadable({ flaw: 'missing_column', line, what: name })
  return names
}
