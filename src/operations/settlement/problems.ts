import { defineProblem } from '#kernel'
import type { RowFlaw } from './model/line.ts'

export const unknownSupplier = defineProblem<{ supplier: string }>({
  code: 'unknown_supplier',
  status: 404,
  title: 'Unknown supplier',
  retryable: false,
  detail: ({ supplier }) => `There is no supplier ${supplier}.`,
})

export const mappingMissing = defineProblem<{ supplier: string }>({
  code: 'mapping_missing',
  status: 409,
  title: 'No mapping for this supplier',
  retryable: false,
  detail: ({ supplier }) =>
    `Say first how to read the files of ${supplier}: tokenfactory statement mapping ${supplier} --from FILE.`,
})

export const payeeMissing = defineProblem<{ supplier: string }>({
  code: 'payee_missing',
  status: 409,
  title: 'Nobody to pay',
  retryable: false,
  detail: ({ supplier }) =>
    `Say first to which account ${supplier} is paid: tokenfactory statement payee ${supplier} --from FILE.`,
})

export type FileFlaw =
  | 'empty'
  | 'encoding'
  | 'not_csv'
  | 'line_too_long'
  | 'too_many_columns'
  | 'duplicate_heading'
  | 'missing_column'
  | 'not_json'
  | 'not_xlsx'
  | 'zip_bomb'
  | 'formula'
  | 'doctype'
  | 'too_many_lines'
  | 'no_lines'

/** The file as a whole cannot be read; nothing was kept of it. */
export const statementUnreadable = defineProblem<{ flaw: FileFlaw; line: number | null; what: string }>({
  code: 'statement_unreadable',
  status: 422,
  title: 'The file cannot be read',
  retryable: false,
  detail: ({ flaw, line, what }) =>
    `${line === null ? 'The file' : `Line ${line}`}: ${flaw.replaceAll('_', ' ')}${what === '' ? '' : ` (${what})`}. Nothing was imported.`,
})

export const statementRows = defineProblem<{ flaws: readonly RowFlaw[]; more: boolean }>({
  code: 'statement_rows',
  status: 422,
  title: 'Lines that cannot be read',
  retryable: false,
  detail: ({ flaws, more }) =>
    `Nothing was imported. ${flaws
      .map(({ line, column, reason }) => `line ${line}, ${column}: ${reason.replaceAll('_', ' ')}`)
      .join('; ')}${more ? '; and more' : ''}.`,
})

export const statementDecided = defineProblem<{ id: string; state: string }>({
  code: 'statement_decided',
  status: 409,
  title: 'The month has a statement',
  retryable: false,
  detail: ({ id, state }) => `${id} is ${state}; no other file takes its place.`,
})

export const unknownStatement = defineProblem<{ id: string }>({
  code: 'unknown_statement',
  status: 404,
  title: 'Unknown statement',
  retryable: false,
  detail: ({ id }) => `There is no statement ${id}.`,
})

export const unknownDiscrepancy = defineProblem<{ statement: string; number: number }>({
  code: 'unknown_discrepancy',
  status: 404,
  title: 'Unknown discrepancy',
  retryable: false,
  detail: ({ statement, number }) => `${statement} has no discrepancy ${number}.`,
})

export const settlementState = defineProblem<{ id: string; state: string; wanted: string }>({
  code: 'settlement_state',
  status: 409,
  title: 'Not in this state',
  retryable: false,
  detail: ({ id, state, wanted }) => `${id} is ${state}; it cannot become ${wanted}.`,
})

export const undecided = defineProblem<{ id: string; count: number }>({
  code: 'undecided_discrepancies',
  status: 409,
  title: 'Something is undecided',
  retryable: false,
  detail: ({ id, count }) => `${count} discrepancies of ${id} wait for a decision.`,
})

export const amountOutside = defineProblem<{ number: number; impactPico: string }>({
  code: 'amount_outside',
  status: 422,
  title: 'Not between the two sides',
  retryable: false,
  detail: ({ number, impactPico }) =>
    `Discrepancy ${number} is ${impactPico} pico-yuan; what is paid of it lies between 0 and that.`,
})

export const samePerson = defineProblem<{ by: string }>({
  code: 'same_person',
  status: 409,
  title: 'Another person is needed',
  retryable: false,
  detail: ({ by }) => `${by} proposed it; somebody else has to agree.`,
})

export const unknownRun = defineProblem<{ id: string }>({
  code: 'unknown_run',
  status: 404,
  title: 'Unknown settlement',
  retryable: false,
  detail: ({ id }) => `There is no settlement ${id}.`,
})

export const nothingToSettle = defineProblem<{ statement: string }>({
  code: 'nothing_to_settle',
  status: 409,
  title: 'Nothing to settle',
  retryable: false,
  detail: ({ statement }) => `${statement} is settled, and no dispute has been decided since.`,
})

export const settlementStale = defineProblem<{ id: string }>({
  code: 'settlement_stale',
  status: 409,
  title: 'Computed from something else',
  retryable: false,
  detail: ({ id }) => `What ${id} was computed from has changed; compute it again.`,
})

export const paymentReferenceUsed = defineProblem<{ reference: string }>({
  code: 'payment_reused',
  status: 409,
  title: 'Payment reference used for another payment',
  retryable: false,
  detail: ({ reference }) => `The payment ${reference} was booked already, for another settlement.`,
})

export const penaltyReused = defineProblem<{ id: string }>({
  code: 'penalty_reused',
  status: 409,
  title: 'Penalty reference used for another penalty',
  retryable: false,
  detail: ({ id }) => `The penalty ${id} exists already, with another supplier, month or amount.`,
})

export const unknownPenalty = defineProblem<{ id: string }>({
  code: 'unknown_penalty',
  status: 404,
  title: 'Unknown penalty',
  retryable: false,
  detail: ({ id }) => `There is no penalty ${id}.`,
})

export const invalidMonth = defineProblem<{ period: string }>({
  code: 'invalid_period',
  status: 422,
  title: 'Not a month',
  retryable: false,
  detail: ({ period }) => `${period} is not a month such as 2026-11.`,
})

export const monthOpen = defineProblem<{ period: string }>({
  code: 'period_open',
  status: 409,
  title: 'The month is not over',
  retryable: true,
  detail: ({ period }) => `${period} can be settled when it is over in China.`,
})
