import type { Readable } from 'node:stream'
import type { VerifyReply } from '#contract'
import type { Charging, SheetById } from '#charging'
import type { Calendars } from '#kernel'
import type { Clock } from '#platform/clock'
import { withRetries } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import type { ArrearsPort, BillingDeps } from './deps.ts'
import { detailCsv } from './documents/csv.ts'
import { detailRows, recordsOfLine } from './documents/detail.ts'
import type { LineRecord } from './documents/detail.ts'
import { renderPdf } from './documents/pdf.ts'
import type { Language } from './documents/texts.ts'
import { detailXlsx } from './documents/xlsx.ts'
import type { FapiaoGateway } from './fapiao/gateway.ts'
import type { FapiaoKind } from './fapiao/model.ts'
import { advanceFapiao, requestFapiao, reverseFapiao } from './fapiao/service.ts'
import { createFapiaoSimulator } from './fapiao/simulator.ts'
import { fapiaosOf } from './fapiao/store.ts'
import type { Fapiao } from './fapiao/store.ts'
import { credit } from './payments/credit.ts'
import type { CreditRequest } from './payments/credit.ts'
import { dun } from './payments/dunning.ts'
import type { Arrears } from './payments/dunning.ts'
import { listRefunds } from './payments/refund-store.ts'
import type { Refund } from './payments/refund-store.ts'
import { payRefund, requestRefund } from './payments/refunds.ts'
import type { RefundRequest } from './payments/refunds.ts'
import { pay } from './payments/service.ts'
import type { PaymentRequest } from './payments/service.ts'
import { listPayments } from './payments/store.ts'
import type { Payment } from './payments/store.ts'
import { unknownDocument, unknownLine } from './problems.ts'
import { reconcile } from './reconcile/service.ts'
import type { Reconciliation } from './reconcile/model.ts'
import { rollUp } from './rollup/service.ts'
import { decide } from './run/issue.ts'
import type { Document, FiledLine, Party } from './run/model.ts'
import { buyerOf, sellerOf, setBuyer, setSeller } from './run/parties.ts'
import { run } from './run/service.ts'
import type { RunRequest, RunResult } from './run/service.ts'
import { allocationsOn, documentPage, eventsOf, findDocument, listDocuments } from './run/store.ts'
import { linePage, linesOf } from './run/line-store.ts'
import type { DocumentQuery, DocumentSearch } from './run/store.ts'
import { verifyBilling } from './verify/verify.ts'

/** A document with all that belongs to it. */
export interface DocumentDetail {
  readonly document: Document
  readonly lines: readonly FiledLine[]
  readonly events: readonly {
    readonly atMs: number
    readonly what: string
    readonly by: string
    readonly note: string | null
  }[]
  readonly allocations: readonly { readonly source: string; readonly fen: bigint; readonly atMs: number }[]
  readonly fapiaos: readonly Fapiao[]
}

export interface Billing {
  /** Brings the sums that documents are made from up to date; call it now and then, so that a run has little to do. */
  rollUp(): Promise<number>
  /** The monthly run; see `RunRequest`. Repeating it changes nothing. Throws `invalid_period`, `period_open`. */
  run(request: RunRequest): Promise<RunResult>
  /** Holds an unissued document back, or issues one that was held. Throws `unknown_document`, `document_state`. */
  decide(decision: { id: string; wanted: 'sent' | 'onHold'; by: string }): Promise<Document>
  documents(query: DocumentQuery): Promise<Document[]>
  /** Oldest first, and how many there are in all. */
  documentPage(search: DocumentSearch): Promise<{ readonly documents: readonly Document[]; readonly total: number }>
  /** The lines of documents, in the same order; `ids` are `<document>:<position>`. */
  linePage(search: Omit<DocumentSearch, 'states'>): Promise<{
    readonly lines: readonly { readonly document: Document; readonly line: FiledLine }[]
    readonly total: number
  }>
  /** By id or number; with `tenant`, as if those of others did not exist. Throws `unknown_document`. */
  document(id: string, tenant?: string): Promise<DocumentDetail>
  pdf(id: string, options: { language: Language; tenant?: string }): Promise<Buffer>
  /** The token detail, one row per request, made while it is read. */
  csv(id: string, options: { language: Language; tenant?: string }): Promise<Readable>
  /** The same as a workbook. Throws `too_many_rows`. */
  xlsx(id: string, options: { language: Language; tenant?: string }): Promise<Buffer>
  /** From a line down to its requests, in the order of the books; `after` is the cursor of the last one seen. Throws `unknown_document`, `unknown_line`. */
  requests(query: {
    document: string
    position: number
    tenant?: string
    after?: string
    limit: number
  }): Promise<LineRecord[]>
  /** Once per reference. Throws `payment_reused`, `invalid_amount`, `unknown_document`, `document_state`. */
  pay(request: PaymentRequest): Promise<{ payment: Payment; booked: boolean }>
  payments(query: { tenant: string | undefined; limit: number }): Promise<Payment[]>
  /** A credit note on an issued invoice, once per reference. */
  credit(request: CreditRequest): Promise<{ document: Document; made: boolean }>
  /** Sets money of a wallet aside to be paid back, once per reference. Throws `refund_reused`, `invalid_amount`, `insufficient_balance`. */
  requestRefund(request: RefundRequest): Promise<Refund>
  /** The bank has paid it. Throws `unknown_refund`. */
  payRefund(request: { reference: string; by: string }): Promise<Refund>
  refunds(query: { tenant: string | undefined; limit: number }): Promise<Refund[]>
  /** Moves what is overdue to the stage of its age and says who is in arrears. */
  dun(): Promise<readonly Arrears[]>
  seller(): Promise<Party>
  setSeller(details: Party, by: string): Promise<void>
  buyer(tenant: string): Promise<Party>
  setBuyer(tenant: string, details: Party, by: string): Promise<void>
  requestFapiao(request: { document: string; kind: FapiaoKind; by: string }): Promise<Fapiao>
  reverseFapiao(request: { document: string; reason: string; by: string }): Promise<Fapiao>
  advanceFapiao(request: { document: string }): Promise<Fapiao>
  /** Produced = rated = posted = billed, for one day in China. Throws `invalid_day`. */
  reconcile(day: string): Promise<Reconciliation>
  verify(): Promise<VerifyReply>
}

