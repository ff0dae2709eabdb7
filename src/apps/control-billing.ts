import { Readable } from 'node:stream'
import type { Context, Hono } from 'hono'
import type * as z from 'zod'
import {
  documentReply,
  documentView,
  fapiaoView,
  isUscc,
  lineRequestView,
  parseFen,
  paymentView,
  reconcileReply,
  refundView,
} from '#billing'
import type { Billing } from '#billing'
import {
  CreditRequest,
  FapiaoRequestBody,
  FapiaoReverseRequest,
  FileQuery,
  InvoiceRunRequest,
  InvoicesQuery,
  LineRequestsQuery,
  PartyRequest,
  PaymentRequest,
  ReconcileRequest,
  RefundRequest,
} from '#contract'
import { DAY_MS, chinaDate } from '#kernel'
import type { Clock } from '#platform/clock'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { checked, invalidRequest, operatorsOnly } from './control-problems.ts'
import { TenantQuery } from './control-requests.ts'

const BODY_BYTES = 64 * 1024

interface BillingRoutes {
  readonly billing: Billing
  readonly clock: Clock
  readonly caller: (context: Context) => Promise<Caller>
  readonly operator: (context: Context) => Promise<Caller>
  /** Throws where nobody is called so. */
  readonly requireTenant: (tenant: string) => Promise<void>
}

/** Documents, payments and reconciliation. A tenant's user sees the own tenant's documents and no other's. */
export function addBilling(api: Hono, routes: BillingRoutes): void {
  addDocuments(api, routes)
  addMoney(api, routes)
  addParties(api, routes)
  addFapiaos(api, routes)
}

/** Undefined: everybody's. Asking for another's is refused without saying whether it exists. */
function scopeOf(who: Caller, tenant?: string): { readonly tenant?: string } {
  if (who.role === 'operator') return tenant === undefined ? {} : { tenant }
  if (who.tenant === null || (tenant !== undefined && tenant !== who.tenant)) throw operatorsOnly({})
  return { tenant: who.tenant }
}

const query = <Schema extends z.ZodType>(context: Context, schema: Schema) => checked(schema, context.req.query())

