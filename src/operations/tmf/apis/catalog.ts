import type { ClassPrices, OfferView, PriceSheet, Service } from '#contract'
import type { Catalogue, Offers } from '#catalogue'
import { TOKEN_CLASSES, formatPricePerMillion } from '#kernel'
import type { Clock } from '#platform/clock'
import { decimal } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import type { Api } from '../engine/kind.ts'
import { few } from '../engine/own.ts'
import type { Resource } from '../engine/resource.ts'
import * as types from '../types/catalog.ts'
import { OFFERS_CATEGORY, boughtOffering, boughtPrices, boughtSpecifications, offerRef } from './catalog-offers.ts'
import { CURRENCY, ids, period, ref, time } from './refs.ts'

const API = 'productCatalogManagement'
const CATALOG_ID = 'factory'
const SERVICES_CATEGORY = {
  api: API,
  resource: 'category',
  type: 'Category',
  id: 'model-services',
  name: 'Model services',
} as const
const TOKENS_PER_PRICE = '1000000'

export interface CatalogRooms {
  readonly catalogue: Catalogue
  readonly offers: Offers
  readonly clock: Clock
}

/** TMF620: services are product specifications, each sold by the token; what else can be bought are the catalogue's offers. */
export function catalogApi({ catalogue, offers, clock }: CatalogRooms): Api {
  const services = async () => (await catalogue.snapshot()).services
  const now = () => clock.nowMs()
  return {
    name: API,
    kinds: [
      { type: types.catalog, own: few(async () => [catalogOf(await services())]) },
      { type: types.category, own: few(async () => categoriesOf(await services(), await offers.list())) },
      {
        type: types.productOffering,
        own: few(async () => [
          ...(await services()).map((service) => offeringOf(service, now())),
          ...(await offers.list()).map(boughtOffering),
        ]),
      },
      {
        type: types.productOfferingPrice,
        own: few(async () => [
          ...(await services()).flatMap((service) => pricesOf(service, now())),
          ...(await offers.list()).flatMap(boughtPrices),
        ]),
      },
      {
        type: types.productSpecification,
        own: few(async () => [
          ...(await services()).map(specificationOf),
          ...boughtSpecifications(await offers.list()),
        ]),
      },
    ],
  }
}

/** Nothing changes later than its newest service. */
function newest(services: readonly Service[]): string {
  return time(Math.max(0, ...services.map(({ createdMs }) => createdMs)))
}

function catalogOf(services: readonly Service[]): Resource {
  const attributes = {
    name: 'Token Factory',
    lifecycleStatus: 'Launched',
    lastUpdate: newest(services),
    category: [ref(SERVICES_CATEGORY), ref(OFFERS_CATEGORY)],
  }
  return { id: CATALOG_ID, attributes }
}

function categoriesOf(services: readonly Service[], offers: readonly OfferView[]): Resource[] {
  const common = { isRoot: true, lifecycleStatus: 'Launched', lastUpdate: newest(services) }
  return [
    {
      id: SERVICES_CATEGORY.id,
      attributes: { ...common, name: SERVICES_CATEGORY.name, productOffering: services.map(offeringRef) },
    },
    {
      id: OFFERS_CATEGORY.id,
      attributes: { ...common, name: OFFERS_CATEGORY.name, productOffering: offers.map(offerRef) },
    },
  ]
}

function offeringRef({ id, displayName }: Service): ExactObject {
  return ref({
    api: API,
    resource: 'productOffering',
    type: 'ProductOffering',
    id: ids.payAsYouGo(id),
    name: displayName,
  })
}

function specificationOf({ id, displayName, createdMs, contextTokens, maxOutputTokens }: Service): Resource {
  const number = (name: string, value: number): ExactObject => ({
    name,
    valueType: 'number',
    productSpecCharacteristicValue: [{ isDefault: true, value: decimal(`${value}`) }],
  })
  const attributes = {
    name: displayName,
    productNumber: id,
    isBundle: false,
    lifecycleStatus: 'Launched',
    lastUpdate: time(createdMs),
    productSpecCharacteristic: [number('contextTokens', contextTokens), number('maxOutputTokens', maxOutputTokens)],
  }
  return { id: ids.service(id), attributes }
}

function offeringOf(service: Service, nowMs: number): Resource {
  const { id, displayName, createdMs } = service
  const isPriced = service.sellSheets.some((sheet) => isInForce(sheet, nowMs))
  const attributes = {
    name: displayName,
    description: 'Pay per token from the wallet',
    isBundle: false,
    isSellable: isPriced,
    lifecycleStatus: isPriced ? 'Launched' : 'Active',
    lastUpdate: time(createdMs),
    category: [ref(SERVICES_CATEGORY)],
    productSpecification: ref({
      api: API,
      resource: 'productSpecification',
      type: 'ProductSpecification',
      id: ids.service(id),
      name: displayName,
    }),
    productOfferingPrice: pricesOf(service, nowMs).map((price) =>
      ref({ api: API, resource: 'productOfferingPrice', type: 'ProductOfferingPrice', id: price.id }),
    ),
  }
  return { id: ids.payAsYouGo(id), attributes }
}

function isInForce({ validFromMs, validToMs }: PriceSheet, nowMs: number): boolean {
  return validFromMs <= nowMs && (validToMs === null || nowMs < validToMs)
}

/** A sheet's own prices and those of each of its variants, each class of tokens apart. */
function pricesOf(service: Service, nowMs: number): Resource[] {
  return service.sellSheets.flatMap((sheet) => [
    ...partsOf(service, sheet, nowMs, { name: 'standard', prices: sheet.prices, when: [] }),
    ...(sheet.variants ?? []).flatMap(({ when, prices }, index) =>
      partsOf(service, sheet, nowMs, { name: `variant-${index + 1}`, prices, when: conditions(when) }),
    ),
  ])
}

interface PricePart {
  readonly name: string
  readonly prices: ClassPrices
  /** Where it holds instead of the standard prices; the first variant that fits decides. */
  readonly when: readonly ExactObject[]
}

function partsOf(service: Service, sheet: PriceSheet, nowMs: number, part: PricePart): Resource[] {
  return TOKEN_CLASSES.map((tokenClass) => ({
    id: ids.price(sheet.id, `${part.name}:${tokenClass}`),
    attributes: {
      name: `${service.displayName}: ${tokenClass} (${part.name})`,
      priceType: 'usage',
      isBundle: false,
      lifecycleStatus: isInForce(sheet, nowMs) ? 'Launched' : 'Active',
      lastUpdate: time(service.createdMs),
      validFor: period(sheet.validFromMs, sheet.validToMs),
      price: { unit: CURRENCY, value: decimal(formatPricePerMillion(BigInt(part.prices[tokenClass]))) },
      unitOfMeasure: { amount: decimal(TOKENS_PER_PRICE), units: 'token' },
      tax: [{ taxCategory: 'VAT', taxRate: decimal(`${sheet.taxPercent}`) }],
      ...(part.when.length > 0 ? { prodSpecCharValueUse: part.when } : {}),
    },
  }))
}

function conditions(when: NonNullable<PriceSheet['variants']>[number]['when']): ExactObject[] {
  const { tier, period: hours, inputTokensAbove } = when
  const use = (name: string, value: ExactJson | undefined): ExactObject[] =>
    value === undefined ? [] : [{ name, productSpecCharacteristicValue: [{ value }] }]
  return [
    ...use('tier', tier),
    ...use('period', hours),
    ...use('inputTokensAbove', inputTokensAbove === undefined ? undefined : decimal(`${inputTokensAbove}`)),
  ]
}
