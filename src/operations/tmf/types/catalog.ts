import { attributes } from '../engine/resource.ts'
import type { ResourceType, States } from '../engine/resource.ts'

/** TMF620 Product Catalog, v4.1.0: attribute names and lifecycle of its document. */
const LIFECYCLE: States = {
  attribute: 'lifecycleStatus',
  initial: 'In study',
  next: {
    'In study': ['In design', 'Rejected'],
    'In design': ['In test', 'Rejected'],
    'In test': ['Active', 'In design', 'Rejected'],
    Active: ['Launched', 'Retired'],
    Launched: ['Active', 'Retired'],
    Retired: ['Obsolete', 'Launched'],
  },
}

const entity = {
  methods: ['POST', 'PATCH', 'DELETE'],
  required: ['name'],
  given: ['lastUpdate'],
  stamp: 'lastUpdate',
  states: LIFECYCLE,
} as const

export const catalog: ResourceType = {
  ...entity,
  name: 'Catalog',
  attributes: attributes({
    text: 'catalogType description lifecycleStatus name version',
    time: 'lastUpdate',
    refs: 'category relatedParty',
    period: 'validFor',
  }),
}

export const category: ResourceType = {
  ...entity,
  name: 'Category',
  attributes: attributes({
    text: 'description lifecycleStatus name parentId version',
    flag: 'isRoot',
    time: 'lastUpdate',
    refs: 'productOffering subCategory',
    period: 'validFor',
  }),
}

export const productOffering: ResourceType = {
  ...entity,
  name: 'ProductOffering',
  attributes: attributes({
    text: 'description lifecycleStatus name statusReason version',
    flag: 'isBundle isSellable',
    time: 'lastUpdate',
    ref: 'productSpecification resourceCandidate serviceCandidate serviceLevelAgreement',
    refs: 'agreement category channel marketSegment place',
    objects:
      'attachment bundledProductOffering prodSpecCharValueUse productOfferingPrice productOfferingRelationship productOfferingTerm',
    period: 'validFor',
  }),
}

export const productOfferingPrice: ResourceType = {
  ...entity,
  name: 'ProductOfferingPrice',
  attributes: attributes({
    text: 'description lifecycleStatus name priceType recurringChargePeriodType version',
    flag: 'isBundle',
    time: 'lastUpdate',
    number: 'percentage recurringChargePeriodLength',
    money: 'price',
    quantity: 'unitOfMeasure',
    refs: 'constraint place',
    objects:
      'bundledPopRelationship popRelationship pricingLogicAlgorithm prodSpecCharValueUse productOfferingTerm tax',
    period: 'validFor',
  }),
}

export const productSpecification: ResourceType = {
  ...entity,
  name: 'ProductSpecification',
  attributes: attributes({
    text: 'brand description lifecycleStatus name productNumber version',
    flag: 'isBundle',
    time: 'lastUpdate',
    refs: 'relatedParty resourceSpecification serviceSpecification',
    object: 'targetProductSchema',
    objects: 'attachment bundledProductSpecification productSpecCharacteristic productSpecificationRelationship',
    period: 'validFor',
  }),
}
