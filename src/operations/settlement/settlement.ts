import type {
  DiscrepancyClass,
  DiscrepancyDecision,
  DiscrepancyState,
  RunState,
  StatementMapping,
  SupplierPeriodView,
  VerifyReply,
} from '#contract'
import { withRetries } from '#platform/postgres'
import type { SettlementDeps } from './deps.ts'
import { eventsOf } from './event-store.ts'
import { claimedUsage } from './matching/claim-store.ts'
import { discrepancySums, listDiscrepancies, requestsBehind } from './matching/decision-store.ts'
import type { Discrepancy, SettledRequest } from './matching/decision-store.ts'
import { agree, decide, match } from './matching/service.ts'
import { supplierPeriods } from './periods.ts'
import { mappingMissing, unknownDiscrepancy, unknownRun, unknownStatement, unknownSupplier } from './problems.ts'
import { renderRun } from './runs/pdf.ts'
import type { Language } from './runs/pdf-texts.ts'
import { paymentFile } from './runs/payment-file.ts'
import { listPenalties, penaltiesFor } from './runs/penalty-store.ts'
import type { Penalty } from './runs/penalty-store.ts'
import { decideOnPenalty, propose } from './runs/penalties.ts'
import type { NewPenalty } from './runs/penalties.ts'
import { approve, close, pay, plan, postRun, recompute, review } from './runs/service.ts'
import { findRun, listRuns, runsOf } from './runs/store.ts'
import type { Run } from './runs/store.ts'
import { importStatement } from './statements/import.ts'
import type { ImportRequest } from './statements/import.ts'
import {
  findPayee,
  findStatement,
  insertMapping,
  listStatements,
  lockSupplier,
  mappingOf,
  newestMapping,
  putPayee,
} from './statements/store.ts'
import type { FiledMapping, Payee, Statement } from './statements/store.ts'
import { verifySettlement } from './verify/verify.ts'
import type { RunDetail, StatementDetail } from './views.ts'

interface Act {
  readonly id: string
  readonly by: string
  readonly note?: string | undefined
}

export interface Settlement {
  /** How the supplier's files are read from now on. Saying the same again makes no new version. Throws `unknown_supplier`. */
  setMapping(supplier: string, mapping: StatementMapping, by: string): Promise<FiledMapping>
  /** Throws `mapping_missing`. */
  mapping(supplier: string): Promise<FiledMapping>
  setPayee(payee: Payee, by: string): Promise<Payee>
  payee(supplier: string): Promise<Payee | undefined>
  /** Reads a file whole or not at all; the same one twice is read once. Throws `statement_rows`, `statement_unreadable`, `mapping_missing`, `statement_decided`. */
  importStatement(request: ImportRequest): Promise<{ statement: Statement; isNew: boolean }>
  statements(query: { supplier?: string | undefined; period?: string | undefined; limit: number }): Promise<Statement[]>
  /** Throws `unknown_statement`; with `supplier`, as if those of others did not exist. */
  statement(id: string, supplier?: string): Promise<StatementDetail>
  match(ask: Act): Promise<Statement>
  discrepancies(query: {
    statement: string
    class?: DiscrepancyClass | undefined
    state?: DiscrepancyState | undefined
    after: number
    limit: number
  }): Promise<Discrepancy[]>
  /** Our requests behind a difference. Throws `unknown_discrepancy`. */
  requestsOf(query: { statement: string; number: number; after: string; limit: number }): Promise<SettledRequest[]>
  /** Throws `settlement_state`, `unknown_discrepancy`, `amount_outside`. */
  decide(ask: Act & { decision: DiscrepancyDecision }): Promise<{ decided: number; statement: Statement }>
  /** Throws `undecided_discrepancies`. */
  agree(ask: Act): Promise<Statement>
  /** Throws `nothing_to_settle`, `settlement_state`. */
  plan(ask: { statement: string; by: string }): Promise<Run>
  recompute(ask: Act): Promise<Run>
  /** By somebody else than who proposed it. Throws `same_person`. */
  review(ask: Act): Promise<Run>
  approve(ask: Act): Promise<Run>
  post(ask: Act): Promise<Run>
  pay(ask: Act & { reference: string }): Promise<Run>
  close(ask: Act): Promise<Run>
  /** A settlement on paper; with `supplier`, as if those of others did not exist. Throws `unknown_run`. */
  pdf(id: string, options: { language: Language; supplier?: string | undefined }): Promise<Buffer>
  /** What is posted and to be paid, for the bank; see `paymentFile`. */
  paymentFile(): Promise<string>
  runs(query: { supplier?: string | undefined; state?: RunState | undefined; limit: number }): Promise<Run[]>
  run(id: string, supplier?: string): Promise<RunDetail>
  proposePenalty(penalty: NewPenalty, by: string): Promise<Penalty>
  /** Proposes what other rooms' evidence says the supplier owes for a month. Returns all of the supplier's. */
  collectPenalties(ask: { supplier: string; period: string; by: string }): Promise<Penalty[]>
  decidePenalty(ask: {
    id: string
    decision: 'approve' | 'waive' | 'contest'
    reason: string
    by: string
    /** As if those of others did not exist. */
    supplier?: string | undefined
  }): Promise<Penalty>
  penalties(query: { supplier?: string | undefined; limit: number }): Promise<Penalty[]>
  periods(query: { supplier?: string | undefined; months: number }): Promise<SupplierPeriodView[]>
  verify(): Promise<VerifyReply>
}

const MOST_PENALTIES = 500
const MOST_PAYMENTS = 10_000

