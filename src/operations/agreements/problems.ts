import { defineProblem } from '#kernel'
import type { FactoryMistake } from '#contract'

export const unknownThing = defineProblem<{ what: string; id: string }>({
  code: 'unknown_supply_object',
  status: 404,
  title: 'Unknown',
  retryable: false,
  detail: ({ what, id }) => `There is no ${what} ${id}.`,
})

export const illegalMove = defineProblem<{ subject: string; id: string; from: string; to: string }>({
  code: 'illegal_transition',
  status: 409,
  title: 'Not possible in this state',
  retryable: false,
  detail: ({ subject, id, from, to }) => `The ${subject.replace('_', '-')} ${id} is ${from} and cannot become ${to}.`,
})

/** Four eyes: money and awards are decided by two people. */
export const samePerson = defineProblem<{ by: string; what: string }>({
  code: 'same_person',
  status: 409,
  title: 'Somebody else must decide',
  retryable: false,
  detail: ({ by, what }) => `${by} proposed the ${what} and cannot approve it too: a second person must.`,
})

export const notAllowed = defineProblem<{ reason: string }>({
  code: 'not_allowed_by_terms',
  status: 422,
  title: 'Not allowed by the terms',
  retryable: false,
  detail: ({ reason }) => reason,
})

export const tenderMistakes = defineProblem<{ mistakes: readonly FactoryMistake[] }>({
  code: 'invalid_tender_file',
  status: 422,
  title: 'The file has mistakes; nothing was applied',
  retryable: false,
  detail: ({ mistakes }) =>
    mistakes.map(({ file, line, column, path, message }) => `${file}:${line}:${column} ${path}: ${message}`).join('\n'),
})
