import { taxInGross } from '#kernel'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Charge, ChargeSums, Line } from '../model/lines.ts'
import { lineKey } from '../model/left.ts'
import type { Step } from '../model/left.ts'
import { toCharge, toSums } from '../rollup/store.ts'
import type { ChargeRow } from '../rollup/store.ts'
import type { FiledLine } from './model.ts'
import type { DocumentSearch } from './store.ts'

export async function tenantsWithCharges(db: Queryable, period: string): Promise<string[]> {
  const rows = await db.rows<{ tenant: string }>(
    sql`select distinct tenant from billing.charge where period <= ${period} order by tenant`,
  )
  return rows.map((row) => row.tenant)
}

export interface ChargeState {
  readonly charge: Charge
  readonly sums: ChargeSums
  /** The last line that bills it, and what all of them say together. */
  readonly billed:
    | {
        readonly revision: number
        readonly lines: number
        readonly document: string
        readonly toSeq: number
        readonly sums: ChargeSums
        readonly grossFen: bigint
        readonly netFen: bigint
        readonly dueFen: bigint
      }
    | undefined
}

interface StateRow extends ChargeRow {
  revision: number | null
  lines: bigint
  document: string | null
  to_seq: bigint | null
  to_gross: string
  to_credit: string
  to_tax: string
  to_requests: bigint
  to_tokens: string
  gross_fen: string
  net_fen: string
  due_fen: string
}

/** The charges of a tenant up to a month, each with what was billed of it. */
export async function chargeStates(db: Queryable, tenant: string, period: string): Promise<ChargeState[]> {
  const rows = await db.rows<StateRow>(sql`
    select c.id, c.tenant, c.kind, c.period, c.description, c.service, c.sheet, c.tax_percent, c.gross, c.credit, c.tax, c.requests, c.tokens,
      l.revision, l.document, l.to_seq, l.to_gross, l.to_credit, l.to_tax, l.to_requests, l.to_tokens, a.lines, a.gross_fen, a.net_fen, a.due_fen
      from billing.charge c
      left join lateral (select * from billing.line l where l.charge = c.id order by l.revision desc limit 1) l on true
      cross join lateral (
        select count(*) as lines, coalesce(sum(gross_fen), 0) as gross_fen, coalesce(sum(net_fen), 0) as net_fen, coalesce(sum(due_fen), 0) as due_fen
          from billing.line x where x.charge = c.id) a
     where c.tenant = ${tenant} and c.period <= ${period} order by c.id
  `)
  return rows.map((row) => ({
    charge: toCharge(row),
    sums: toSums(row),
    billed:
      row.revision === null || row.document === null
        ? undefined
        : {
            revision: row.revision,
            lines: Number(row.lines),
            document: row.document,
            toSeq: Number(row.to_seq),
            sums: toSums({
              gross: row.to_gross,
              credit: row.to_credit,
              tax: row.to_tax,
              requests: row.to_requests,
              tokens: row.to_tokens,
            }),
            grossFen: integerFromNumeric(row.gross_fen),
            netFen: integerFromNumeric(row.net_fen),
            dueFen: integerFromNumeric(row.due_fen),
          },
  }))
}

export interface LinePlace {
  readonly fromSeq: number
  readonly toSeq: number
}

type Filed = Omit<Line, 'charge' | 'from' | 'to'> & LinePlace

