import { defineProblem } from '#kernel'

export const unknownOffer = defineProblem<{ offer: string }>({
  code: 'unknown_offer',
  status: 404,
  title: 'Unknown offer',
  retryable: false,
  detail: ({ offer }) => `There is no offer ${offer}.`,
})

export const offerRefused = defineProblem<{ offer: string; field: string; reason: string }>({
  code: 'offer_refused',
  status: 409,
  title: 'Offer cannot be declared so',
  retryable: false,
  detail: ({ field, reason }) => `${field}: ${reason}.`,
})

export const unknownParts = defineProblem<{ missing: readonly string[] }>({
  code: 'unknown_parts',
  status: 422,
  title: 'Offer of what is not there',
  retryable: false,
  detail: ({ missing }) => `There is no ${missing.join(', no ')}.`,
})
