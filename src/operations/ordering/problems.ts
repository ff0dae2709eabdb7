import { defineProblem } from '#kernel'

export const notForSale = defineProblem<{ offer: string; reason: string }>({
  code: 'not_for_sale',
  status: 409,
  title: 'Not for sale',
  retryable: false,
  detail: ({ offer, reason }) => `The offer ${offer} ${reason}.`,
})

export const invalidConfiguration = defineProblem<{
  offer: string
  issues: readonly { readonly path: string; readonly message: string }[]
}>({
  code: 'invalid_configuration',
  status: 422,
  title: 'Configuration cannot be sold',
  retryable: false,
  detail: ({ issues }) => issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
})

export const unknownQuote = defineProblem<{ quote: string }>({
  code: 'unknown_quote',
  status: 404,
  title: 'Unknown quote',
  retryable: false,
  detail: ({ quote }) => `There is no quote ${quote}.`,
})

export const quoteExpired = defineProblem<{ quote: string; expiredAtMs: number }>({
  code: 'quote_expired',
  status: 409,
  title: 'Quote has expired',
  retryable: false,
  detail: ({ quote }) => `The quote ${quote} is over: a price holds for 15 minutes. Ask for another one.`,
})

export const tooManyQuotes = defineProblem<{ tenant: string; most: number }>({
  code: 'too_many_quotes',
  status: 429,
  title: 'Too many open quotes',
  retryable: true,
  detail: ({ tenant, most }) =>
    `${tenant} has ${most} quotes open, each for 15 minutes. Order one, or wait until some are over.`,
})

export const notInvited = defineProblem<{ subscription: string }>({
  code: 'not_invited',
  status: 404,
  title: 'No such invitation',
  retryable: false,
  detail: ({ subscription }) => `There is no invitation to share the subscription ${subscription}.`,
})

export const quoteUsed = defineProblem<{ quote: string; order: string }>({
  code: 'quote_used',
  status: 409,
  title: 'Quote was ordered already',
  retryable: false,
  detail: ({ quote, order }) => `The quote ${quote} became the order ${order}.`,
})

export const unknownOrder = defineProblem<{ order: string }>({
  code: 'unknown_order',
  status: 404,
  title: 'Unknown order',
  retryable: false,
  detail: ({ order }) => `There is no order ${order}.`,
})

export const orderKeyReused = defineProblem<{ idempotencyKey: string }>({
  code: 'order_key_reused',
  status: 409,
  title: 'Idempotency key used for another order',
  retryable: false,
  detail: ({ idempotencyKey }) => `The key ${idempotencyKey} was sent before with another request.`,
})

export const unknownSubscription = defineProblem<{ subscription: string }>({
  code: 'unknown_subscription',
  status: 404,
  title: 'Unknown subscription',
  retryable: false,
  detail: ({ subscription }) => `There is no subscription ${subscription}.`,
})

export const illegalTransition = defineProblem<{ subject: string; id: string; from: string; to: string }>({
  code: 'illegal_transition',
  status: 409,
  title: 'Not possible in this state',
  retryable: false,
  detail: ({ subject, id, from, to }) => `The ${subject} ${id} is ${from} and cannot become ${to}.`,
})

export const cannotChange = defineProblem<{ subscription: string; reason: string }>({
  code: 'cannot_change',
  status: 409,
  title: 'Subscription cannot be changed so',
  retryable: false,
  detail: ({ subscription, reason }) => `The subscription ${subscription} ${reason}.`,
})
