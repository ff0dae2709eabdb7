import { createBilling } from '#billing'
import type { Billing } from '#billing'
import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'

interface Rooms {
  readonly database: Database
  readonly clock: Clock
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly identity: Identity
  /** Whoever decides about service where invoices are not paid. */
  readonly arrears?: Parameters<typeof createBilling>[0]['arrears']
}

/** Billing with the rooms that it asks: prices and calendars of the catalogue, names of identity. */
export function billingOf({ database, clock, charging, catalogue, identity, arrears }: Rooms): Billing {
  return createBilling({
    database,
    clock,
    charging,
    sheetById: (id) => catalogue.sheet(id),
    calendars: async () => (await catalogue.ratingSources()).calendars ?? new Map(),
    tenantName: async (tenant) => (await identity.tenants(tenant))[0]?.displayName,
    ...(arrears ? { arrears } : {}),
  })
}
