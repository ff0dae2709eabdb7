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
