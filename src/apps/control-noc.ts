import type { Context, Hono } from 'hono'
import { DrainRequest, UndrainRequest } from '#contract'
import type { DrainPreview, NocReply, Snapshot } from '#contract'
import { drainOrphans, unknownSupplier } from '#catalogue'
import type { Catalogue, Drains } from '#catalogue'
import { previewDrain } from '#noc'
import type { Noc } from '#noc'
import type { Clock } from '#platform/clock'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { routingOf } from './control-routing.ts'

export interface NocDeps {
  readonly catalogue: Catalogue
  readonly drains: Drains
  readonly noc: Noc
  readonly clock: Clock
}

const REASON_BYTES = 16 * 1024
const DRAINS_SHOWN = 50

/** What operators watch, and taking a supplier out of service. */
export function addNoc(
  api: Hono,
  { catalogue, drains, noc, clock, operator }: NocDeps & { operator: (context: Context) => Promise<Caller> },
): void {
  const view = async (): Promise<NocReply> => {
    const [suppliers, { services }, list] = await Promise.all([
      catalogue.suppliers(),
      catalogue.snapshot(),
      drains.list(DRAINS_SHOWN),
    ])
    const targets = services.flatMap(({ id, sla = [] }) => sla.map((target) => ({ ...target, service: id })))
    return noc.view({ suppliers, targets, drains: list })
  }

  const preview = async (supplier: string): Promise<DrainPreview> => {
    const [snapshot, { suppliers }] = await Promise.all([catalogue.snapshot(), view()])
    if (!suppliers.some((one) => one.supplier === supplier)) throw unknownSupplier({ supplier })
    const known = new Map(suppliers.map((one) => [one.supplier, one.hasCredentials]))
    const around = { nowMs: clock.nowMs(), hasCredentials: (id: string) => known.get(id) ?? true }
    const [now, then] = [routingOf(snapshot, around), routingOf(without(snapshot, supplier), around)]
    const alreadyLost = new Set(now.orphans())
    return previewDrain({
      supplier,
      isKnown: noc.isReporting(),
      flows: noc.flows(),
      routesOf: (flow) => [
        ...then.routesOf(flow),
        ...now.routesOf(flow).filter((route) => route.supplier === supplier),
      ],
      suppliers: suppliers.map((one) => ({
        id: one.supplier,
        inFlight: one.inFlight,
        maxConcurrency: one.maxConcurrency,
      })),
      orphaned: then.orphans().filter((service) => !alreadyLost.has(service)),
    })
  }

  api.get('/noc', async (context) => {
    await operator(context)
    return context.json(await view())
  })
  api.get('/suppliers/:id/drain', async (context) => {
    await operator(context)
    return context.json(await preview(context.req.param('id')))
  })
  api.post('/suppliers/:id/drain', async (context) => {
    const { email: by } = await operator(context)
    const supplier = context.req.param('id')
    const { reason, acceptOrphans = false } = await readBody(context, DrainRequest, REASON_BYTES)
    const { orphaned } = await preview(supplier)
    if (orphaned.length > 0 && !acceptOrphans) throw drainOrphans({ supplier, services: orphaned })
    return context.json(await drains.drain({ supplier, by, reason }))
  })
  api.post('/suppliers/:id/undrain', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, UndrainRequest, REASON_BYTES)
    return context.json(await drains.undrain({ supplier: context.req.param('id'), by, reason }))
  })
}

function without(snapshot: Snapshot, supplier: string): Snapshot {
  return {
    ...snapshot,
    suppliers: snapshot.suppliers.map((one) => (one.id === supplier ? { ...one, isDraining: true } : one)),
  }
}
