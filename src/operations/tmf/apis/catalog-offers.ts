import type { Offer, OfferView } from '#contract'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Resource } from '../engine/resource.ts'
import { CURRENCY, ids, period, ref, time } from './refs.ts'

const API = 'productCatalogManagement'
export const OFFERS_CATEGORY = {
  api: API,
  resource: 'category',
  type: 'Category',
  id: 'offers',
  name: 'Offers',
} as const

const LIFECYCLE = { draft: 'In design', launched: 'Launched', retired: 'Retired' } as const

/** What can be bought besides pay as you go, as it was declared. */
export function boughtOffering(view: OfferView): Resource {
  const { id, name, kind, state, offer } = view
  const attributes = {
    name,
    description: kind,
    isBundle: false,
    isSellable: state === 'launched',
    lifecycleStatus: LIFECYCLE[state],
    lastUpdate: lastUpdate(view),
    category: [ref(OFFERS_CATEGORY)],
    ...(offer.saleFrom === null && offer.saleTo === null ? {} : { validFor: saleOf(offer) }),
    productSpecification: ref({
      api: API,
      resource: 'productSpecification',
      type: 'ProductSpecification',
      id: ids.offerKind(kind),
      name: kind,
    }),
    productOfferingPrice: boughtPrices(view).map((price) =>
      ref({ api: API, resource: 'productOfferingPrice', type: 'ProductOfferingPrice', id: price.id }),
    ),
  }
  return { id: ids.offer(id), attributes }
}

function saleOf({ saleFrom, saleTo }: Offer): ExactObject {
  return saleFrom === null ? { endDateTime: time(saleTo ?? 0) } : period(saleFrom, saleTo)
}

/** One specification per kind of offer: offers of a kind differ in their terms and prices. */
export function boughtSpecifications(offers: readonly OfferView[]): Resource[] {
  return [...Map.groupBy(offers, ({ kind }) => kind)].map(([kind, [first]]) => ({
    id: ids.offerKind(kind),
    attributes: {
      name: kind,
      isBundle: false,
      lifecycleStatus: 'Launched',
      lastUpdate: time(first?.createdAtMs ?? 0),
    },
  }))
}

export function offerRef({ id, name }: OfferView): ExactObject {
  return ref({ api: API, resource: 'productOffering', type: 'ProductOffering', id: ids.offer(id), name })
}

function lastUpdate({ createdAtMs, launchedAtMs, retiredAtMs }: OfferView): string {
  return time(Math.max(createdAtMs, launchedAtMs ?? 0, retiredAtMs ?? 0))
}

export function boughtPrices(view: OfferView): Resource[] {
  return pricesOf(view.offer).map(({ part, ...price }) => ({
    id: ids.price(ids.offer(view.id), part),
    attributes: {
      name: `${view.name}: ${part}`,
      isBundle: false,
      lifecycleStatus: LIFECYCLE[view.state],
      lastUpdate: lastUpdate(view),
      tax: [{ taxCategory: 'VAT', taxRate: decimal(`${view.offer.taxPercent}`) }],
      ...price,
    },
  }))
}

type Price = ExactObject & { readonly part: string }

/** Tax included, as offers state them. */
function pricesOf(offer: Offer): Price[] {
  switch (offer.kind) {
    case 'package':
      return [{ part: 'package', priceType: 'oneTime', price: yuan(offer.priceYuan) }]
    case 'plan': {
      const every =
        'days' in offer.period ? recurring('day', offer.period.days) : recurring('month', offer.period.months)
      return [{ part: 'period', ...every, price: yuan(offer.priceYuan) }]
    }
    case 'throughput-tpm':
      return (['input', 'output'] as const).flatMap((part) => {
        const direction = offer[part]
        if (direction === null) return []
        const unitOfMeasure = { amount: decimal(`${direction.unitTokens}`), units: 'tokens per minute' }
        return [{ part, ...recurring(offer.term.per, 1), price: yuan(direction.priceYuan), unitOfMeasure }]
      })
    case 'provisioned': {
      const unitOfMeasure = { amount: decimal(`${offer.unitTokens}`), units: 'input-equivalent tokens per minute' }
      return [{ part: 'unit', ...recurring('hour', 1), price: yuan(offer.hourPriceYuan), unitOfMeasure }]
    }
    case 'spend-per-minute':
      // A percentage of the money that is reserved per minute.
      return [{ part: 'reserved', ...recurring('minute', 1), percentage: decimal(`${offer.pricePercent}`) }]
    case 'postpaid':
      return [{ part: 'credit', priceType: 'oneTime', price: yuan('0') }]
  }
}

function yuan(value: string): ExactObject {
  return { unit: CURRENCY, value: decimal(value) }
}

function recurring(type: string, length: number): ExactObject {
  return { priceType: 'recurring', recurringChargePeriodType: type, recurringChargePeriodLength: decimal(`${length}`) }
}
