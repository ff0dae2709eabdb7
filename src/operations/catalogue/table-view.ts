import type { ConversionTable } from '#contract'
import type { Database } from '#platform/postgres'
import { publishedTables } from './for-gateways.ts'
import * as store from './store.ts'
import * as tables from './tables/store.ts'

/** The conversion tables of what is sold in units; how reservations count stands in their offers. */
export async function tableViews(
  database: Database,
  { tenant, nowMs }: { tenant: string | undefined; nowMs: number },
): Promise<ConversionTable[]> {
  const [rows, versions, services] = await Promise.all([
    tables.selectTables(database),
    tables.selectVersions(database),
    store.selectServices(database),
  ])
  const mayUse = new Set(
    services
      .filter((one) => tenant === undefined || one.tenants.length === 0 || one.tenants.includes(tenant))
      .map(({ id }) => id),
  )
  return publishedTables(rows, versions, nowMs).map((table) => ({
    ...table,
    versions: table.versions.map((one) => ({
      ...one,
      weights: one.weights.filter(({ service }) => mayUse.has(service)),
    })),
  }))
}
