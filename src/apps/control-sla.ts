import type { Context, Hono } from 'hono'
import {
  CreditsQuery,
  DecideCreditRequest,
  DeclareTermsRequest,
  IndicatorsQuery,
  ReportCsvQuery,
  ReportRunRequest,
  ReportsQuery,
  SlaReportView,
} from '#contract'
import type { CreditReply, CreditView, IndicatorView, SessionReply } from '#contract'
import type { Quality, ReportRow, SlaCredit, SliSums } from '#quality'
import type { Clock } from '#platform/clock'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { partyOf } from './control-parties.ts'
import { byteStream } from './control-streams.ts'
import { checked, operatorsOnly } from './control-problems.ts'

const BODY_BYTES = 64 * 1024
const DAY_MS = 86_400_000
const ALERTS = 200

export interface SlaRoutes {
  readonly quality: Quality
  readonly clock: Clock
  readonly session: (context: Context) => Promise<SessionReply>
  readonly operator: (context: Context) => Promise<Caller>
}

/** Service levels: terms, indicators, alerts, monthly reports, credits and penalties. */
export function addSla(api: Hono, routes: SlaRoutes): void {
  addLevels(api, routes)
  addReports(api, routes)
  addCredits(api, routes)
}

function addLevels(api: Hono, { quality, clock, session, operator }: SlaRoutes): void {
  api.get('/quality/terms', async (context) => {
    await operator(context)
    return context.json(await quality.terms())
  })
  api.post('/quality/terms', async (context) => {
    const { email: by } = await operator(context)
    const { terms, reason } = await readBody(context, DeclareTermsRequest, BODY_BYTES)
    await quality.declareTerms(terms, { by, reason })
    return context.json(await quality.terms())
  })
  api.get('/quality/indicators', async (context) => {
    const who = await session(context)
    const { fromMs, toMs, ...asked } = checked(IndicatorsQuery, context.req.query())
    const until = toMs ?? clock.nowMs()
    const sums = await quality.indicators({ fromMs: fromMs ?? until - DAY_MS, toMs: until, ...partyOf(who, asked) })
    return context.json(sums.map(indicatorView))
  })
  api.get('/quality/alerts', async (context) => {
    await operator(context)
    return context.json(await quality.alerts({ limit: ALERTS }))
  })
}

function addReports(api: Hono, { quality, session, operator }: SlaRoutes): void {
  api.post('/quality/reports/run', async (context) => {
    const { email: by } = await operator(context)
    const { period } = await readBody(context, ReportRunRequest, BODY_BYTES)
    await quality.digest()
    return context.json((await quality.computeReports(period, by)).map(reportView))
  })
  api.get('/quality/reports', async (context) => {
    const who = await session(context)
    const { period, ...asked } = checked(ReportsQuery, context.req.query())
    return context.json((await quality.reports({ period, ...partyOf(who, asked) })).map(reportView))
  })
  api.get('/quality/reports/csv', async (context) => {
    const who = await session(context)
    const asked = checked(ReportCsvQuery, context.req.query())
    partyOf(who, asked)
    const csv = byteStream(quality.reportCsv(asked))
    return context.body(csv, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="sla-${asked.party}-${asked.period}.csv"`,
    })
  })
}

function addCredits(api: Hono, { quality, session }: SlaRoutes): void {
  /** One that the caller may see; whether another's exists is not said. */
  const visible = async (context: Context) => {
    const who = await session(context)
    const found = await quality.credit(context.req.param('id') ?? '')
    if (who.role !== 'operator') partyOf(who, found.credit)
    return { who, ...found }
  }
  api.get('/quality/credits', async (context) => {
    const who = await session(context)
    const { period, state, ...asked } = checked(CreditsQuery, context.req.query())
    const query = { ...(period === undefined ? {} : { period }), ...(state === undefined ? {} : { state }) }
    return context.json((await quality.credits({ ...query, ...partyOf(who, asked) })).map(creditView))
  })
  api.get('/quality/credits/:id', async (context) => {
    const { who, credit, events, otherSide } = await visible(context)
    return context.json({
      credit: creditView(credit),
      events: events.map(({ what, by, reason, atMs }) => ({ what, by, reason, atMs })),
      otherSide: who.role === 'operator' ? otherSide.map(creditView) : [],
    } satisfies CreditReply)
  })
  api.post('/quality/credits/:id/decide', async (context) => {
    const { who, credit } = await visible(context)
    const { to, reason } = await readBody(context, DecideCreditRequest, BODY_BYTES)
    if (who.role !== 'operator' && to !== 'contested') throw operatorsOnly({})
    const decided = await quality.decideCredit(credit.id, to, { by: who.email, reason })
    // What is approved reaches the wallet now; if that fails, the job does it.
    if (to === 'approved') await quality.applyCredits()
    return context.json(creditView(decided))
  })
}

const indicatorView = (sums: SliSums): IndicatorView => ({
  ...sums,
  netPico: `${sums.netPico}`,
  taxPico: `${sums.taxPico}`,
})
const reportView = (row: ReportRow): SlaReportView => SlaReportView.parse(row)
const creditView = (one: SlaCredit): CreditView => ({ ...one, netPico: `${one.netPico}`, taxPico: `${one.taxPico}` })
