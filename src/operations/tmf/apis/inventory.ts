import type { Entitlement, SubscriptionView } from '#contract'
import type { Offers } from '#catalogue'
import type { Identity } from '#identity'
import { formatUnits, formatYuan } from '#kernel'
import type { Ordering } from '#ordering'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Api } from '../engine/kind.ts'
import { many } from '../engine/own.ts'
import type { Own } from '../engine/own.ts'
import type { Resource } from '../engine/resource.ts'
import * as types from '../types/inventory.ts'
import { billingAccountRef } from './account.ts'
import { CURRENCY, ids, money, party, ref, time } from './refs.ts'

export interface InventoryRooms {
  readonly identity: Identity
  readonly offers: Offers
  readonly ordering: Ordering
}

const without = (prefix: string) => (id: string) => (id.startsWith(prefix) ? id.slice(prefix.length) : id)

/** TMF637: what was ordered of us; beside it, the products that the BSS keeps here for itself. */
export function inventoryApi(rooms: InventoryRooms): Api {
  return { name: 'productInventory', kinds: [{ type: types.product, own: products(rooms) }] }
}

/** Oldest first, so that pages stay where they are. */
function products({ identity, offers, ordering }: InventoryRooms): Own {
  const page = async (query: Parameters<Ordering['subscriptionPage']>[0]) => {
    const { subscriptions, total } = await ordering.subscriptionPage(query)
    if (subscriptions.length === 0) return { items: [], total }
    const names = new Map((await identity.tenants()).map(({ id, displayName }) => [id, displayName]))
    const offerNames = new Map((await offers.list()).map(({ id, name }) => [id, name]))
    const items = subscriptions.map((one) =>
      productOf(one, names.get(one.tenant) ?? one.tenant, offerNames.get(one.offer) ?? one.offer),
    )
    return { items, total }
  }
  return many({
    searched: {
      id: { by: 'ids', from: without(ids.subscription('')) },
      status: { by: 'states' },
      'billingAccount.id': { by: 'tenants', from: without(ids.tenant('')) },
    },
    page: (search, { offset, limit }) => page({ ...search, offset, limit }),
    find: async (id) =>
      (await page({ ids: [without(ids.subscription(''))(id)], offset: 0, limit: 1 })).items.find(
        (one) => one.id === id,
      ),
  })
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
