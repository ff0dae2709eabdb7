import type { DrainPreview, ServiceTier, Strategy } from '#contract'

/** Traffic of one kind that a supplier serves now. */
export interface Flow {
  readonly service: string
  readonly tier: ServiceTier
  readonly strategy: Strategy
  readonly regions: readonly string[] | null
  readonly supplier: string
  readonly requestsPerMinute: number
  /** Of one request, on average. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly durationMs: number
}

/** Somebody who may serve it, with what one request costs there in pico-yuan: an estimate, not money. */
export interface Route {
  readonly supplier: string
  readonly model: string
  readonly pricePico: number
}

const RANKS: Readonly<Record<ServiceTier, number>> = { priority: 0, standard: 1, flex: 2, batch: 3 }

/** Where the traffic of `supplier` would go. `routesOf` says who may serve a flow, best first, as the scheduler does. */
export function previewDrain(options: {
  readonly supplier: string
  readonly isKnown: boolean
  readonly flows: readonly Flow[]
  readonly routesOf: (flow: Flow) => readonly Route[]
  readonly suppliers: readonly { readonly id: string; readonly inFlight: number; readonly maxConcurrency: number }[]
  readonly orphaned: readonly string[]
}): DrainPreview {
  const { supplier, isKnown, flows, routesOf, suppliers, orphaned } = options
  const others = suppliers.filter(({ id }) => id !== supplier)
  const loads = new Map(others.map(({ id, inFlight }) => [id, inFlight]))
  const roomAt = (id: string) =>
    Math.max(0, (others.find((one) => one.id === id)?.maxConcurrency ?? 0) - (loads.get(id) ?? 0))
  let beforePico = 0
  let afterPico = 0

  const moves = flows
    .filter((flow) => flow.supplier === supplier && flow.requestsPerMinute > 0)
    .toSorted((a, b) => RANKS[a.tier] - RANKS[b.tier])
    .map((flow) => {
      const routes = routesOf(flow)
      const here = routes.find((route) => route.supplier === supplier)
      /** By Little's law: what one request per minute takes of a supplier's places. */
      const placesPerRate = flow.durationMs / 60_000
      let left = flow.requestsPerMinute
      const to: { supplier: string; model: string; requestsPerMinute: number }[] = []
      for (const route of routes) {
        if (route.supplier === supplier || left <= 0) continue
        const taken = placesPerRate > 0 ? Math.min(left, roomAt(route.supplier) / placesPerRate) : left
        if (taken <= 0) continue
        loads.set(route.supplier, (loads.get(route.supplier) ?? 0) + taken * placesPerRate)
        to.push({ supplier: route.supplier, model: route.model, requestsPerMinute: taken })
        beforePico += taken * (here?.pricePico ?? route.pricePico)
        afterPico += taken * route.pricePico
        left -= taken
      }
      const { service, tier, requestsPerMinute } = flow
      return { service, tier, requestsPerMinute, to, lostPerMinute: Math.max(0, left) }
    })

  return {
    supplier,
    isKnown,
    moves,
    loads: others.map(({ id, inFlight, maxConcurrency }) => ({
      supplier: id,
      before: inFlight,
      after: loads.get(id) ?? inFlight,
      maxConcurrency,
    })),
    costPerMinutePico: { before: beforePico, after: afterPico },
    orphaned: [...orphaned],
  }
}
