import { defineProblem } from '#kernel'

export const unknownCase = defineProblem<{ id: string }>({
  code: 'unknown_case',
  status: 404,
  title: 'Unknown case',
  retryable: false,
  detail: ({ id }) => `There is no case ${id}.`,
})

export const illegalTransition = defineProblem<{ id: string; from: string; to: string }>({
  code: 'illegal_transition',
  status: 409,
  title: 'Not from this state',
  retryable: false,
  detail: ({ id, from, to }) => `${id} is ${from} and cannot become ${to}.`,
})

export const samePerson = defineProblem<{ id: string }>({
  code: 'same_person',
  status: 409,
  title: 'A second person must decide',
  retryable: false,
  detail: ({ id }) => `Whoever proposed a decision about ${id} cannot take it: another person must.`,
})

export const unknownCredit = defineProblem<{ id: string }>({
  code: 'unknown_credit',
  status: 404,
  title: 'Unknown credit',
  retryable: false,
  detail: ({ id }) => `There is no credit or penalty ${id}.`,
})

export const periodNotOver = defineProblem<{ period: string }>({
  code: 'period_not_over',
  status: 409,
  title: 'No month that is over',
  retryable: false,
  detail: ({ period }) => `${period} is no month that is over: a report needs all of it, as 2026-11.`,
})

export const termsBackdated = defineProblem<{ validFromMs: number }>({
  code: 'terms_backdated',
  status: 409,
  title: 'Nothing is promised backwards',
  retryable: false,
  detail: ({ validFromMs }) =>
    `Terms from ${validFromMs} would judge what has been judged: let them begin later than now.`,
})

export const unknownAcceptance = defineProblem<{ id: string }>({
  code: 'unknown_acceptance',
  status: 404,
  title: 'Unknown acceptance',
  retryable: false,
  detail: ({ id }) => `There is no report ${id}.`,
})

export const notToBeAccepted = defineProblem<{ id: string; why: string }>({
  code: 'not_to_be_accepted',
  status: 409,
  title: 'Nothing to accept',
  retryable: false,
  detail: ({ id, why }) => `${id} cannot be accepted: ${why}.`,
})
