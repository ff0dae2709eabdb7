import type { PayeeRequest, StatementMapping, StatementState } from '#contract'
import { copyValue, integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { StatementTerms } from '../deps.ts'
import type { Line } from '../model/line.ts'

export interface Statement {
  readonly id: string
  readonly supplier: string
  readonly period: string
  readonly version: number
  readonly state: StatementState
  readonly fileName: string
  readonly fileHash: string
  readonly mapping: number
  readonly granularity: 'request' | 'day_model'
  readonly lines: number
  readonly netPico: bigint
  readonly taxPico: bigint | null
  readonly importedBy: string
  readonly importedAtMs: number
  readonly terms: StatementTerms | null
}

interface StatementRow {
  id: string
  supplier: string
  period: string
  version: number
  state: StatementState
  file_name: string
  file_hash: string
  mapping: number
  granularity: 'request' | 'day_model'
  lines: bigint
  net: string
  tax: string | null
  imported_by: string
  imported_at_ms: bigint
  terms: { agreement: string | null; taxPercent: number; absPico: string; bps: number } | null
}

const columns = sql`
  id, supplier, period, version, state, file_name, encode(file_hash, 'hex') as file_hash, mapping, granularity, lines, net, tax,
  imported_by, imported_at_ms, terms
`

function toStatement(row: StatementRow): Statement {
  return {
    id: row.id,
    supplier: row.supplier,
    period: row.period,
    version: row.version,
    state: row.state,
    fileName: row.file_name,
    fileHash: row.file_hash,
    mapping: row.mapping,
    granularity: row.granularity,
    lines: Number(row.lines),
    netPico: integerFromNumeric(row.net),
    taxPico: row.tax === null ? null : integerFromNumeric(row.tax),
    importedBy: row.imported_by,
    importedAtMs: Number(row.imported_at_ms),
    terms: row.terms && {
      agreement: row.terms.agreement,
      taxPercent: row.terms.taxPercent,
      tolerance: { absPico: BigInt(row.terms.absPico), bps: row.terms.bps },
    },
  }
}

/** Has everybody else who works on this supplier's settlement wait for the transaction. */
export async function lockSupplier(tx: Transaction, supplier: string): Promise<void> {
  await tx.rows(sql`select pg_advisory_xact_lock(hashtextextended(${`settlement:${supplier}`}, 0))`)
}

export async function findStatement(db: Queryable, id: string): Promise<Statement | undefined> {
  const [row] = await db.rows<StatementRow>(sql`select ${columns} from settlement.statement where id = ${id}`)
  return row && toStatement(row)
}

export async function statementOfFile(
  db: Queryable,
  { supplier, period, hash }: { supplier: string; period: string; hash: string },
): Promise<Statement | undefined> {
  const [row] = await db.rows<StatementRow>(sql`
    select ${columns} from settlement.statement
     where supplier = ${supplier} and period = ${period} and file_hash = decode(${hash}::text, 'hex')
  `)
  return row && toStatement(row)
}

/** All of a month, the latest first. */
export async function statementsOf(db: Queryable, supplier: string, period: string): Promise<Statement[]> {
  const rows = await db.rows<StatementRow>(sql`
    select ${columns} from settlement.statement where supplier = ${supplier} and period = ${period} order by version desc
  `)
  return rows.map(toStatement)
}

export async function listStatements(
  db: Queryable,
  { supplier, period, limit }: { supplier: string | undefined; period: string | undefined; limit: number },
): Promise<Statement[]> {
  const rows = await db.rows<StatementRow>(sql`
    select ${columns} from settlement.statement
     where ${supplier === undefined ? sql`true` : sql`supplier = ${supplier}`}
       and ${period === undefined ? sql`true` : sql`period = ${period}`}
     order by period desc, supplier, version desc limit ${limit}
  `)
  return rows.map(toStatement)
}

export async function insertStatement(tx: Transaction, statement: Omit<Statement, 'terms'>): Promise<void> {
  await tx.rows(sql`
    insert into settlement.statement (id, supplier, period, version, state, file_name, file_hash, mapping, granularity, lines, net, tax,
      imported_by, imported_at_ms)
    values (${statement.id}, ${statement.supplier}, ${statement.period}, ${statement.version}::integer, ${statement.state},
      ${statement.fileName}, decode(${statement.fileHash}::text, 'hex'), ${statement.mapping}::integer, ${statement.granularity},
      ${statement.lines}::bigint, ${statement.netPico}::numeric, ${statement.taxPico}::numeric, ${statement.importedBy},
      ${statement.importedAtMs}::bigint)
  `)
}

/** What its lines sum to, once they are all there. */
export async function setSums(
  tx: Transaction,
  id: string,
  { lines, netPico, taxPico }: { lines: number; netPico: bigint; taxPico: bigint | null },
): Promise<void> {
  await tx.rows(sql`
    update settlement.statement set lines = ${lines}::bigint, net = ${netPico}::numeric, tax = ${taxPico}::numeric where id = ${id}
  `)
}

export async function setStatementState(tx: Transaction, id: string, state: StatementState): Promise<void> {
  await tx.rows(sql`update settlement.statement set state = ${state} where id = ${id}`)
}

export async function setTerms(tx: Transaction, id: string, terms: StatementTerms): Promise<void> {
  const text = JSON.stringify({
    agreement: terms.agreement,
    taxPercent: terms.taxPercent,
    absPico: `${terms.tolerance.absPico}`,
    bps: terms.tolerance.bps,
  })
  await tx.rows(sql`update settlement.statement set terms = ${text}::jsonb where id = ${id}`)
}

export async function copyLines(tx: Transaction, statement: string, lines: readonly Line[]): Promise<void> {
  if (lines.length === 0) return
  const head = copyValue(statement)
  let text = ''
  for (const each of lines)
    text += `${head}\t${each.line}\t${copyValue(each.request)}\t${copyValue(each.day)}\t${copyValue(each.model)}\t${copyValue(each.ourModel)}\t${each.input}\t${copyValue(each.cached)}\t${each.output}\t${each.netPico}\t${copyValue(each.taxPico)}\n`
  await tx.copy(
    sql`copy settlement.statement_line (statement, line, request, day, model, our_model, input, cached, output, net, tax) from stdin`,
    text,
  )
}

/** Without fresh counts the first join of a million new lines would be planned for none. */
export async function analyzeLines(tx: Transaction): Promise<void> {
  await tx.rows(sql`analyze settlement.statement_line`)
}

export interface FiledMapping {
  readonly supplier: string
  readonly version: number
  readonly mapping: StatementMapping
  readonly setBy: string
  readonly setAtMs: number
}

export async function newestMapping(db: Queryable, supplier: string): Promise<FiledMapping | undefined> {
  return (await mappings(db, supplier, null))[0]
}

export async function mappingOf(db: Queryable, supplier: string, version: number): Promise<FiledMapping | undefined> {
  return (await mappings(db, supplier, version))[0]
}

async function mappings(db: Queryable, supplier: string, version: number | null): Promise<FiledMapping[]> {
  const rows = await db.rows<{ version: number; mapping: StatementMapping; set_by: string; set_at_ms: bigint }>(sql`
    select version, mapping, set_by, set_at_ms from settlement.mapping
     where supplier = ${supplier} and version = coalesce(${version}::integer, version) order by version desc limit 1
  `)
  return rows.map((row) => ({
    supplier,
    version: row.version,
    mapping: row.mapping,
    setBy: row.set_by,
    setAtMs: Number(row.set_at_ms),
  }))
}

export async function insertMapping(tx: Transaction, filed: FiledMapping): Promise<void> {
  await tx.rows(sql`
    insert into settlement.mapping (supplier, version, mapping, set_by, set_at_ms)
    values (${filed.supplier}, ${filed.version}::integer, ${JSON.stringify(filed.mapping)}::jsonb, ${filed.setBy}, ${filed.setAtMs}::bigint)
  `)
}

export type Payee = PayeeRequest & { readonly supplier: string }

export async function findPayee(db: Queryable, supplier: string): Promise<Payee | undefined> {
  const [row] = await db.rows<{ details: PayeeRequest }>(
    sql`select details from settlement.payee where supplier = ${supplier}`,
  )
  return row && { ...row.details, supplier }
}

export async function putPayee(
  tx: Transaction,
  { supplier, ...details }: Payee,
  at: { by: string; nowMs: number },
): Promise<void> {
  await tx.rows(sql`
    insert into settlement.payee (supplier, details, set_by, set_at_ms)
    values (${supplier}, ${JSON.stringify(details)}::jsonb, ${at.by}, ${at.nowMs}::bigint)
    on conflict (supplier) do update set details = excluded.details, set_by = excluded.set_by, set_at_ms = excluded.set_at_ms
  `)
}
