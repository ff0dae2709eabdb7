import type { Context, Hono } from 'hono'
import type { Agreements } from '#agreements'
import {
  AgreementRequest,
  ApplyRequest,
  BidRequest,
  CallOffRequest,
  DeliveryRequest,
  EvaluationRequest,
  ObjectionDecision,
  ObjectionRequest,
  ReasonRequest,
  SharesRequest,
} from '#contract'
import { parseYuan } from '#kernel'
import { readBody } from './control-body.ts'
import type { Caller, SupplyCaller } from './control-caller.ts'
import { checked, unknownPath } from './control-problems.ts'
import { SupplyQuery } from './control-requests.ts'

const BODY_BYTES = 64 * 1024
const FILE_BODY_BYTES = 4 * 1024 * 1024

interface SupplyRoutes {
  readonly agreements: Agreements
  readonly operator: (context: Context) => Promise<Caller>
  readonly supplier: (context: Context) => Promise<SupplyCaller>
}

/** Procurement: projects, packages, agreements and call-off orders. A supplier's people see and do what is their supplier's. */
export function addSupply(api: Hono, routes: SupplyRoutes): void {
  addProjects(api, routes)
  addAgreements(api, routes)
  addCallOffs(api, routes)
}

/** A package's id holds a slash, so its parts stand in the path one by one. */
const packageOf = (context: Context): string =>
  `${context.req.param('project') ?? ''}/${context.req.param('package') ?? ''}`

function addProjects(api: Hono, { agreements, operator }: SupplyRoutes): void {
  const at = '/supply/projects/:project/packages/:package'
  api.get('/supply/suppliers', async (context) => {
    await operator(context)
    return context.json(await agreements.suppliers())
  })
  api.get('/supply/projects', async (context) => {
    await operator(context)
    return context.json(await agreements.projects())
  })
  api.get('/supply/projects/:project', async (context) => {
    await operator(context)
    return context.json(await agreements.project(context.req.param('project')))
  })
  api.post('/supply/projects', async (context) => {
    const { email: by } = await operator(context)
    const { document, fileName = 'tender.yaml' } = await readBody(context, ApplyRequest, FILE_BODY_BYTES)
    const { created, project } = await agreements.applyTender(document, fileName, { by })
    return context.json(project, created ? 201 : 200)
  })
  api.get(at, async (context) => {
    await operator(context)
    return context.json(await agreements.package(packageOf(context)))
  })
  api.post(`${at}/bids`, async (context) => {
    const { email: by } = await operator(context)
    const { supplier, priceYuan, documentHash, receivedAt } = await readBody(context, BidRequest, BODY_BYTES)
    const bid = { supplier, pricePico: parseYuan(priceYuan), documentHash }
    const received = receivedAt === undefined ? bid : { ...bid, receivedAtMs: receivedAt }
    return context.json(await agreements.recordBid(packageOf(context), received, { by }), 201)
  })
  api.post(`${at}/evaluation`, async (context) => {
    const { email: by } = await operator(context)
    const { scores, reason } = await readBody(context, EvaluationRequest, BODY_BYTES)
    return context.json(await agreements.evaluate(packageOf(context), scores, { by }, reason))
  })
  api.post(`${at}/candidates`, async (context) => {
    const { email: by } = await operator(context)
    const { shares, reason } = await readBody(context, SharesRequest, BODY_BYTES)
    return context.json(await agreements.publish(packageOf(context), shares, { by }, reason))
  })
  api.post(`${at}/objections`, async (context) => {
    await operator(context)
    return context.json(
      await agreements.object(packageOf(context), await readBody(context, ObjectionRequest, BODY_BYTES)),
      201,
    )
  })
  api.post(`${at}/objections/:seq`, async (context) => {
    const { email: by } = await operator(context)
    const { decision, reason } = await readBody(context, ObjectionDecision, BODY_BYTES)
    const seq = Number(context.req.param('seq'))
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > 1_000_000) throw unknownPath({ path: context.req.path })
    return context.json(await agreements.decide({ id: packageOf(context), seq, decision, reason }, { by }))
  })
  for (const [name, act] of [
    ['open', agreements.openBidding],
    ['award', agreements.award],
  ] as const)
    api.post(`${at}/${name}`, async (context) => {
      const { email: by } = await operator(context)
      const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
      return context.json(await act(packageOf(context), { by }, reason))
    })
}

