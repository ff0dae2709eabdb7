import type { Context, Hono } from 'hono'
import type * as z from 'zod'
import {
  DiscrepanciesQuery,
  DiscrepancyDecision,
  FileQuery,
  ImportQuery,
  MonthText,
  PayRequest,
  PayeeRequest,
  PenaltyDecision,
  PenaltyRequest,
  RequestsOfDayQuery,
  RunRequest,
  RunStep,
  RunsQuery,
  Slug,
  StatementMapping,
  StatementsQuery,
  SupplierPeriodsQuery,
} from '#contract'
import type { DecisionReply, ImportReply, VerifyProgress } from '#contract'
import { chinaDate } from '#kernel'
import type { Clock } from '#platform/clock'
import {
  discrepancyView,
  penaltyView,
  runReply,
  runView,
  settledRequestView,
  statementReply,
  statementView,
} from '#settlement'
import type { Settlement } from '#settlement'
import { amountOf } from './control-amounts.ts'
import { readBody } from './control-body.ts'
import type { Caller, SupplyCaller } from './control-caller.ts'
import { LINES, linesOf } from './control-lines.ts'
import { checked, operatorsOnly } from './control-problems.ts'
import { receiveFile } from './control-uploads.ts'

const BODY_BYTES = 256 * 1024
/** A million lines of CSV are a tenth of it. */
const FILE_BYTES = 2 ** 31

interface SettlementRoutes {
  readonly settlement: Settlement
  readonly clock: Clock
  readonly operator: (context: Context) => Promise<Caller>
  readonly supplier: (context: Context) => Promise<SupplyCaller>
}

/** Whose data is meant: a supplier's people always mean their own, and asking for another's is refused. */
function scopeOf({ supplier: own }: SupplyCaller, asked?: string): string | undefined {
  if (own !== undefined && asked !== undefined && asked !== own) throw operatorsOnly({})
  return own ?? asked
}

/** Statements of suppliers, what differs on them, and settlements. A supplier's people see their own and contest penalties. */
export function addSettlement(api: Hono, routes: SettlementRoutes): void {
  addSuppliers(api, routes)
  addStatements(api, routes)
  addDiscrepancies(api, routes)
  addRuns(api, routes)
  addPenalties(api, routes)
}

const query = <Schema extends z.ZodType>(context: Context, schema: Schema) => checked(schema, context.req.query())
const supplierIn = (context: Context): string => checked(Slug, context.req.param('supplier'))
const idIn = (context: Context): string => context.req.param('id') ?? ''

function addSuppliers(api: Hono, { settlement, operator, supplier }: SettlementRoutes): void {
  api.get('/settlement/periods', async (context) => {
    const who = await supplier(context)
    const asked = query(context, SupplierPeriodsQuery)
    return context.json(await settlement.periods({ ...asked, supplier: scopeOf(who, asked.supplier) }))
  })
  api.get('/settlement/suppliers/:supplier/mapping', async (context) => {
    await operator(context)
    return context.json(await settlement.mapping(supplierIn(context)))
  })
  api.post('/settlement/suppliers/:supplier/mapping', async (context) => {
    const { email: by } = await operator(context)
    const mapping = await readBody(context, StatementMapping, BODY_BYTES)
    return context.json(await settlement.setMapping(supplierIn(context), mapping, by))
  })
  api.get('/settlement/suppliers/:supplier/payee', async (context) => {
    await operator(context)
    return context.json((await settlement.payee(supplierIn(context))) ?? null)
  })
  api.post('/settlement/suppliers/:supplier/payee', async (context) => {
    const { email: by } = await operator(context)
    const details = await readBody(context, PayeeRequest, BODY_BYTES)
    return context.json(await settlement.setPayee({ ...details, supplier: supplierIn(context) }, by))
  })
}

function addStatements(api: Hono, { settlement, operator, supplier: whose }: SettlementRoutes): void {
  api.post('/settlement/statements', async (context) => {
    const { email: by } = await operator(context)
    const { supplier, period, file: fileName } = query(context, ImportQuery)
    const upload = await receiveFile(context, FILE_BYTES)
    const work = async (onProgress?: (progress: VerifyProgress) => void): Promise<ImportReply> => {
      await using source = upload
      const { statement, isNew } = await settlement.importStatement({
        ...{ supplier, period, fileName, source, by },
        onProgress: ({ bytes, totalBytes, lines }) =>
          onProgress?.({ step: 1, steps: 1, what: `${lines} lines`, done: bytes, total: totalBytes }),
      })
      return { isNew, statement: statementView(statement) }
    }
    if (context.req.header('accept') !== LINES) return context.json(await work())
    return context.body(linesOf(work), 200, { 'content-type': LINES })
  })
  api.get('/settlement/statements', async (context) => {
    const who = await whose(context)
    const asked = query(context, StatementsQuery)
    const statements = await settlement.statements({ ...asked, supplier: scopeOf(who, asked.supplier) })
    return context.json(statements.map(statementView))
  })
  api.get('/settlement/statements/:id', async (context) => {
    const who = await whose(context)
    return context.json(statementReply(await settlement.statement(idIn(context), scopeOf(who))))
  })
  api.post('/settlement/statements/:id/match', async (context) => {
    const { email: by } = await operator(context)
    await settlement.match({ id: idIn(context), by })
    return context.json(statementReply(await settlement.statement(idIn(context))))
  })
  api.post('/settlement/statements/:id/agree', async (context) => {
    const { email: by } = await operator(context)
    const { note } = await readBody(context, RunStep, BODY_BYTES)
    return context.json(statementView(await settlement.agree({ id: idIn(context), by, note })))
  })
}