export interface BillingOptions {
  readonly database: Database
  readonly clock: Clock
  readonly charging: Charging
  readonly sheetById: SheetById
  readonly calendars: () => Promise<Calendars>
  readonly tenantName: (tenant: string) => Promise<string | undefined>
  readonly arrears?: ArrearsPort
  /** The local simulator unless stated. */
  readonly fapiao?: FapiaoGateway
}

export function createBilling(options: BillingOptions): Billing {
  const { clock, charging, sheetById, calendars, tenantName } = options
  const database = withRetries(options.database)
  const taxOf = rememberTaxes(sheetById)
  const fapiao = options.fapiao ?? createFapiaoSimulator({ database, clock })
  const deps: BillingDeps = { database, clock, charging, taxOf, tenantName, fapiao, arrears: options.arrears }
  const find = async (id: string, tenant: string | undefined): Promise<Document> => {
    const document = await findDocument(database, id)
    if (!document || (tenant !== undefined && document.tenant !== tenant))
      throw unknownDocument({ id: id.slice(0, 60) })
    return document
  }
  const detail = (document: Document) => detailRows({ database, sheetById, calendars }, document)
  return {
    rollUp: () => rollUp(database, taxOf),
    run: (request) => run(deps, request),
    decide: (decision) => decide(deps, decision),
    documents: (query) => listDocuments(database, query),
    documentPage: (search) => documentPage(database, search),
    async linePage(search) {
      const { lines, total } = await linePage(database, search)
      const ids = [...new Set(lines.map(({ document }) => document))]
      const { documents } = await documentPage(database, { ids, offset: 0, limit: ids.length })
      const byId = new Map(documents.map((document) => [document.id, document]))
      const whole = lines.flatMap((line) => {
        const document = byId.get(line.document)
        return document ? [{ document, line }] : []
      })
      return { lines: whole, total }
    },
    async document(id, tenant) {
      const document = await find(id, tenant)
      return {
        document,
        lines: await linesOf(database, document.id),
        events: await eventsOf(database, document.id),
        allocations: await allocationsOn(database, document.id),
        fapiaos: await fapiaosOf(database, document.id),
      }
    },
    async pdf(id, { language, tenant }) {
      const document = await find(id, tenant)
      const corrected = document.corrects === null ? undefined : await findDocument(database, document.corrects)
      const lines = await linesOf(database, document.id)
      return renderPdf({ document, lines, corrects: corrected?.number ?? null }, language)
    },
    async csv(id, { language, tenant }) {
      return detailCsv(detail(await find(id, tenant)), language)
    },
    async xlsx(id, { language, tenant }) {
      const document = await find(id, tenant)
      return detailXlsx(detail(document), { lines: await linesOf(database, document.id), language })
    },
    async requests({ document: id, position, tenant, after, limit }) {
      const document = await find(id, tenant)
      const line = (await linesOf(database, document.id)).find((each) => each.position === position)
      if (!line) throw unknownLine({ id, position })
      return pageOf(recordsOfLine(database, { tenant: document.tenant, line, after }), limit)
    },
    pay: (request) => pay(deps, request),
    payments: (query) => listPayments(database, query),
    credit: (request) => credit(deps, request),
    requestRefund: (request) => requestRefund(deps, request),
    payRefund: (request) => payRefund(deps, request),
    refunds: (query) => listRefunds(database, query),
    dun: () => dun(deps),
    seller: () => sellerOf(database),
    setSeller: (details, by) => setSeller(deps, details, by),
    buyer: (tenant) => buyerOf(database, deps, tenant),
    setBuyer: (tenant, details, by) => setBuyer(deps, tenant, details, by),
    requestFapiao: (request) => requestFapiao(deps, request),
    reverseFapiao: (request) => reverseFapiao(deps, request),
    advanceFapiao: (request) => advanceFapiao(deps, request),
    reconcile: (day) => reconcile(deps, day),
    verify: () => verifyBilling(deps),
  }
}

/** What an id stands for never changes, so each is asked for once. */
function rememberTaxes(sheetById: SheetById): BillingDeps['taxOf'] {
  const known = new Map<string, number>()
  return async (sheet) => {
    const found = known.get(sheet) ?? (await sheetById(sheet))?.taxPercent
    if (found !== undefined) known.set(sheet, found)
    return found
  }
}

async function pageOf(records: AsyncIterable<LineRecord>, limit: number): Promise<LineRecord[]> {
  const page: LineRecord[] = []
  for await (const each of records) if (page.push(each) === limit) break
  return page
}
