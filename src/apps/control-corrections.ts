import type { Context, Hono } from 'hono'
import type * as z from 'zod'
import { RefundUsageRequest, RerateRequest, TransferRequest } from '#contract'
import type { RefundUsageReply, RerateReply, TransferReply } from '#contract'
import type { Catalogue } from '#catalogue'
import type { Charging, FiledSheet, Rerate } from '#charging'
import { amountOf } from './control-amounts.ts'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { operatorsOnly, sheetOfOtherLine, unknownSheet } from './control-problems.ts'

/** Ten thousand ids. */
const RERATE_BYTES = 512 * 1024
const BODY_BYTES = 16 * 1024
/** Of a filter, so that an answer comes within a minute however many requests are meant. */
const REQUESTS_PER_CALL = 2_000

interface CorrectionRoutes {
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly caller: (context: Context) => Promise<Caller>
  readonly operator: (context: Context) => Promise<Caller>
  /** Throws where nobody is called so. */
  readonly requireTenant: (tenant: string) => Promise<void>
}

/** Requests that cost something else than they should have, and money that moves between wallets. */
export function addCorrections(api: Hono, routes: CorrectionRoutes): void {
  const { charging, caller, operator, requireTenant } = routes
  api.post('/corrections/rerate', async (context) => {
    const { email: by } = await operator(context)
    return context.json(await rerate(routes, await readBody(context, RerateRequest, RERATE_BYTES), by))
  })
  api.post('/corrections/refund', async (context) => {
    const { email: by } = await operator(context)
    const request = await readBody(context, RefundUsageRequest, BODY_BYTES)
    return context.json((await charging.refundUsage({ ...request, by })) satisfies z.infer<typeof RefundUsageReply>)
  })
  api.post('/transfers', async (context) => {
    const who = await caller(context)
    const { from, to, amountYuan, reference, memo } = await readBody(context, TransferRequest, BODY_BYTES)
    if (who.role === 'tenant' && from !== who.tenant) throw operatorsOnly({})
    if (who.role === 'operator') for (const tenant of [from, to]) await requireTenant(tenant)
    const amountPico = amountOf(amountYuan)
    const { booked } = await charging.transferNow({
      ...{ from, to, amountPico, memo, mustShare: who.role === 'tenant' },
      // A tenant's references are its own: they neither collide with those of others nor tell about them.
      reference: `${from}/${reference}`,
    })
    const reply = { from, to, amountPico: `${amountPico}`, reference, booked }
    return context.json(reply satisfies z.infer<typeof TransferReply>)
  })
}

/** Everything is rated before anything is booked, so that a wrong sheet or id is told and nothing is half done. */
async function rerate(
  { charging, catalogue, requireTenant }: CorrectionRoutes,
  { usageIds, filter, after, sheet: id, reference, reason, dryRun }: z.output<typeof RerateRequest>,
  by: string,
): Promise<z.infer<typeof RerateReply>> {
  const { sheetById, calendars } = await catalogue.ratingSources()
  const sheet = await sheetById?.(id)
  if (!sheet) throw unknownSheet({ sheet: id })
  requireSells(sheet, filter?.service ?? sheet.service)
  if (filter?.tenant !== undefined) await requireTenant(filter.tenant)
  const ids = filter
    ? await charging.usageIds({ filter: filterOf(filter, sheet.service), after, limit: REQUESTS_PER_CALL })
    : (usageIds ?? [])
  const request: Rerate = {
    ...{ by, reason, reference, which: { usageIds: ids } },
    async price({ service }) {
      requireSells(sheet, service)
      return sheet
    },
    ...(calendars ? { calendars } : {}),
  }
  const next = filter && ids.length === REQUESTS_PER_CALL ? (ids.at(-1) ?? null) : null
  const { changePico, ...outlook } = await charging.previewRerate(request)
  if (dryRun) return { ...outlook, changePico: `${changePico}`, next }
  return { ...(await charging.rerate(request)), changePico: null, next }
}

function requireSells({ id, side, service }: FiledSheet, wanted: string): void {
  if (side !== 'sell' || service !== wanted) throw sheetOfOtherLine({ sheet: id, side, service, wanted })
}

function filterOf({ tenant, sheet, fromMs, toMs }: z.output<typeof RerateRequest>['filter'] & object, service: string) {
  return {
    ...{ service, fromMs, toMs },
    ...(tenant === undefined ? {} : { tenant }),
    ...(sheet === undefined ? {} : { sheet }),
  }
}