function addDocuments(api: Hono, { billing, caller, operator, requireTenant }: BillingRoutes): void {
  api.post('/invoices/run', async (context) => {
    const { email: by } = await operator(context)
    const { period, tenant, hold } = await readBody(context, InvoiceRunRequest, BODY_BYTES)
    if (tenant !== undefined) await requireTenant(tenant)
    const result = await billing.run({
      by,
      ...(period === undefined ? {} : { period }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(hold === undefined ? {} : { hold }),
    })
    return context.json({ ...result, documents: result.documents.map(documentView) })
  })
  api.get('/invoices', async (context) => {
    const who = await caller(context)
    const { tenant, period, state, kind, limit, before } = query(context, InvoicesQuery)
    const documents = await billing.documents({
      ...scopeOf(who, tenant),
      limit,
      ...(period === undefined ? {} : { period }),
      ...(state === undefined ? {} : { state }),
      ...(kind === undefined ? {} : { kind }),
      ...(before === undefined ? {} : { before }),
    })
    return context.json(documents.map(documentView))
  })
  api.get('/invoices/:id', async (context) => {
    const who = await caller(context)
    const detail = await billing.document(context.req.param('id'), scopeOf(who).tenant)
    return context.json(documentReply(detail, { withEvents: who.role === 'operator' }))
  })
  for (const wanted of ['issue', 'hold'] as const)
    api.post(`/invoices/:id/${wanted}`, async (context) => {
      const { email: by } = await operator(context)
      const state = wanted === 'issue' ? 'sent' : 'onHold'
      return context.json(documentView(await billing.decide({ id: context.req.param('id'), wanted: state, by })))
    })
  api.get('/invoices/:id/lines/:position/requests', async (context) => {
    const who = await caller(context)
    const { limit, after } = query(context, LineRequestsQuery)
    const records = await billing.requests({
      document: context.req.param('id'),
      position: Number(context.req.param('position')),
      ...scopeOf(who),
      limit,
      ...(after === undefined ? {} : { after }),
    })
    return context.json(records.map(lineRequestView))
  })
  addFiles(api, { billing, caller })
}

function addFiles(api: Hono, { billing, caller }: Pick<BillingRoutes, 'billing' | 'caller'>): void {
  const file = async (context: Context) => {
    const who = await caller(context)
    const { lang } = query(context, FileQuery)
    const id = context.req.param('id') ?? ''
    const { document } = await billing.document(id, scopeOf(who).tenant)
    const named = (ending: string, type: string) => ({
      'content-type': type,
      'content-disposition': `attachment; filename="${document.number ?? document.id}.${ending}"`,
    })
    return { id: document.id, language: lang, named }
  }
  api.get('/invoices/:id/pdf', async (context) => {
    const { id, language, named } = await file(context)
    const pdf = await billing.pdf(id, { language })
    return context.body(new Uint8Array(pdf), 200, named('pdf', 'application/pdf'))
  })
  api.get('/invoices/:id/csv', async (context) => {
    const { id, language, named } = await file(context)
    const csv = await billing.csv(id, { language })
    return context.body(Readable.toWeb(csv) as ReadableStream, 200, named('csv', 'text/csv; charset=utf-8'))
  })
  api.get('/invoices/:id/xlsx', async (context) => {
    const { id, language, named } = await file(context)
    const book = await billing.xlsx(id, { language })
    const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
    return context.body(new Uint8Array(book), 200, named('xlsx', type))
  })
}

function addMoney(api: Hono, { billing, clock, caller, operator, requireTenant }: BillingRoutes): void {
  api.post('/payments', async (context) => {
    const { email: by } = await operator(context)
    const { reference, tenant, amountYuan, document } = await readBody(context, PaymentRequest, BODY_BYTES)
    await requireTenant(tenant)
    const amountFen = fenOf(amountYuan)
    const { payment } = await billing.pay({
      reference,
      tenant,
      amountFen,
      by,
      ...(document === undefined ? {} : { document }),
    })
    return context.json(paymentView(payment))
  })
  api.get('/payments', async (context) => {
    const who = await caller(context)
    const { tenant } = scopeOf(who, query(context, TenantQuery).tenant)
    return context.json((await billing.payments({ tenant, limit: 500 })).map(paymentView))
  })
  api.post('/refunds', async (context) => {
    const { email: by } = await operator(context)
    const { reference, tenant, amountYuan } = await readBody(context, RefundRequest, BODY_BYTES)
    await requireTenant(tenant)
    return context.json(
      refundView(await billing.requestRefund({ reference, tenant, amountFen: fenOf(amountYuan), by })),
    )
  })
  api.post('/refunds/:reference/paid', async (context) => {
    const { email: by } = await operator(context)
    return context.json(refundView(await billing.payRefund({ reference: context.req.param('reference'), by })))
  })
  api.get('/refunds', async (context) => {
    const who = await caller(context)
    const { tenant } = scopeOf(who, query(context, TenantQuery).tenant)
    return context.json((await billing.refunds({ tenant, limit: 500 })).map(refundView))
  })
  api.post('/invoices/:id/credit', async (context) => {
    const { email: by } = await operator(context)
    const { reference, reason, lines } = await readBody(context, CreditRequest, BODY_BYTES)
    const { document } = await billing.credit({
      document: context.req.param('id'),
      ...{ reference, reason, by },
      ...(lines === undefined
        ? {}
        : { lines: lines.map(({ position, amountYuan }) => ({ position, grossFen: fenOf(amountYuan) })) }),
    })
    return context.json(documentView(document))
  })
  api.post('/reconcile', async (context) => {
    await operator(context)
    const { day } = await readBody(context, ReconcileRequest, BODY_BYTES)
    return context.json(reconcileReply(await billing.reconcile(day ?? chinaDate(clock.nowMs() - DAY_MS))))
  })
}

function addParties(api: Hono, { billing, caller, operator, requireTenant }: BillingRoutes): void {
  const party = async (context: Context) => {
    const details = await readBody(context, PartyRequest, BODY_BYTES)
    if (details.uscc === null || isUscc(details.uscc)) return details
    throw invalidRequest({
      issues: [{ path: 'uscc', message: 'not a unified social credit code: the check character does not fit' }],
    })
  }
  api.get('/billing/seller', async (context) => {
    await caller(context)
    return context.json(await billing.seller())
  })
  api.post('/billing/seller', async (context) => {
    const { email: by } = await operator(context)
    await billing.setSeller(await party(context), by)
    return context.json(await billing.seller())
  })
  api.get('/billing/buyers/:tenant', async (context) => {
    const { tenant = '' } = scopeOf(await caller(context), context.req.param('tenant'))
    await requireTenant(tenant)
    return context.json(await billing.buyer(tenant))
  })
  api.post('/billing/buyers/:tenant', async (context) => {
    const { email: by } = await operator(context)
    const tenant = context.req.param('tenant')
    await requireTenant(tenant)
    await billing.setBuyer(tenant, await party(context), by)
    return context.json(await billing.buyer(tenant))
  })
}

function addFapiaos(api: Hono, { billing, caller, operator }: BillingRoutes): void {
  api.post('/invoices/:id/fapiao', async (context) => {
    const who = await caller(context)
    const { kind } = await readBody(context, FapiaoRequestBody, BODY_BYTES)
    const { document } = await billing.document(context.req.param('id'), scopeOf(who).tenant)
    return context.json(fapiaoView(await billing.requestFapiao({ document: document.id, kind, by: who.email })))
  })
  api.post('/invoices/:id/fapiao/advance', async (context) => {
    await operator(context)
    return context.json(fapiaoView(await billing.advanceFapiao({ document: context.req.param('id') })))
  })
  api.post('/invoices/:id/fapiao/reverse', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, FapiaoReverseRequest, BODY_BYTES)
    return context.json(fapiaoView(await billing.reverseFapiao({ document: context.req.param('id'), reason, by })))
  })
}

function fenOf(amountYuan: string): bigint {
  try {
    const fen = parseFen(amountYuan)
    if (fen > 0n) return fen
  } catch {
    // Told below in the words of the API.
  }
  throw invalidRequest({
    issues: [{ path: 'amountYuan', message: 'not an amount above zero in yuan and fen such as 100 or 0.50' }],
  })
}
