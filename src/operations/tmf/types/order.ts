import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF622 Product Ordering, v4.0.0. */
export const productOrder: ResourceType = {
  name: 'ProductOrder',
  methods: ['POST', 'PATCH'],
  required: ['productOrderItem'],
  given: ['cancellationDate', 'completionDate', 'expectedCompletionDate', 'orderDate', 'orderTotalPrice'],
  states: {
    attribute: 'state',
    initial: 'acknowledged',
    next: {
      acknowledged: ['rejected', 'pending', 'held', 'inProgress', 'cancelled'],
      pending: ['inProgress', 'assessingCancellation', 'cancelled'],
      held: ['inProgress', 'assessingCancellation', 'cancelled'],
      inProgress: ['pending', 'held', 'assessingCancellation', 'completed', 'failed', 'partial'],
      assessingCancellation: ['inProgress', 'pendingCancellation'],
      pendingCancellation: ['cancelled'],
    },
  },
  attributes: attributes({
    text: 'cancellationReason category description externalId notificationContact priority state',
    time: 'cancellationDate completionDate expectedCompletionDate orderDate requestedCompletionDate requestedStartDate',
    ref: 'billingAccount',
    refs: 'agreement channel payment productOfferingQualification productOrderItem quote relatedParty',
    objects: 'note orderTotalPrice',
  }),
}

export const cancelProductOrder: ResourceType = {
  name: 'CancelProductOrder',
  methods: ['POST'],
  required: ['productOrder'],
  given: ['effectiveCancellationDate', 'state'],
  attributes: attributes({
    text: 'cancellationReason state',
    time: 'effectiveCancellationDate requestedCancellationDate',
    ref: 'productOrder',
  }),
}
