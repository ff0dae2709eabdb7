import type { Deployment, Snapshot, Supplier } from '#contract'
import { parseCalendars } from '#kernel'
import type { Endpoint, Market } from '#scheduler'
import { costsOf } from './costs.ts'
import { readSheets } from './pricing.ts'
import type { Sheet } from './pricing.ts'

/** What the scheduler must know of a deployment. */
export function endpointOf(
  deployment: Deployment,
  supplier: Supplier,
  own: { readonly hasCredentials: boolean; readonly buySheets: readonly Sheet[] },
): Endpoint {
  return {
    supplierId: supplier.id,
    model: deployment.model,
    priority: deployment.priority,
    hasCredentials: own.hasCredentials,
    costsAt: costsOf(own.buySheets),
    region: supplier.region,
    isDraining: supplier.isDraining,
    contextTokens: deployment.contextTokens,
    features: deployment.features && new Set(deployment.features),
    needsLot: deployment.needsLot,
    trustPpm: deployment.trustPpm,
    learnLimitBy: supplier.learnLimitBy,
    maxConcurrency: supplier.maxConcurrency,
    requestsPerMinute: supplier.requestsPerMinute,
    tokensPerMinute: supplier.tokensPerMinute,
  }
}

/** The market of a snapshot for who only asks where requests would go: nobody is connected to. */
export function marketOf(snapshot: Snapshot, hasCredentials: (supplier: string) => boolean): Market<Endpoint> {
  const calendars = parseCalendars(snapshot.calendars ?? [])
  const suppliers = new Map(snapshot.suppliers.map((supplier) => [supplier.id, supplier]))
  return {
    services: snapshot.services.map(({ id, sla = [], regions, deployments }) => ({
      id,
      sla,
      regions,
      endpoints: deployments
        .toSorted((a, b) => a.priority - b.priority)
        .flatMap((deployment) => {
          const supplier = suppliers.get(deployment.supplier)
          if (!supplier) return []
          const buySheets = readSheets(deployment.buySheets, calendars)
          return [endpointOf(deployment, supplier, { hasCredentials: hasCredentials(supplier.id), buySheets })]
        }),
    })),
    links: snapshot.links ?? [],
    commitments: snapshot.commitments ?? [],
    lots: snapshot.lots ?? [],
  }
}
