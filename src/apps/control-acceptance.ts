import type { Context, Hono } from 'hono'
import type { Agreements } from '#agreements'
import type { Catalogue } from '#catalogue'
import { AcceptanceQuery, AcceptancesQuery } from '#contract'
import type { AcceptanceProgress, AcceptanceReply, AcceptanceView, SessionReply } from '#contract'
import { acceptanceHtml, notToBeAccepted, readTrace } from '#quality'
import type { AcceptanceReport, AcceptanceRow, Quality } from '#quality'
import type { Caller } from './control-caller.ts'
import { LINES, linesOf } from './control-lines.ts'
import { partyOf } from './control-parties.ts'
import { checked, invalidRequest } from './control-problems.ts'
import { tokenCounter } from './token-counter.ts'

const TIMEOUT_MS = 300_000
const TRACE_BYTES = 16 * 1024 * 1024

export interface AcceptanceRoutes {
  readonly quality: Quality
  readonly agreements: Agreements
  readonly catalogue: Catalogue
  /** What the environment says under a supplier's `apiKeyEnv`. */
  readonly keyOf: (name: string) => string | undefined
  readonly session: (context: Context) => Promise<SessionReply>
  readonly operator: (context: Context) => Promise<Caller>
}

/** Acceptance of ordered capacity: only a report that passed turns an order into capacity. A supplier reads its own reports. */
export function addAcceptance(api: Hono, routes: AcceptanceRoutes): void {
  const { quality, agreements, session, operator } = routes
  api.post('/quality/acceptances', async (context) => {
    const { email: by } = await operator(context)
    const asked = checked(AcceptanceQuery, context.req.query())
    const trace = await traceOf(context)
    const { subject, counter } = await subjectOf(routes, asked.callOff, asked.trial === 'true')
    const run = async (onProgress: (progress: AcceptanceProgress) => void): Promise<AcceptanceReply> => {
      const row = await quality.accept(
        subject,
        {
          ...{ counter, trace, by, seconds: asked.seconds, burst: asked.burst },
          ...{ inputTokens: asked.inputTokens, outputTokens: asked.outputTokens },
          loadPpm: asked.loadPercent * 10_000,
          fluctuationPpm: asked.fluctuationPercent * 10_000,
        },
        onProgress,
      )
      const accepted = row.passed && asked.trial === 'false'
      if (accepted) {
        const reason = `report ${row.id} passed`
        await agreements.acceptCallOff(asked.callOff, { reportHash: row.hash, reason }, { by })
      }
      return { acceptance: viewOf(row), accepted, judgements: [...reportOf(row).load.judgements] }
    }
    if (context.req.header('accept') !== LINES) return context.json(await run(() => {}))
    return context.body(linesOf(run), 200, { 'content-type': LINES })
  })
  api.get('/quality/acceptances', async (context) => {
    const { supplier, callOff } = checked(AcceptancesQuery, context.req.query())
    const { party } = partyOf(await session(context), { leg: 'supplier', party: supplier })
    const query = { ...(party === undefined ? {} : { supplier: party }), ...(callOff === undefined ? {} : { callOff }) }
    return context.json((await quality.acceptances(query)).map(viewOf))
  })
  const visible = async (context: Context): Promise<AcceptanceRow> => {
    const who = await session(context)
    partyOf(who, { leg: 'supplier' })
    const row = await quality.acceptance(context.req.param('id') ?? '')
    partyOf(who, { leg: 'supplier', party: row.supplier })
    return row
  }
  api.get('/quality/acceptances/:id', async (context) => {
    const { report, hash, signature, publicKey } = await visible(context)
    return context.json({ report, hash, signature, publicKey })
  })
  api.get('/quality/acceptances/:id/html', async (context) => {
    const row = await visible(context)
    return context.html(acceptanceHtml(reportOf(row), row), 200, {
      'content-disposition': `attachment; filename="${row.id}.html"`,
    })
  })
}

const reportOf = ({ report }: AcceptanceRow): AcceptanceReport => JSON.parse(report) as AcceptanceReport

function viewOf({ id, callOff, supplier, model, passed, hash, runBy, endedAtMs }: AcceptanceRow): AcceptanceView {
  return { id, callOff, supplier, model, passed, hash, runBy, endedAtMs }
}

/** Undefined: none was sent. */
async function traceOf(context: Context) {
  if (Number(context.req.header('content-length') ?? 0) > TRACE_BYTES)
    throw invalidRequest({ issues: [{ path: '', message: 'a trace is at most 16 MiB' }] })
  const text = await context.req.text()
  if (text.trim() === '') return undefined
  const trace = readTrace(text)
  if (!('line' in trace)) return trace
  throw invalidRequest({ issues: [{ path: '', message: `line ${trace.line} of the trace is wrong` }] })
}

/** What an order is about: its agreement's unit and its supplier's endpoint. Throws `not_to_be_accepted`. */
async function subjectOf({ agreements, catalogue, keyOf }: AcceptanceRoutes, id: string, isTrial: boolean) {
  const [order] = await agreements.callOffs({ id })
  if (!order) throw notToBeAccepted({ id, why: 'there is no such order' })
  if (!isTrial && order.state !== 'delivered')
    throw notToBeAccepted({ id, why: `it is ${order.state} and not delivered` })
  const [agreement] = await agreements.agreements({ id: order.agreement })
  const { suppliers, services } = await catalogue.snapshot()
  const supplier = suppliers.find((each) => each.id === order.supplier)
  if (!agreement || !supplier) throw notToBeAccepted({ id, why: `no endpoint of ${order.supplier} is declared` })
  const { terms } = agreement
  const service = services.find((each) => terms.services.includes(each.id))
  const counter = service && service.tokenizer.kind !== 'embedded' ? tokenCounter(service.tokenizer) : undefined
  return {
    counter,
    subject: {
      ...{ callOff: id, agreement: agreement.id, supplier: order.supplier, units: order.units, unit: terms.unit },
      target: {
        baseUrl: supplier.baseUrl,
        model: terms.model,
        apiKey: supplier.apiKeyEnv === null ? undefined : keyOf(supplier.apiKeyEnv),
        maxTokensField: supplier.maxTokensField,
        timeoutMs: TIMEOUT_MS,
      },
    },
  }
}
