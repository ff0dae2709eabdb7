import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF654 Prepay Balance, v4.1.0, and what the conformance kit of v4.0.0 expects (`confirmationDate` of a bucket). */
export const bucket: ResourceType = {
  name: 'Bucket',
  methods: ['POST', 'DELETE'],
  required: ['usageType'],
  given: ['confirmationDate', 'remainingValue', 'remainingValueName', 'reservedValue', 'reserveBalance', 'status'],
  attributes: attributes({
    text: 'description name remainingValueName status usageType',
    flag: 'isShared',
    time: 'confirmationDate',
    ref: 'partyAccount',
    refs: 'logicalResource product relatedParty reserveBalance',
    quantity: 'remainingValue reservedValue',
    period: 'validFor',
  }),
}

/** Money that has moved does not unmove by a PATCH or a DELETE: what is wrong is corrected by another action. */
const action = {
  methods: ['POST'],
  required: ['amount', 'bucket'],
  given: ['confirmationDate', 'impactedBucket', 'status'],
} as const

export const topupBalance: ResourceType = {
  ...action,
  name: 'TopupBalance',
  attributes: attributes({
    text: 'description reason status usageType',
    time: 'confirmationDate requestedDate',
    quantity: 'amount',
    ref: 'bucket channel logicalResource partyAccount payment paymentMethod product requestor',
    refs: 'relatedParty',
    objects: 'impactedBucket',
  }),
}

export const adjustBalance: ResourceType = {
  ...action,
  name: 'AdjustBalance',
  attributes: attributes({
    text: 'adjustType description reason status usageType',
    time: 'confirmationDate requestedDate',
    quantity: 'amount',
    ref: 'bucket channel logicalResource partyAccount product requestor reserveBalance',
    refs: 'relatedParty',
    objects: 'impactedBucket',
  }),
}

export const transferBalance: ResourceType = {
  ...action,
  name: 'TransferBalance',
  required: ['amount', 'bucket', 'receiverBucket'],
  attributes: attributes({
    text: 'description reason receiverBucketUsageType status usageType',
    time: 'confirmationDate requestedDate',
    quantity: 'amount',
    ref: 'bucket channel logicalResource partyAccount product receiver receiverBucket receiverLogicalResource receiverPartyAccount receiverProduct requestor',
    refs: 'relatedParty',
    objects: 'impactedBucket',
  }),
}

export const reserveBalance: ResourceType = {
  ...action,
  name: 'ReserveBalance',
  methods: ['POST', 'DELETE'],
  required: ['amount', 'bucket', 'relatedParty'],
  attributes: attributes({
    text: 'description reason status usageType',
    time: 'confirmationDate expirationDate requestedDate',
    quantity: 'amount',
    ref: 'bucket channel logicalResource partyAccount product requestor',
    refs: 'relatedParty',
    objects: 'impactedBucket',
  }),
}

export const accumulatedBalance: ResourceType = {
  name: 'AccumulatedBalance',
  methods: [],
  required: [],
  given: [],
  attributes: attributes({
    text: 'description name',
    ref: 'partyAccount',
    refs: 'bucket logicalResource product relatedParty',
    quantity: 'totalBalance',
  }),
}
