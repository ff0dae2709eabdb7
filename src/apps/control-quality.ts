import type { Context, Hono } from 'hono'
import { AuditSettingsRequest, DecideCaseRequest, ReasonRequest, SupplierQuery } from '#contract'
import type { AuditView, CaseReply, CaseView, SessionReply } from '#contract'
import { evidenceLog10 } from '#quality'
import type { AuditCase, AuditStream, Quality } from '#quality'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { partyOf } from './control-parties.ts'
import { byteStream } from './control-streams.ts'
import { checked } from './control-problems.ts'

const BODY_BYTES = 64 * 1024

export interface QualityRoutes {
  readonly quality: Quality
  readonly session: (context: Context) => Promise<SessionReply>
  readonly operator: (context: Context) => Promise<Caller>
}

/** Audits of token counts, and the cases they lead to. A supplier sees its own and answers them. */
export function addQuality(api: Hono, { quality, session, operator }: QualityRoutes): void {
  /** The supplier that is meant: a supplier's people mean their own. */
  const ofSupplier = async (context: Context): Promise<{ supplier?: string }> => {
    const { supplier: asked } = checked(SupplierQuery, context.req.query())
    const { party } = partyOf(await session(context), { leg: 'supplier', party: asked })
    return party === undefined ? {} : { supplier: party }
  }
  const visibleCase = async (context: Context) => {
    const who = await session(context)
    partyOf(who, { leg: 'supplier' })
    const found = await quality.case(context.req.param('id') ?? '')
    partyOf(who, { leg: 'supplier', party: found.case.supplier })
    return { who, ...found }
  }
  api.get('/quality/audits', async (context) =>
    context.json((await quality.audits(await ofSupplier(context))).map(auditView)),
  )
  api.post('/quality/audit-settings', async (context) => {
    const { email: by } = await operator(context)
    const { settings, reason, ...key } = await readBody(context, AuditSettingsRequest, BODY_BYTES)
    await quality.decideSettings(key, settings, { by, reason })
    return context.json((await quality.audits({ supplier: key.supplier })).map(auditView))
  })
  api.get('/quality/cases', async (context) =>
    context.json((await quality.cases(await ofSupplier(context))).map(caseView)),
  )
  api.get('/quality/cases/:id', async (context) => {
    const { case: one, events } = await visibleCase(context)
    return context.json({ case: caseView(one), events } satisfies CaseReply)
  })
  api.post('/quality/cases/:id/decide', async (context) => {
    const { email: by } = await operator(context)
    const { to, reason } = await readBody(context, DecideCaseRequest, BODY_BYTES)
    return context.json(caseView(await quality.decideCase(context.req.param('id'), to, { by, reason })))
  })
  api.post('/quality/cases/:id/answer', async (context) => {
    const { who, case: one } = await visibleCase(context)
    const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
    return context.json(caseView(await quality.answerCase(one.id, { by: who.email, reason })))
  })
  api.get('/quality/cases/:id/evidence', async (context) => {
    const { id } = (await visibleCase(context)).case
    const csv = byteStream(await quality.evidence(id))
    return context.body(csv, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${id}.csv"`,
    })
  })
}

function auditView(stream: AuditStream): AuditView {
  const { meanWealth, excessWealth, ...rest } = stream
  return { ...rest, meanLog10: evidenceLog10(meanWealth), excessLog10: evidenceLog10(excessWealth) }
}

function caseView(one: AuditCase): CaseView {
  const { id, supplier, model, side, epoch, test, number, evidence, state, openedAtMs, disputedBy } = one
  return { id, supplier, model, side, epoch, test, number, evidenceLog10: evidence, state, openedAtMs, disputedBy }
}
