import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF637 Product Inventory, v4.0.0. What its conformance profile has in every answer is required of every product. */
export const product: ResourceType = {
  name: 'Product',
  methods: ['POST', 'PATCH', 'DELETE'],
  required: ['billingAccount', 'productCharacteristic', 'productOffering', 'productPrice', 'relatedParty', 'status'],
  given: [],
  states: {
    attribute: 'status',
    initial: 'created',
    next: {
      created: ['pendingActive', 'active', 'cancelled', 'aborted'],
      pendingActive: ['active', 'cancelled', 'aborted'],
      active: ['suspended', 'pendingTerminate', 'terminated'],
      suspended: ['active', 'pendingTerminate', 'terminated'],
      pendingTerminate: ['active', 'terminated'],
    },
  },
  attributes: attributes({
    text: 'description name productSerialNumber status',
    flag: 'isBundle isCustomerVisible',
    time: 'orderDate startDate terminationDate',
    ref: 'billingAccount productOffering productSpecification',
    refs: 'agreement realizingResource realizingService relatedParty',
    objects: 'place product productCharacteristic productOrderItem productPrice productRelationship productTerm',
  }),
}