function addAgreements(api: Hono, { agreements, operator, supplier }: SupplyRoutes): void {
  api.get('/supply/agreements', async (context) => {
    const who = await supplier(context)
    const asked = checked(SupplyQuery, context.req.query())
    const found = await agreements.agreements({ ...asked, ...only(who) })
    return context.json(who.supplier === undefined ? found : found.filter(({ signedBy }) => signedBy !== null))
  })
  api.post('/supply/agreements', async (context) => {
    const { email: by } = await operator(context)
    const { validFrom, ...wanted } = await readBody(context, AgreementRequest, BODY_BYTES)
    return context.json(await agreements.draft({ ...wanted, validFromMs: validFrom }, { by }), 201)
  })
  for (const name of ['submit', 'sign', 'suspend', 'resume', 'terminate'] as const)
    api.post(`/supply/agreements/:id/${name}`, async (context) => {
      const { email: by } = await operator(context)
      const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
      return context.json(await agreements[name](context.req.param('id'), { by }, reason))
    })
}

function addCallOffs(api: Hono, { agreements, operator, supplier }: SupplyRoutes): void {
  api.get('/supply/call-offs', async (context) => {
    const who = await supplier(context)
    const found = await agreements.callOffs({ ...checked(SupplyQuery, context.req.query()), ...only(who) })
    return context.json(who.supplier === undefined ? found : found.filter(({ issuedBy }) => issuedBy !== null))
  })
  api.post('/supply/call-offs', async (context) => {
    const { email: by } = await operator(context)
    return context.json(await agreements.propose(await readBody(context, CallOffRequest, BODY_BYTES), { by }), 201)
  })
  api.post('/supply/call-offs/:id/issue', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
    return context.json(await agreements.issue(context.req.param('id'), { by }, reason))
  })
  for (const [name, act] of [
    ['acknowledge', agreements.acknowledge],
    ['start-delivery', agreements.startDelivery],
  ] as const)
    api.post(`/supply/call-offs/:id/${name}`, async (context) => {
      const who = await supplier(context)
      const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
      return context.json(await act(context.req.param('id'), { by: who.email }, reason, who.supplier))
    })
  api.post('/supply/call-offs/:id/deliveries', async (context) => {
    const who = await supplier(context)
    const { units } = await readBody(context, DeliveryRequest, BODY_BYTES)
    return context.json(await agreements.deliver(context.req.param('id'), units, { by: who.email }, who.supplier), 201)
  })
  api.post('/supply/call-offs/:id/resume-clock', async (context) => {
    await operator(context)
    return context.json(await agreements.resumeClock(context.req.param('id')))
  })
  for (const [name, act] of [
    ['reject', agreements.reject],
    ['stop-clock', agreements.stopClock],
    ['revoke', agreements.revokeAcceptance],
    ['terminate', agreements.terminateCallOff],
  ] as const)
    api.post(`/supply/call-offs/:id/${name}`, async (context) => {
      const { email: by } = await operator(context)
      const { reason } = await readBody(context, ReasonRequest, BODY_BYTES)
      return context.json(await act(context.req.param('id'), { by }, reason))
    })
}

/** A supplier's people see their supplier's, whatever they ask for, and nothing that the buyer still ponders. */
function only(who: SupplyCaller): { readonly supplier?: string } {
  return who.supplier === undefined ? {} : { supplier: who.supplier }
}