export async function insertLines(
  tx: Transaction,
  document: string,
  lines: readonly (Line & LinePlace)[],
): Promise<void> {
  const column = <Name extends keyof Filed>(name: Name): Filed[Name][] => lines.map((line) => line[name])
  const charge = <Name extends keyof Charge>(name: Name): Charge[Name][] => lines.map((line) => line.charge[name])
  const sum = <Name extends keyof ChargeSums>(side: 'from' | 'to', name: Name): ChargeSums[Name][] =>
    lines.map((line) => line[side][name])
  await tx.rows(sql`
    insert into billing.line (document, position, charge, revision, from_gross, from_credit, from_tax, from_requests, from_tokens, to_gross,
      to_credit, to_tax, to_requests, to_tokens, from_seq, to_seq, period, description, service, sheet, tax_percent, gross_fen, net_fen, tax_fen,
      due_fen)
    select ${document}, * from unnest(${lines.map((_, index) => index + 1)}::integer[], ${charge('id')}::text[],
      ${column('revision')}::integer[], ${sum('from', 'grossPico')}::numeric[], ${sum('from', 'creditPico')}::numeric[],
      ${sum('from', 'taxPico')}::numeric[], ${sum('from', 'requests')}::bigint[], ${sum('from', 'tokens')}::numeric[],
      ${sum('to', 'grossPico')}::numeric[], ${sum('to', 'creditPico')}::numeric[], ${sum('to', 'taxPico')}::numeric[],
      ${sum('to', 'requests')}::bigint[], ${sum('to', 'tokens')}::numeric[], ${column('fromSeq')}::bigint[],
      ${column('toSeq')}::bigint[], ${charge('period')}::text[], ${charge('description')}::text[], ${charge('service')}::text[],
      ${charge('sheet')}::text[], ${charge('taxPercent')}::integer[], ${column('grossFen')}::bigint[],
      ${column('netFen')}::bigint[], ${column('taxFen')}::bigint[], ${column('dueFen')}::bigint[])
  `)
}

export interface CreditLine {
  readonly credits: { readonly document: string; readonly position: number }
  readonly period: string
  readonly description: string
  readonly service: string | null
  readonly sheet: string | null
  readonly taxPercent: number
  readonly grossFen: bigint
  readonly netFen: bigint
  readonly taxFen: bigint
  readonly dueFen: bigint
}

/** A credit on a line, tax in it at the line's rate; above zero it takes credit back. */
export function creditLine(line: FiledLine, grossFen: bigint): CreditLine {
  const { document, position, period, description, service, sheet, taxPercent } = line
  const amounts = taxInGross(grossFen, taxPercent)
  return {
    credits: { document, position },
    period,
    description,
    service,
    sheet,
    taxPercent,
    ...amounts,
    dueFen: grossFen,
  }
}

/** `before`: how many lines the document has already. */
export async function insertCreditLines(
  tx: Transaction,
  document: string,
  lines: readonly CreditLine[],
  before = 0,
): Promise<void> {
  const column = <Name extends keyof CreditLine>(name: Name): CreditLine[Name][] => lines.map((line) => line[name])
  await tx.rows(sql`
    insert into billing.line (document, position, credits_document, credits_position, period, description, service, sheet, tax_percent, gross_fen,
      net_fen, tax_fen, due_fen)
    select ${document}, * from unnest(${lines.map((_, index) => before + index + 1)}::integer[], ${lines.map((line) => line.credits.document)}::text[],
      ${lines.map((line) => line.credits.position)}::integer[], ${column('period')}::text[], ${column('description')}::text[],
      ${column('service')}::text[], ${column('sheet')}::text[], ${column('taxPercent')}::integer[], ${column('grossFen')}::bigint[],
      ${column('netFen')}::bigint[], ${column('taxFen')}::bigint[], ${column('dueFen')}::bigint[])
  `)
}

interface LineRow {
  document: string
  position: number
  charge: string | null
  revision: number | null
  from_gross: string
  to_gross: string
  from_requests: bigint
  to_requests: bigint
  from_tokens: string
  to_tokens: string
  from_seq: bigint
  to_seq: bigint
  credits_document: string | null
  credits_position: number | null
  period: string
  description: string
  service: string | null
  sheet: string | null
  tax_percent: number
  gross_fen: bigint
  net_fen: bigint
  tax_fen: bigint
  due_fen: bigint
}

function toLine(row: LineRow): FiledLine {
  return {
    document: row.document,
    position: row.position,
    charge: row.charge,
    revision: row.revision,
    grossPico: integerFromNumeric(row.to_gross) - integerFromNumeric(row.from_gross),
    requests: row.service === null ? 0 : Number(row.to_requests - row.from_requests),
    tokens: integerFromNumeric(row.to_tokens) - integerFromNumeric(row.from_tokens),
    fromSeq: Number(row.from_seq),
    toSeq: Number(row.to_seq),
    credits:
      row.credits_document === null || row.credits_position === null
        ? null
        : { document: row.credits_document, position: row.credits_position },
    period: row.period,
    description: row.description,
    service: row.service,
    sheet: row.sheet,
    taxPercent: row.tax_percent,
    grossFen: row.gross_fen,
    netFen: row.net_fen,
    taxFen: row.tax_fen,
    dueFen: row.due_fen,
  }
}