export function createSettlement(options: SettlementDeps): Settlement {
  const deps: SettlementDeps = { ...options, database: withRetries(options.database) }
  const { database, clock } = deps
  const requireSupplier = async (supplier: string): Promise<void> => {
    if (!(await deps.knownSupplier(supplier))) throw unknownSupplier({ supplier })
  }
  const find = async (id: string, supplier?: string): Promise<Statement> => {
    const statement = await findStatement(database, id)
    if (!statement || (supplier !== undefined && statement.supplier !== supplier))
      throw unknownStatement({ id: id.slice(0, 120) })
    return statement
  }
  const detailOf = async (id: string, supplier?: string): Promise<RunDetail> => {
    const run = await findRun(database, id)
    if (!run || (supplier !== undefined && run.supplier !== supplier)) throw unknownRun({ id: id.slice(0, 120) })
    const penalties = await penaltiesFor(database, { ...run, run: run.postingId === null ? null : id })
    return { run, penalties, events: await eventsOf(database, id) }
  }
  return {
    async setMapping(supplier, mapping, by) {
      await requireSupplier(supplier)
      return database.transaction(async (tx) => {
        await lockSupplier(tx, supplier)
        const newest = await newestMapping(tx, supplier)
        if (newest && canonical(newest.mapping) === canonical(mapping)) return newest
        const filed = { supplier, version: (newest?.version ?? 0) + 1, mapping, setBy: by, setAtMs: clock.nowMs() }
        await insertMapping(tx, filed)
        return filed
      })
    },
    async mapping(supplier) {
      const filed = await newestMapping(database, supplier)
      if (!filed) throw mappingMissing({ supplier })
      return filed
    },
    async setPayee(payee, by) {
      await requireSupplier(payee.supplier)
      await database.transaction((tx) => putPayee(tx, payee, { by, nowMs: clock.nowMs() }))
      return payee
    },
    payee: (supplier) => findPayee(database, supplier),
    importStatement: (request) => importStatement(deps, request),
    statements: ({ supplier, period, limit }) => listStatements(database, { supplier, period, limit }),
    async statement(id, supplier) {
      const statement = await find(id, supplier)
      const isMatched = statement.terms !== null
      return {
        statement,
        ours: isMatched ? await claimedUsage(database, id) : null,
        discrepancies: await discrepancySums(database, id),
        runs: (await runsOf(database, id)).map((run) => run.id),
        events: await eventsOf(database, id),
      }
    },
    match: (ask) => match(deps, ask),
    async discrepancies({ statement, class: kind, state, after, limit }) {
      await find(statement)
      return listDiscrepancies(database, { statement, class: kind, state, after, limit })
    },
    async requestsOf({ statement: id, number, after, limit }) {
      const statement = await find(id)
      const query = { statement: id, class: undefined, state: undefined, after: number - 1, limit: 1 }
      const [discrepancy] = await listDiscrepancies(database, query)
      if (discrepancy?.number !== number) throw unknownDiscrepancy({ statement: id, number })
      const filed = await mappingOf(database, statement.supplier, statement.mapping)
      const utcOffsetMinutes = filed?.mapping.utcOffsetMinutes ?? 0
      return requestsBehind(database, { statement: id, discrepancy, utcOffsetMinutes, after, limit })
    },
    decide: (ask) => decide(deps, ask),
    agree: ({ note, ...ask }) => agree(deps, { ...ask, ...(note === undefined ? {} : { note }) }),
    plan: (ask) => plan(deps, ask),
    recompute: (ask) => recompute(deps, ask),
    review: (ask) => review(deps, ask),
    approve: (ask) => approve(deps, ask),
    post: (ask) => postRun(deps, ask),
    pay: (ask) => pay(deps, ask),
    close: (ask) => close(deps, ask),
    async pdf(id, { language, supplier }) {
      const { run, events } = await detailOf(id, supplier)
      const statement = await find(run.statement)
      const discrepancies = await discrepancySums(database, statement.id)
      const payee = await findPayee(database, run.supplier)
      return renderRun({ run, statement, payee, discrepancies, events }, language)
    },
    async paymentFile() {
      const runs = await listRuns(database, { supplier: undefined, state: 'posted', limit: MOST_PAYMENTS })
      const payments: { run: Run; payee: Payee }[] = []
      for (const run of runs) {
        const payee = await findPayee(database, run.supplier)
        if (payee) payments.push({ run, payee })
      }
      return paymentFile(payments, clock.nowMs())
    },
    runs: ({ supplier, state, limit }) => listRuns(database, { supplier, state, limit }),
    run: detailOf,
    proposePenalty: (penalty, by) => propose(deps, penalty, by),
    async collectPenalties({ supplier, period, by }) {
      for (const proposal of await deps.penaltiesOf({ supplier, period }))
        await propose(deps, { ...proposal, supplier, period }, by)
      return listPenalties(database, { supplier, limit: MOST_PENALTIES })
    },
    decidePenalty: (ask) => decideOnPenalty(deps, ask),
    penalties: ({ supplier, limit }) => listPenalties(database, { supplier, limit }),
    periods: (query) => supplierPeriods(deps, query),
    verify: () => verifySettlement(deps),
  }
}

/** jsonb keeps members in an order of its own. */
function canonical(mapping: StatementMapping): string {
  const sorted = (value: object): unknown[] =>
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]: [string, unknown]) => [
        name,
        typeof member === 'object' && member !== null ? sorted(member) : member,
      ])
  return JSON.stringify(sorted(mapping))
}
