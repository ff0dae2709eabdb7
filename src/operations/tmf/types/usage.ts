import { attributes } from '../engine/resource.ts'
import type { ResourceType } from '../engine/resource.ts'

/** TMF635 Usage, v4.0.0. */
export const usage: ResourceType = {
  name: 'Usage',
  methods: ['POST', 'PATCH', 'DELETE'],
  required: ['usageSpecification'],
  // What is rated elsewhere is kept as it was rated there; `status` is what its owner says it is.
  given: [],
  states: {
    attribute: 'status',
    initial: 'received',
    next: {
      received: ['rejected', 'guided', 'rated'],
      rejected: ['recycled'],
      recycled: ['rejected', 'guided', 'rated'],
      guided: ['rejected', 'rated'],
      rated: ['rerated', 'billed'],
      rerated: ['rerated', 'billed'],
    },
  },
  attributes: attributes({
    text: 'description status usageType',
    time: 'usageDate',
    ref: 'usageSpecification',
    refs: 'relatedParty',
    objects: 'ratedProductUsage usageCharacteristic',
  }),
}

export const usageSpecification: ResourceType = {
  name: 'UsageSpecification',
  methods: ['POST', 'PATCH', 'DELETE'],
  required: ['name'],
  given: ['lastUpdate'],
  stamp: 'lastUpdate',
  attributes: attributes({
    text: 'description lifecycleStatus name version',
    flag: 'isBundle',
    time: 'lastUpdate',
    refs: 'constraint relatedParty',
    object: 'targetEntitySchema',
    objects: 'attachment entitySpecRelationship specCharacteristic',
    period: 'validFor',
  }),
}