const lineColumns = sql`document, position, charge, revision, from_gross, to_gross, from_requests, to_requests, from_tokens, to_tokens, from_seq, to_seq,
  credits_document, credits_position, period, description, service, sheet, tax_percent, gross_fen, net_fen, tax_fen, due_fen`

/** Lines by `<document>:<position>` or by whose they are, in the order in which their documents were made, and how many in all. */
export async function linePage(
  db: Queryable,
  { ids, tenants, offset, limit }: Omit<DocumentSearch, 'states'>,
): Promise<{ readonly lines: FiledLine[]; readonly total: number }> {
  const named = ids?.map((id) => /^(.+):(\d{1,9})$/.exec(id)).filter((parts) => parts !== null)
  const where = sql`
    ${
      named
        ? sql`(l.document, l.position) in (select * from unnest(${named.map(([, document = '']) => document)}::text[],
            ${named.map(([, , position = '0']) => Number(position))}::integer[]))`
        : sql`true`
    } and ${tenants ? sql`d.tenant = any(${tenants}::text[])` : sql`true`}`
  const from = sql`from billing.document d join billing.line l on l.document = d.id where ${where}`
  const [row] = await db.rows<{ total: bigint }>(sql`select count(*) as total ${from}`)
  const rows = await db.rows<LineRow>(
    sql`select l.* ${from} order by d.created_at_ms, d.id, l.position offset ${offset} limit ${limit}`,
  )
  return { lines: rows.map(toLine), total: Number(row?.total ?? 0) }
}

export async function linesOf(db: Queryable, document: string): Promise<FiledLine[]> {
  return (
    await db.rows<LineRow>(sql`select ${lineColumns} from billing.line where document = ${document} order by position`)
  ).map(toLine)
}

/** Every step of these charges that is on file. */
export async function stepsOf(db: Queryable, charges: readonly string[]): Promise<Step[]> {
  const rows = await db.rows<{
    document: string
    position: number
    charge: string
    revision: number
    gross_fen: bigint
    due_fen: bigint
  }>(sql`
    select document, position, charge, revision, gross_fen, due_fen from billing.line
     where charge = any(${charges}::text[]) order by charge, revision
  `)
  return rows.map(({ gross_fen, due_fen, ...step }) => ({ ...step, grossFen: gross_fen, dueFen: due_fen }))
}

/** What operators have credited on the lines of documents, by `lineKey`; in fen, above zero. */
export async function grantedOn(db: Queryable, documents: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const rows = await db.rows<{ document: string; position: number; granted: string }>(sql`
    select credits_document as document, credits_position as position, -sum(due_fen) as granted from billing.line
     where credits_document = any(${documents}::text[]) group by 1, 2
  `)
  return new Map(rows.map((row) => [lineKey(row), integerFromNumeric(row.granted)]))
}

/** The sums between which the lines of a document bill, for posting it. */
export async function chargeLinesOf(db: Queryable, document: string): Promise<Line[]> {
  const rows = await db.rows<
    LineRow & {
      kind: Charge['kind']
      tenant: string
      from_credit: string
      to_credit: string
      from_tax: string
      to_tax: string
    }
  >(sql`
    select l.*, c.kind, c.tenant from billing.line l join billing.charge c on c.id = l.charge where l.document = ${document} order by l.position
  `)
  return rows.map((row) => {
    const { kind, tenant } = row
    const side = (name: 'from' | 'to'): ChargeSums => ({
      grossPico: integerFromNumeric(row[`${name}_gross`]),
      creditPico: integerFromNumeric(row[`${name}_credit`]),
      taxPico: integerFromNumeric(row[`${name}_tax`]),
      requests: Number(row[`${name}_requests`]),
      tokens: integerFromNumeric(row[`${name}_tokens`]),
    })
    const { grossFen, netFen, taxFen, dueFen, ...rest } = toLine(row)
    const { period, description, service, sheet, taxPercent } = rest
    const charge = { id: row.charge ?? '', tenant, kind, period, description, service, sheet, taxPercent }
    return { charge, revision: row.revision ?? 0, from: side('from'), to: side('to'), grossFen, netFen, taxFen, dueFen }
  })
}
