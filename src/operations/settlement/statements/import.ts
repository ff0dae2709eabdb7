import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { StatementMapping } from '#contract'
import { periodOfKey } from '#kernel'
import { violatedConstraint } from '#platform/postgres'
import type { Transaction } from '#platform/postgres'
import type { SettlementDeps } from '../deps.ts'
import { insertEvents } from '../event-store.ts'
import { rowsOf } from '../files/rows.ts'
import type { Source } from '../files/source.ts'
import { readRow } from '../model/line.ts'
import type { Line, RowFlaw } from '../model/line.ts'
import {
  invalidMonth,
  mappingMissing,
  monthOpen,
  statementDecided,
  statementRows,
  statementUnreadable,
  unknownSupplier,
} from '../problems.ts'
import { step } from './states.ts'
import {
  analyzeLines,
  copyLines,
  insertStatement,
  lockSupplier,
  newestMapping,
  setSums,
  statementOfFile,
  statementsOf,
} from './store.ts'
import type { Statement } from './store.ts'

export interface ImportRequest {
  readonly supplier: string
  readonly period: string
  readonly fileName: string
  readonly source: Source
  readonly by: string
  readonly onProgress?: (progress: { bytes: number; totalBytes: number; lines: number }) => void
}

/** More lines than any month of one supplier has; a spreadsheet holds 1,048,576. */
const MOST_LINES = 20_000_000
const MOST_FLAWS = 50

/**
 * Reads a supplier's file in one transaction: all of its lines or none. The same file for the same month is imported once; another one
 * takes the place of a statement that is not agreed yet.
 */
export async function importStatement(
  deps: SettlementDeps,
  request: ImportRequest,
): Promise<{ statement: Statement; isNew: boolean }> {
  const { supplier, period: key, source } = request
  const nowMs = deps.clock.nowMs()
  const period = periodOfKey('month', key)
  if (!period) throw invalidMonth({ period: key.slice(0, 20) })
  if (period.toMs > nowMs) throw monthOpen({ period: key })
  if (!(await deps.knownSupplier(supplier))) throw unknownSupplier({ supplier })
  const hash = await hashOf(source)
  return deps.database.transaction(async (tx) => {
    await lockSupplier(tx, supplier)
    const known = await statementOfFile(tx, { supplier, period: key, hash })
    if (known) return { statement: known, isNew: false }
    const filed = await newestMapping(tx, supplier)
    if (!filed) throw mappingMissing({ supplier })
    const act = { by: request.by, nowMs }
    const [latest] = await statementsOf(tx, supplier, key)
    if (latest && latest.state !== 'replaced') {
      if (['agreed', 'approved', 'settled'].includes(latest.state))
        throw statementDecided({ id: latest.id, state: latest.state })
      await step(tx, latest, 'replaced', { ...act, note: request.fileName })
    }
    const version = (latest?.version ?? 0) + 1
    const statement: Statement = {
      id: `st-${supplier}-${key}-${version}`,
      ...{ supplier, period: key, version, state: 'received', fileName: request.fileName, fileHash: hash },
      ...{ mapping: filed.version, granularity: filed.mapping.granularity, lines: 0, netPico: 0n, taxPico: null },
      ...{ importedBy: request.by, importedAtMs: nowMs, terms: null },
    }
    await insertStatement(tx, statement)
    await insertEvents(tx, [
      {
        subject: statement.id,
        atMs: nowMs,
        was: null,
        becomes: 'received',
        by: request.by,
        note: request.fileName,
        number: null,
      },
    ])
    const sums = await copyAll(tx, statement.id, { request, mapping: filed.mapping })
    await setSums(tx, statement.id, sums)
    await analyzeLines(tx)
    const parsed = await step(tx, statement, 'parsed', { ...act, note: `${sums.lines} lines` })
    return { statement: { ...parsed, ...sums }, isNew: true }
  })
}

async function hashOf({ path }: Source): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

interface Sums {
  readonly lines: number
  readonly netPico: bigint
  readonly taxPico: bigint | null
}

/** A bad line stops nothing, so that all of them are told at once; then the transaction ends without a trace. */
async function copyAll(
  tx: Transaction,
  statement: string,
  { request, mapping }: { request: ImportRequest; mapping: StatementMapping },
): Promise<Sums> {
  const flaws: RowFlaw[] = []
  let lines = 0
  let netPico = 0n
  let taxPico = mapping.columns.tax === undefined ? null : 0n
  for await (const { rows, bytes } of rowsOf(request.source, mapping)) {
    const good: Line[] = []
    for (const row of rows) {
      const line = readRow(row, mapping)
      if ('reason' in line) flaws.push(line)
      else {
        good.push(line)
        netPico += line.netPico
        if (taxPico !== null) taxPico += line.taxPico ?? 0n
      }
    }
    if (flaws.length > MOST_FLAWS) break
    lines += good.length
    if (lines > MOST_LINES) throw statementUnreadable({ flaw: 'too_many_lines', line: null, what: `${MOST_LINES}` })
    if (flaws.length === 0) await copyBatch(tx, statement, good)
    request.onProgress?.({ bytes, totalBytes: request.source.bytes, lines })
  }
  if (flaws.length > 0) throw statementRows({ flaws: flaws.slice(0, MOST_FLAWS), more: flaws.length > MOST_FLAWS })
  if (lines === 0) throw statementUnreadable({ flaw: 'no_lines', line: null, what: '' })
  return { lines, netPico, taxPico }
}

/** Two rows that claim to be the same line can only be a forged workbook. */
async function copyBatch(tx: Transaction, statement: string, lines: readonly Line[]): Promise<void> {
  try {
    await copyLines(tx, statement, lines)
  } catch (error) {
    if (violatedConstraint(error) === 'statement_line_pkey')
      throw statementUnreadable({ flaw: 'not_xlsx', line: null, what: 'a row is there twice' })
    throw error
  }
}
