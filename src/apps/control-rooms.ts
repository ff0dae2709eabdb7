import { createAgreements } from '#agreements'
import { createCatalogue, createDrains, createOffers } from '#catalogue'
import { createCharging } from '#charging'
import { createIdentity } from '#identity'
import { createNoc } from '#noc'
import { createOrdering } from '#ordering'
import type { Clock } from '#platform/clock'
import type { Log } from '#platform/log'
import type { Database } from '#platform/postgres'
import { createQuality } from '#quality'
import { createTmf } from '#tmf'
import { buyPricesOf } from './control-buy-prices.ts'
import { billingOf, settlementOf } from './control-documents.ts'

/** The control plane's rooms over one database, each with those that it asks. */
export function openRooms({
  database,
  clock,
  log,
  signingKey,
}: {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** What the installation signs reports with. */
  readonly signingKey: string
}) {
  const identity = createIdentity({ database, clock })
  const charging = createCharging({ database, clock })
  const agreements = createAgreements({ database, clock })
  const catalogue = createCatalogue({
    database,
    clock,
    identity,
    money: charging,
    supply: { ...agreements, trust: () => quality.scores() },
  })
  const offers = createOffers({ database, clock })
  const ordering = createOrdering({ database, clock, log, identity, money: charging, offerById: offers.byId })
  const billing = billingOf({ database, clock, charging, catalogue, identity, arrears: ordering.arrears })
  const quality = createQuality({
    database,
    clock,
    money: charging,
    auditTermsOf: agreements.auditTermsOf,
    supplierSlaOf: agreements.slaOf,
    buyPrices: buyPricesOf(catalogue),
    signingKey,
  })
  const settlement = settlementOf({ database, clock, charging, catalogue, agreements, quality })
  const drains = createDrains({ database, clock })
  const noc = createNoc({ clock })
  const tmf = createTmf({ database, clock, identity, catalogue, charging, offers, ordering, billing })
  return { identity, charging, agreements, catalogue, offers, ordering, billing, quality, settlement, drains, noc, tmf }
}
