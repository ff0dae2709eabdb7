import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF678 Customer Bill, v4.0.0. */
export const customerBill: ResourceType = {
  name: 'CustomerBill',
  methods: ['PATCH'],
  required: [],
  given: [],
  attributes: attributes({
    text: 'billNo category runType state',
    time: 'billDate lastUpdate nextBillDate paymentDueDate',
    money: 'amountDue remainingAmount taxExcludedAmount taxIncludedAmount',
    ref: 'billCycle billingAccount financialAccount paymentMethod',
    refs: 'relatedParty',
    objects: 'appliedPayment billDocument taxItem',
    period: 'billingPeriod',
  }),
}

export const customerBillOnDemand: ResourceType = {
  name: 'CustomerBillOnDemand',
  methods: ['POST'],
  required: ['billingAccount'],
  given: ['customerBill', 'lastUpdate', 'state'],
  attributes: attributes({
    text: 'description lastUpdate name state',
    ref: 'billingAccount customerBill relatedParty',
  }),
}

export const appliedCustomerBillingRate: ResourceType = {
  name: 'AppliedCustomerBillingRate',
  methods: [],
  required: [],
  given: [],
  attributes: attributes({
    text: 'appliedBillingRateType description name',
    time: 'date',
    flag: 'isBilled',
    money: 'taxExcludedAmount taxIncludedAmount',
    ref: 'bill billingAccount product',
    objects: 'appliedTax characteristic',
    period: 'periodCoverage',
  }),
}

export const billCycle: ResourceType = {
  name: 'BillCycle',
  methods: [],
  required: [],
  given: [],
  attributes: attributes({
    text: 'billingPeriod description name',
    time: 'billingDate chargeDate creditDate mailingDate paymentDueDate',
    ref: 'billCycleSpecification',
    period: 'validFor',
  }),
}
