import { Readable } from 'node:stream'
import type { Context, Hono } from 'hono'
import { AuditSettingsRequest, DecideCaseRequest, ReasonRequest, SupplierQuery } from '#contract'
import type { AuditView, CaseReply, CaseView } from '#contract'
import { evidenceLog10 } from '#quality'
import type { AuditCase, AuditStream, Quality } from '#quality'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { checked } from './control-problems.ts'

const BODY_BYTES = 64 * 1024

export interface QualityRoutes {
  readonly quality: Quality
  readonly caller: (context: Context) => Promise<Caller>
  readonly operator: (context: Context) => Promise<Caller>
}

/** Audits of token counts, and the cases they lead to. */
export function addQuality(api: Hono, { quality, operator }: QualityRoutes): void {
  api.get('/quality/audits', async (context) => {
    await operator(context)
    return context.json((await quality.audits(ofSupplier(context))).map(auditView))
  })
  api.post('/quality/audit-settings', async (context) => {
    const { email: by } = await operator(context)
    const { settings, reason, ...key } = await readBody(context, AuditSettingsRequest, BODY_BYTES)
    await quality.decideSettings(key, settings, { by, reason })
    return context.json((await quality.audits({ supplier: key.supplier })).map(auditView))
  })
  api.get('/quality/cases', async (context) => {
    await operator(context)
    return context.json((await quality.cases(ofSupplier(context))).map(caseView))
  })
  api.get('/quality/cases/:id', async (context) => {
    await operator(context)
    const { case: one, events } = await quality.case(context.req.param('id'))
    return context.json({ case: caseView(one), events } satisfies CaseReply)
  })
  api.post('/quality/cases/:id/decide', async (context) => {
    const { email: by } = await operator(context)
    const { to, reason } = await readBody(context, DecideCaseRequest, BODY_BYTES)
    return context.json(caseView(await quality.decideCase(context.req.param('id'), to, { by, reason })))
  })
  api.post('/quality/cases/:id/answer', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
    return context.json(caseView(await quality.answerCase(context.req.param('id'), { by, reason })))
  })
  api.get('/quality/cases/:id/evidence', async (context) => {
    await operator(context)
    const id = context.req.param('id')
    const csv = Readable.from(await quality.evidence(id))
    return context.body(Readable.toWeb(csv) as ReadableStream, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${id}.csv"`,
    })
  })
}

const ofSupplier = (context: Context): { supplier?: string } => {
  const { supplier } = checked(SupplierQuery, context.req.query())
  return supplier === undefined ? {} : { supplier }
}

function auditView(stream: AuditStream): AuditView {
  const { meanWealth, excessWealth, ...rest } = stream
  return { ...rest, meanLog10: evidenceLog10(meanWealth), excessLog10: evidenceLog10(excessWealth) }
}

function caseView(one: AuditCase): CaseView {
  const { id, supplier, model, side, epoch, test, number, evidence, state, openedAtMs, disputedBy } = one
  return { id, supplier, model, side, epoch, test, number, evidenceLog10: evidence, state, openedAtMs, disputedBy }
}
