import { createCatalogue, createOffers } from '#catalogue'
import { createCharging } from '#charging'
import { FactoryOffer } from '#contract'
import type { Configuration, OrderView } from '#contract'
import { createIdentity } from '#identity'
import { createOrdering } from '#ordering'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { freshDatabase } from './database.ts'

/** Where tests of orders begin: a Wednesday morning in China. */
export const ORDERS_START_MS = Date.parse('2026-11-25T10:00:00+08:00')
export const OPERATOR = { by: 'operator@example', isOperator: true }
export const BUYER = { by: 'buyer@acme', isOperator: false }

const FILE = `suppliers:
  - { id: vendor, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1 }
services:
  - id: max
    contextTokens: 4096
    maxOutputTokens: 1024
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: vendor, model: m, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }] }
tables:
  - id: standard
    versions: [{ validFrom: 2026-01-01, weights: [{ service: max, perToken: { uncachedInput: 1, output: 4 } }] }]
`

export type Shop = Awaited<ReturnType<typeof openShop>>

/** For tests: the service `max`, the table `standard`, and tenants that have no money yet, on a database of their own. */
export async function openShop(tenants: readonly string[] = ['acme', 'globex']) {
  const database = await freshDatabase({ max: 16 })
  const clock = manualClock(ORDERS_START_MS)
  const identity = createIdentity({ database, clock })
  const charging = createCharging({ database, clock })
  const offers = createOffers({ database, clock })
  const ordering = createOrdering({
    database,
    clock,
    log: nullLog,
    identity,
    money: charging,
    offerById: offers.byId,
  })
  const catalogue = createCatalogue({ database, clock, identity, money: charging })
  await catalogue.apply({ text: FILE, fileName: 'factory.yaml', dryRun: false })
  await database.transaction(async (tx) => {
    for (const id of tenants) await identity.putTenant(tx, { id, displayName: id, status: 'active', limits: {} })
  })
  let keys = 0
  return {
    database,
    clock,
    identity,
    catalogue,
    charging,
    offers,
    ordering,
    async offer(declared: object): Promise<void> {
      await offers.put(FactoryOffer.parse({ taxPercent: 6, ...declared }))
    },
    pay: (tenant: string, amountPico: bigint) =>
      charging.topup({ tenant, amountPico, reference: `pay-${tenant}-${(keys += 1)}` }),
    buy: (tenant: string, offer: string, configuration: Configuration = {}): Promise<OrderView> =>
      ordering.order({ tenant, offer, configuration, idempotencyKey: `buy-${(keys += 1)}` }, BUYER),
    key: () => `key-${(keys += 1)}`,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
