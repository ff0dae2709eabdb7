import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF666 Account, v4.1.0. */
const account = {
  methods: ['POST', 'PATCH', 'DELETE'],
  required: ['name', 'relatedParty'],
  given: ['lastModified'],
  stamp: 'lastModified',
} as const

const PARTY_ACCOUNT = {
  text: 'accountType description name paymentStatus state',
  time: 'lastModified',
  money: 'creditLimit',
  ref: 'defaultPaymentMethod financialAccount',
  refs: 'relatedParty',
  object: 'billStructure',
  objects: 'accountBalance accountRelationship contact paymentPlan taxExemption',
}

export const partyAccount: ResourceType = { ...account, name: 'PartyAccount', attributes: attributes(PARTY_ACCOUNT) }

export const billingAccount: ResourceType = {
  ...account,
  name: 'BillingAccount',
  attributes: attributes({ ...PARTY_ACCOUNT, text: `${PARTY_ACCOUNT.text} ratingType` }),
}

export const settlementAccount: ResourceType = {
  ...account,
  name: 'SettlementAccount',
  attributes: attributes(PARTY_ACCOUNT),
}

export const financialAccount: ResourceType = {
  ...account,
  name: 'FinancialAccount',
  required: ['name'],
  attributes: attributes({
    text: 'accountType description name state',
    time: 'lastModified',
    money: 'creditLimit',
    refs: 'relatedParty',
    objects: 'accountBalance accountRelationship contact taxExemption',
  }),
}

const specification = { methods: ['POST', 'PATCH', 'DELETE'], required: ['name'], given: [] } as const

export const billingCycleSpecification: ResourceType = {
  ...specification,
  name: 'BillingCycleSpecification',
  attributes: attributes({
    text: 'billingPeriod description frequency name',
    number: 'billingDateShift chargeDateOffset creditDateOffset mailingDateOffset paymentDueDateOffset',
    period: 'validFor',
  }),
}

export const billFormat: ResourceType = {
  ...specification,
  name: 'BillFormat',
  attributes: attributes({ text: 'description name' }),
}

export const billPresentationMedia: ResourceType = {
  ...specification,
  name: 'BillPresentationMedia',
  attributes: attributes({ text: 'description name' }),
}
