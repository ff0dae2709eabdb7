import { defineProblem } from '#kernel'

export const unknownSupplier = defineProblem<{ supplier: string }>({
  code: 'unknown_supplier',
  status: 404,
  title: 'Unknown supplier',
  retryable: false,
  detail: ({ supplier }) => `There is no supplier ${supplier}.`,
})

/** Draining it would leave these with nobody. */
export const drainOrphans = defineProblem<{ supplier: string; services: readonly string[] }>({
  code: 'drain_orphans',
  status: 409,
  title: 'Nobody else serves this',
  retryable: false,
  detail: ({ supplier, services }) =>
    `Without ${supplier} nobody serves ${services.join(', ')}. Accept that explicitly to drain it all the same.`,
})

export const alreadyDrained = defineProblem<{ supplier: string; by: string }>({
  code: 'already_drained',
  status: 409,
  title: 'Already drained',
  retryable: false,
  detail: ({ supplier, by }) => `${supplier} is out of service already, by ${by}.`,
})

export const notDrained = defineProblem<{ supplier: string }>({
  code: 'not_drained',
  status: 409,
  title: 'Not drained',
  retryable: false,
  detail: ({ supplier }) => `${supplier} is in service.`,
})
