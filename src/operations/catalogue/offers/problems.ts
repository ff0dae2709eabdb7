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

export const unknownServices = defineProblem<{ services: readonly string[] }>({
  code: 'unknown_services',
  status: 422,
  title: 'Unknown services',
  retryable: false,
  detail: ({ services }) => `There is no service ${services.join(', ')}.`,
})
