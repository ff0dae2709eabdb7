import { Hono } from 'hono'
import type { Context } from 'hono'
import type * as z from 'zod'
import { ApplyRequest, CreateKeyRequest, ServiceName, SignInRequest, TopupRequest } from '#contract'
import type { InfoReply, PlaygroundKeyReply, SessionReply, TenantView } from '#contract'
import type { Agreements } from '#agreements'
import type { Billing } from '#billing'
import type { Catalogue, Drains, Offers } from '#catalogue'
import type { Charging } from '#charging'
import { unknownTenant } from '#identity'
import type { Identity } from '#identity'
import type { Noc } from '#noc'
import type { Ordering } from '#ordering'
import type { Settlement } from '#settlement'
import type { Clock } from '#platform/clock'
import { amountOf } from './control-amounts.ts'
import { addAcceptance } from './control-acceptance.ts'
import { addBilling } from './control-billing.ts'
import { readBody } from './control-body.ts'
import {
  callerOf,
  closeSessionCookie,
  openSessionCookie,
  requireOwnSite,
  sessionOf,
  supplyCallerOf,
} from './control-caller.ts'
import type { Caller } from './control-caller.ts'
import { addCorrections } from './control-corrections.ts'
import { addDesk } from './control-desk.ts'
import { addMeans } from './control-means.ts'
import { addNoc } from './control-noc.ts'
import { addOrdering } from './control-ordering.ts'
import { addQuality } from './control-quality.ts'
import { addSla } from './control-sla.ts'
import type { Quality } from '#quality'
import { addSupply } from './control-supply.ts'
import { addSettlement } from './control-settlement.ts'
import { addVerify } from './control-verify.ts'
import { checked, invalidRequest, operatorsOnly, unknownPath, unknownRequest } from './control-problems.ts'
import {
  CreateAccountRequest,
  LedgerQuery,
  LiveQuery,
  PlaygroundRequest,
  RequestsQuery,
  TenantQuery,
  UsageQuery,
} from './control-requests.ts'
import { explanationForTenant, postingForTenant, requestForTenant, usageForTenant } from './control-redaction.ts'

export interface ApiDeps {
  readonly identity: Identity
  readonly catalogue: Catalogue
  readonly charging: Charging
  readonly billing: Billing
  readonly offers: Offers
  readonly ordering: Ordering
  readonly quality: Quality
  /** What the environment says under a supplier's `apiKeyEnv`. */
  readonly supplierKeyOf: (name: string) => string | undefined
  readonly agreements: Agreements
  readonly drains: Drains
  readonly noc: Noc
  readonly settlement: Settlement
  readonly clock: Clock
  readonly info: InfoReply
  readonly adminToken: string
  readonly allowedHosts: readonly string[]
  /** Where a request comes from, for counting failures to sign in. */
  readonly callerAddress: (context: Context) => string
}

const SMALL_BODY_BYTES = 16 * 1024
/** The source text of a factory file, which JSON may write with escapes. */
const FILE_BODY_BYTES = 4 * 1024 * 1024
const DAY_MS = 86_400_000
const END_OF_TIME_MS = Date.UTC(10_000, 0, 1) - 1

