import { fileURLToPath } from 'node:url'
import { createAgreements } from '#agreements'
import { createCatalogue } from '#catalogue'
import { createCharging } from '#charging'
import { createIdentity } from '#identity'
import type { Clock } from '#platform/clock'
import { migrate } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { createQuality } from '#quality'
import { buyPricesOf } from '../../src/apps/control-buy-prices.ts'
import { billingOf, settlementOf } from '../../src/apps/control-documents.ts'
import { installationSecrets } from '../../src/apps/control-secrets.ts'

export type World = Awaited<ReturnType<typeof openWorld>>

/** The control plane's rooms over a database, under a clock of ours. */
export async function openWorld(database: Database, clock: Clock, dataDir: string) {
  await migrate(database, fileURLToPath(new URL('../../migrations', import.meta.url)))
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
  const billing = billingOf({ database, clock, charging, catalogue, identity })
  const quality = createQuality({
    ...{ database, clock, money: charging, signingKey: installationSecrets(dataDir).signingKey },
    ...{ auditTermsOf: agreements.auditTermsOf, supplierSlaOf: agreements.slaOf },
    buyPrices: buyPricesOf(catalogue),
  })
  const settlement = settlementOf({ database, clock, charging, catalogue, agreements, quality })
  return { database, identity, charging, agreements, catalogue, billing, quality, settlement }
}
