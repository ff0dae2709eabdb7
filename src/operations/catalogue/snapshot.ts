import type { CapacityLot, OfferView, SignedCommitment, Snapshot } from '#contract'
import type { Database } from '#platform/postgres'
import type { Identity } from '#identity'
import { selectCalendars } from './calendars/store.ts'
import { selectDrains } from './drains/store.ts'
import { calendarOf, keyOf, linesOf, listed, publishedTables, tenantOf } from './for-gateways.ts'
import type { Money } from './money/service.ts'
import { selectOffers } from './offers/store.ts'
import { tablesOf } from './offers/tables.ts'
import type { Commitments } from './routing/delivered.ts'
import { selectLinks } from './routing/store.ts'
import * as store from './store.ts'
import * as tables from './tables/store.ts'

/** How far the counts of a supplier's model are believed. */
export interface Trust {
  readonly supplier: string
  readonly model: string
  readonly scorePpm: number
}

/** Where accepted capacity and contracts' claims on routing come from. */
export interface Supply {
  readonly supplyTerms: () => Promise<{
    readonly lots: readonly CapacityLot[]
    readonly commitments: readonly SignedCommitment[]
  }>
  /** Counts up with every change. */
  readonly revision: () => Promise<number>
  /** Only of those that are not fully trusted. */
  readonly trust?: () => Promise<readonly Trust[]>
}

interface Sources {
  readonly supply: Supply | undefined
  readonly database: Database
  readonly identity: Identity
  readonly money: Money
  readonly commitments: Commitments
}

/** Reads all that gateways need. `version` was read before: what is told may be newer than it, never older. */
export async function buildSnapshot(
  { database, identity, money, commitments, supply }: Sources,
  {
    version,
    engineUrl,
    nowMs,
  }: { readonly version: number; readonly engineUrl: string | null; readonly nowMs: number },
): Promise<Snapshot> {
  const contracted = await supply?.supplyTerms()
  const [
    suppliers,
    services,
    deployments,
    sheets,
    tableRows,
    versions,
    offers,
    calendars,
    { tenants, keys },
    funding,
    drains,
    links,
    contracts,
  ] = await Promise.all([
    store.selectSuppliers(database),
    store.selectServices(database),
    store.selectDeployments(database),
    store.selectSheets(database),
    tables.selectTables(database),
    tables.selectVersions(database),
    selectOffers(database, null),
    selectCalendars(database),
    identity.directory(database),
    money.funding(database),
    selectDrains(database),
    selectLinks(database),
    commitments.read(contracted?.commitments ?? [], nowMs),
  ])
  const drained = new Set(drains.map(({ supplier }) => supplier))
  const offered = suppliers.flatMap(({ terms, ...supplier }) => {
    const baseUrl = supplier.kind === 'embedded' ? engineUrl : supplier.baseUrl
    if (baseUrl === null) return []
    return [{ ...supplier, ...terms, baseUrl, ...(drained.has(supplier.id) && { isDraining: true }) }]
  })
  const names = new Set(offered.map(({ id }) => id))
  const active = new Set(tenants.filter(({ status }) => status === 'active').map(({ id }) => id))
  const sheetsOf = linesOf(sheets, nowMs)
  const doubted = new Map(
    ((await supply?.trust?.()) ?? []).map((one) => [`${one.supplier} ${one.model}`, one.scorePpm]),
  )
  return {
    version,
    tenants: tenants.map((tenant) => tenantOf(tenant, funding, (id) => active.has(id))),
    keys: keys.map((key) => keyOf(key, funding)),
    suppliers: offered,
    tables: [...publishedTables(tableRows, versions, nowMs), ...offers.filter(isSold).flatMap(tablesOf)],
    calendars: calendars.map(calendarOf),
    ...listed('links', links),
    ...listed('lots', contracted?.lots),
    ...listed('commitments', contracts),
    services: services.map(({ createdAt, terms, ...service }) => ({
      ...service,
      ...terms,
      tenants: [...service.tenants],
      createdMs: createdAt.getTime(),
      sellSheets: sheetsOf({ service: service.id, side: 'sell', supplier: null, model: null }),
      deployments: deployments
        .filter((deployment) => deployment.service === service.id && names.has(deployment.supplier))
        .map(({ supplier, model, priority, terms: more }) => ({
          supplier,
          model,
          priority,
          ...more,
          ...trusted(doubted.get(`${supplier} ${model}`)),
          buySheets: sheetsOf({ service: service.id, side: 'buy', supplier, model }),
        })),
    })),
  }
}

/** Nobody's price becomes endless: who is not believed at all is a matter for the contract. */
function trusted(scorePpm: number | undefined): { trustPpm?: number } {
  return scorePpm === undefined ? {} : { trustPpm: Math.max(1_000, scorePpm) }
}

/** What was for sale may have been bought, and reservations outlive the offer. */
function isSold({ launchedAtMs }: OfferView): boolean {
  return launchedAtMs !== null
}