function addDiscrepancies(api: Hono, { settlement, operator, supplier }: SettlementRoutes): void {
  api.get('/settlement/statements/:id/discrepancies', async (context) => {
    const who = await supplier(context)
    await settlement.statement(idIn(context), scopeOf(who))
    const asked = query(context, DiscrepanciesQuery)
    return context.json((await settlement.discrepancies({ ...asked, statement: idIn(context) })).map(discrepancyView))
  })
  api.get('/settlement/statements/:id/requests', async (context) => {
    const who = await supplier(context)
    await settlement.statement(idIn(context), scopeOf(who))
    const asked = query(context, RequestsOfDayQuery)
    return context.json((await settlement.requestsOf({ ...asked, statement: idIn(context) })).map(settledRequestView))
  })
  api.post('/settlement/statements/:id/decide', async (context) => {
    const { email: by } = await operator(context)
    const decision = await readBody(context, DiscrepancyDecision, BODY_BYTES)
    const { decided, statement } = await settlement.decide({ id: idIn(context), by, decision })
    return context.json({ decided, statement: statementView(statement) } satisfies DecisionReply)
  })
}

function addRuns(api: Hono, { settlement, clock, operator, supplier: whose }: SettlementRoutes): void {
  api.post('/settlement/runs', async (context) => {
    const { email: by } = await operator(context)
    const { statement } = await readBody(context, RunRequest, BODY_BYTES)
    const run = await settlement.plan({ statement, by })
    return context.json(runReply(await settlement.run(run.id)))
  })
  api.get('/settlement/runs', async (context) => {
    const who = await whose(context)
    const asked = query(context, RunsQuery)
    return context.json((await settlement.runs({ ...asked, supplier: scopeOf(who, asked.supplier) })).map(runView))
  })
  api.get('/settlement/runs/:id', async (context) => {
    const who = await whose(context)
    return context.json(runReply(await settlement.run(idIn(context), scopeOf(who))))
  })
  for (const step of ['recompute', 'review', 'approve', 'post', 'close'] as const)
    api.post(`/settlement/runs/:id/${step}`, async (context) => {
      const { email: by } = await operator(context)
      const { note } = await readBody(context, RunStep, BODY_BYTES)
      await settlement[step]({ id: idIn(context), by, note })
      return context.json(runReply(await settlement.run(idIn(context))))
    })
  api.post('/settlement/runs/:id/pay', async (context) => {
    const { email: by } = await operator(context)
    const { reference } = await readBody(context, PayRequest, BODY_BYTES)
    await settlement.pay({ id: idIn(context), by, reference })
    return context.json(runReply(await settlement.run(idIn(context))))
  })
  api.get('/settlement/runs/:id/pdf', async (context) => {
    const who = await whose(context)
    const { lang: language } = query(context, FileQuery)
    const pdf = await settlement.pdf(idIn(context), { language, supplier: scopeOf(who) })
    return context.body(new Uint8Array(pdf), 200, {
      'content-type': 'application/pdf',
      'content-disposition': 'attachment; filename="settlement.pdf"',
    })
  })
  api.get('/settlement/payment-file', async (context) => {
    await operator(context)
    const name = `payments-${chinaDate(clock.nowMs())}.csv`
    return context.body(await settlement.paymentFile(), 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}"`,
    })
  })
}

function addPenalties(api: Hono, { settlement, operator, supplier: whose }: SettlementRoutes): void {
  api.get('/settlement/penalties', async (context) => {
    const who = await whose(context)
    const { supplier, limit } = query(context, StatementsQuery)
    return context.json((await settlement.penalties({ supplier: scopeOf(who, supplier), limit })).map(penaltyView))
  })
  api.post('/settlement/penalties', async (context) => {
    const { email: by } = await operator(context)
    const { amountYuan, ...asked } = await readBody(context, PenaltyRequest, BODY_BYTES)
    const penalty = { ...asked, amountPico: amountOf(amountYuan) }
    return context.json(penaltyView(await settlement.proposePenalty(penalty, by)))
  })
  api.post('/settlement/suppliers/:supplier/penalties/:period', async (context) => {
    const { email: by } = await operator(context)
    const period = checked(MonthText, context.req.param('period'))
    const all = await settlement.collectPenalties({ supplier: supplierIn(context), period, by })
    return context.json(all.map(penaltyView))
  })
  api.post('/settlement/penalties/:id/decide', async (context) => {
    const who = await whose(context)
    const { decision, reason } = await readBody(context, PenaltyDecision, BODY_BYTES)
    if (who.role === 'supplier' && decision !== 'contest') throw operatorsOnly({})
    const decided = { id: idIn(context), decision, reason, by: who.email, supplier: scopeOf(who) }
    return context.json(penaltyView(await settlement.decidePenalty(decided)))
  })
}
