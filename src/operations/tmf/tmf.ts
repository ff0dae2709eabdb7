import type { Catalogue, Offers } from '#catalogue'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import type { Ordering } from '#ordering'
import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { accountApi } from './apis/account.ts'
import { balanceApi } from './apis/balance.ts'
import { billApi } from './apis/bill.ts'
import type { Bills } from './apis/bill-port.ts'
import { catalogApi } from './apis/catalog.ts'
import { inventoryApi } from './apis/inventory.ts'
import { orderApi } from './apis/order.ts'
import { usageApi } from './apis/usage.ts'
import type { Api } from './engine/kind.ts'
import { createResources } from './service.ts'
import type { Resources } from './service.ts'

/** The facade: which APIs there are, and what can be done with any of their resources. */
export interface Tmf {
  readonly apis: readonly Api[]
  readonly resources: Resources
}

export interface TmfDeps {
  readonly database: Database
  readonly clock: Clock
  readonly identity: Identity
  readonly catalogue: Catalogue
  readonly charging: Charging
  readonly offers: Offers
  readonly ordering: Ordering
  /** Who makes documents; without it, TMF678 is not served. */
  readonly billing?: Bills
}

export function createTmf(deps: TmfDeps): Tmf {
  return {
    apis: [
      catalogApi(deps),
      orderApi(deps),
      usageApi(deps),
      inventoryApi(deps),
      balanceApi(deps),
      accountApi(deps),
      ...(deps.billing ? [billApi({ identity: deps.identity, billing: deps.billing })] : []),
    ],
    resources: createResources(deps),
  }
}
