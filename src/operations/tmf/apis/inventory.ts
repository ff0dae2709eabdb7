import type { Entitlement, SubscriptionView } from '#contract'
import type { Offers } from '#catalogue'
import type { Identity } from '#identity'
import { formatUnits, formatYuan } from '#kernel'
import type { Ordering } from '#ordering'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Api } from '../engine/kind.ts'
import { few } from '../engine/own.ts'
import type { Resource } from '../engine/resource.ts'
import * as types from '../types/inventory.ts'
import { billingAccountRef } from './account.ts'
import { CURRENCY, ids, money, party, ref, time } from './refs.ts'

export interface InventoryRooms {
  readonly identity: Identity
  readonly offers: Offers
  readonly ordering: Ordering
}

const PAGE = 500

/** TMF637: what was ordered of us; beside it, the products that the BSS keeps here for itself. */
export function inventoryApi(rooms: InventoryRooms): Api {
  return { name: 'productInventory', kinds: [{ type: types.product, own: few(() => products(rooms)) }] }
}

async function products({ identity, offers, ordering }: InventoryRooms): Promise<Resource[]> {
  const names = new Map((await identity.tenants()).map(({ id, displayName }) => [id, displayName]))
  const offerNames = new Map((await offers.list()).map(({ id, name }) => [id, name]))
  const found: SubscriptionView[] = []
  for (let before: string | undefined; ; before = found.at(-1)?.id) {
    const page = await ordering.subscriptions({ limit: PAGE, ...(before === undefined ? {} : { before }) })
    found.push(...page)
    if (page.length < PAGE) break
  }
  // Oldest first, so that pages stay where they are.
  return found
    .toReversed()
    .map((one) => productOf(one, names.get(one.tenant) ?? one.tenant, offerNames.get(one.offer) ?? one.offer))
}

function productOf(subscription: SubscriptionView, customer: string, offerName: string): Resource {
  const { id, tenant, offer, state, startsAtMs, endsAtMs, entitlements, members, terms } = subscription
  const attributes = {
    name: offerName,
    status: state,
    isBundle: false,
    isCustomerVisible: true,
    startDate: time(startsAtMs),
    ...(endsAtMs === null ? {} : { terminationDate: time(endsAtMs) }),
    billingAccount: billingAccountRef(tenant, customer),
    productOffering: ref({
      api: 'productCatalogManagement',
      resource: 'productOffering',
      type: 'ProductOffering',
      id: ids.offer(offer),
      name: offerName,
    }),
    productCharacteristic: entitlements.flatMap(characteristics),
    productPrice: terms.map(({ seq, grossPico, netPico }) => ({
      name: `term ${seq}`,
      priceType: terms.length > 1 ? 'recurring' : 'oneTime',
      price: { taxIncludedAmount: money(BigInt(grossPico)), dutyFreeAmount: money(BigInt(netPico)) },
    })),
    relatedParty: [
      party(tenant, customer, 'customer'),
      ...members.map((member) => ({ id: member, role: 'user', '@referredType': 'Organization' })),
    ],
  }
  return { id: ids.subscription(id), attributes }
}

/** What the product brings, each amount in its own unit. */
function characteristics(entitlement: Entitlement): ExactObject[] {
  const amount = (name: string, unit: string, value: string): ExactObject => ({
    name: `${name} (${unit})`,
    valueType: 'number',
    value: decimal(unit === CURRENCY ? formatYuan(BigInt(value)) : formatUnits(BigInt(value))),
  })
  switch (entitlement.kind) {
    case 'lot':
      return [amount('lot', entitlement.unit, entitlement.amount)]
    case 'reservation':
      return entitlement.dimensions.map(({ name, unit, amountPerMinute }) =>
        amount(`${name} per minute`, unit, amountPerMinute),
      )
    case 'credit':
      return [amount('credit limit', CURRENCY, entitlement.limitPico)]
  }
}