/** The console's and the CLI's own API. Each handler reads top to bottom: who asks, for whom, what is asked, the answer. */
export function createApi(deps: ApiDeps): Hono {
  const { identity, catalogue, charging, billing, offers, ordering, quality, settlement, clock, info } = deps
  const api = new Hono()
  const caller = (context: Context) => callerOf(context, deps)
  const query = <Schema extends z.ZodType>(context: Context, schema: Schema) => checked(schema, context.req.query())

  const operator = async (context: Context): Promise<Caller> => {
    const who = await caller(context)
    if (who.role !== 'operator') throw operatorsOnly({})
    return who
  }

  /** Whose data is meant. A tenant's user always means the own; asking for another's is refused without saying whether it exists. */
  const scope = (who: Caller, tenant: string | undefined): string | undefined => {
    if (who.role === 'operator') return tenant
    if (tenant !== undefined && tenant !== who.tenant) throw operatorsOnly({})
    return who.tenant
  }

  const oneTenant = async (who: Caller, tenant: string | undefined): Promise<string> => {
    const one = scope(who, tenant)
    if (one === undefined) throw invalidRequest({ issues: [{ path: 'tenant', message: 'which tenant?' }] })
    return one
  }

  api.use(async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
    if (context.req.method !== 'GET') catalogue.wake()
  })

  api.get('/session', async (context) => {
    return context.json((await sessionOf(context, deps)) satisfies SessionReply)
  })
  api.post('/session', async (context) => {
    requireOwnSite(context, deps.allowedHosts)
    const { email, password } = await readBody(context, SignInRequest, SMALL_BODY_BYTES)
    const session = await identity.signIn({ email, password, caller: deps.callerAddress(context) })
    openSessionCookie(context, session, clock.nowMs())
    const { role, tenant, supplier } = session
    return context.json({ email: session.email, role, tenant, supplier } satisfies SessionReply)
  })
  api.delete('/session', async (context) => {
    requireOwnSite(context, deps.allowedHosts)
    const token = closeSessionCookie(context)
    if (token !== undefined) await identity.signOut(token)
    return context.body(null, 204)
  })

  api.get('/info', async (context) => {
    await sessionOf(context, deps)
    return context.json(info)
  })

  api.post('/apply', async (context) => {
    await operator(context)
    const {
      document,
      fileName = 'factory.yaml',
      dryRun = false,
    } = await readBody(context, ApplyRequest, FILE_BODY_BYTES)
    return context.json(await catalogue.apply({ text: document, fileName, dryRun }))
  })

  api.get('/suppliers', async (context) => {
    await operator(context)
    return context.json(await catalogue.suppliers())
  })
  api.get('/services', async (context) => {
    const who = await caller(context)
    return context.json(await catalogue.services(scope(who, query(context, TenantQuery).tenant)))
  })

  api.get('/tenants', async (context) => {
    const who = await caller(context)
    const only = scope(who, query(context, TenantQuery).tenant)
    const tenants = await identity.tenants(only)
    const balances = new Map(
      (only === undefined ? await charging.wallets() : [await charging.balance(only)]).map((one) => [one.tenant, one]),
    )
    const views = tenants.map((tenant): TenantView => {
      const balance = balances.get(tenant.id)
      return { ...tenant, postedPico: balance?.postedPico ?? '0', escrowedPico: balance?.escrowedPico ?? '0' }
    })
    return context.json(views)
  })

  api.get('/keys', async (context) => {
    const who = await caller(context)
    return context.json(await identity.keys(scope(who, query(context, TenantQuery).tenant)))
  })
  api.post('/keys', async (context) => {
    const who = await caller(context)
    const {
      tenant,
      name,
      limits = {},
      expiresAtMs = null,
    } = await readBody(context, CreateKeyRequest, SMALL_BODY_BYTES)
    if (expiresAtMs !== null && expiresAtMs > END_OF_TIME_MS)
      throw invalidRequest({ issues: [{ path: 'expiresAtMs', message: 'is after the year 9999' }] })
    return context.json(
      await identity.createKey({ tenant: await oneTenant(who, tenant), name, limits, expiresAtMs }),
      201,
    )
  })
  api.post('/keys/:id/revoke', async (context) => {
    const who = await caller(context)
    return context.json(await identity.revokeKey(context.req.param('id'), scope(who, undefined)))
  })

  api.post('/users', async (context) => {
    await operator(context)
    const { email, tenant, supplier } = await readBody(context, CreateAccountRequest, SMALL_BODY_BYTES)
    const role = supplier !== null ? 'supplier' : tenant === null ? 'operator' : 'tenant'
    return context.json(await identity.createAccount({ email, role, tenant, supplier }), 201)
  })

  api.post('/topups', async (context) => {
    await operator(context)
    const { tenant, amountYuan, reference } = await readBody(context, TopupRequest, SMALL_BODY_BYTES)
    await requireTenant(identity, tenant)
    return context.json(await charging.topup({ tenant, amountPico: amountOf(amountYuan), reference }))
  })
  api.get('/balance', async (context) => {
    const who = await caller(context)
    const tenant = await oneTenant(who, query(context, TenantQuery).tenant)
    await requireTenant(identity, tenant)
    return context.json(await charging.balance(tenant))
  })
  api.get('/ledger', async (context) => {
    const who = await caller(context)
    const { tenant, limit, before } = query(context, LedgerQuery)
    const postings = await charging.postings({
      ...whose(scope(who, tenant)),
      limit,
      ...(before === undefined ? {} : { before }),
    })
    return context.json(
      who.role === 'operator' ? postings : postings.map((posting) => postingForTenant(posting, who.tenant)),
    )
  })

  api.get('/usage', async (context) => {
    const who = await caller(context)
    const { tenant, by, fromMs, toMs } = query(context, UsageQuery)
    if (who.role === 'tenant' && by === 'supplier') throw operatorsOnly({})
    const untilMs = toMs ?? clock.nowMs() + 1
    const sinceMs = fromMs ?? untilMs - (by === 'hour' ? DAY_MS : 31 * DAY_MS)
    const rows = await charging.usage({ by, fromMs: Math.max(0, sinceMs), toMs: untilMs, ...whose(scope(who, tenant)) })
    return context.json(who.role === 'operator' ? rows : rows.map(usageForTenant))
  })
  api.get('/usage/live', async (context) => {
    const who = await caller(context)
    const { tenant, minutes } = query(context, LiveQuery)
    return context.json(await charging.live({ minutes, ...whose(scope(who, tenant)) }))
  })
  api.get('/requests', async (context) => {
    const who = await caller(context)
    const { tenant, limit } = query(context, RequestsQuery)
    const rows = await charging.requests({ ...whose(scope(who, tenant)), limit })
    return context.json(who.role === 'operator' ? rows : rows.map(requestForTenant))
  })
  api.get('/requests/:id', async (context) => {
    const who = await caller(context)
    const id = context.req.param('id')
    const explained = await charging.explain(id)
    if (who.role === 'operator') return context.json(explained)
    // As if it did not exist: whether somebody else made this request is not told either.
    if (explained.record.tenant !== who.tenant) throw unknownRequest({ id })
    return context.json(explanationForTenant(explained))
  })

  addMeans(api, { charging, catalogue, caller, scope, oneTenant })
  addSupply(api, { agreements: deps.agreements, operator, supplier: (context) => supplyCallerOf(context, deps) })
  addOrdering(api, { offers, ordering, caller, operator, scope, oneTenant })
  addDesk(api, { charging, operator })
  addBilling(api, { billing, clock, caller, operator, requireTenant: (tenant) => requireTenant(identity, tenant) })
  addCorrections(api, {
    ...{ charging, catalogue, caller, operator },
    requireTenant: (tenant) => requireTenant(identity, tenant),
  })
  const session = (context: Context) => sessionOf(context, deps)
  addQuality(api, { quality, session, operator })
  addSla(api, { quality, clock, session, operator })
  addAcceptance(api, { ...deps, keyOf: deps.supplierKeyOf, session, operator })
  addNoc(api, { ...deps, operator })
  addSettlement(api, { settlement, clock, operator, supplier: (context) => supplyCallerOf(context, deps) })
  addVerify(api, { charging, catalogue, billing, settlement, operator })

  api.post('/playground/key', async (context) => {
    const who = await caller(context)
    const { tenant } = await readBody(context, PlaygroundRequest, SMALL_BODY_BYTES)
    const one = await oneTenant(who, tenant)
    const { secret, expiresAtMs } = await identity.createPlaygroundKey(one)
    const services = (await catalogue.services(one)).map(({ id }) => ServiceName.parse(id))
    return context.json({ secret, expiresAtMs, services } satisfies PlaygroundKeyReply, 201)
  })

  api.all('*', (context) => {
    throw unknownPath({ path: context.req.path })
  })
  return api
}

async function requireTenant(identity: Identity, tenant: string): Promise<void> {
  const [existing] = await identity.tenants(tenant)
  if (!existing) throw unknownTenant({ tenant })
}

function whose(tenant: string | undefined): { readonly tenant?: string } {
  return tenant === undefined ? {} : { tenant }
}
