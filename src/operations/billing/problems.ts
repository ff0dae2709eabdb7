import { defineProblem } from '#kernel'

export const periodOpen = defineProblem<{ period: string }>({
  code: 'period_open',
  status: 409,
  title: 'The month is not over',
  retryable: true,
  detail: ({ period }) => `${period} can be invoiced when it is over in China.`,
})

export const invalidPeriod = defineProblem<{ period: string }>({
  code: 'invalid_period',
  status: 422,
  title: 'Not a month',
  retryable: false,
  detail: ({ period }) => `${period} is not a month such as 2026-11.`,
})

export const invalidDay = defineProblem<{ day: string }>({
  code: 'invalid_day',
  status: 422,
  title: 'Not a day',
  retryable: false,
  detail: ({ day }) => `${day} is not a day such as 2026-11-25.`,
})

export const sellerUnknown = defineProblem({
  code: 'seller_unknown',
  status: 409,
  title: 'Nobody to issue documents',
  retryable: false,
  detail: () => 'Say who sells first: name and unified social credit code (tokenfactory invoices seller).',
})

export const doubleBilling = defineProblem<{ tenant: string; charges: readonly string[] }>({
  code: 'double_billing',
  status: 500,
  title: 'The books of documents do not add up',
  retryable: false,
  detail: ({ tenant, charges }) =>
    `What was billed to ${tenant} is not what its documents say (${charges.join(', ')}); nothing is issued until somebody has looked.`,
})

export const residueTooLarge = defineProblem<{ charge: string }>({
  code: 'residue_too_large',
  status: 500,
  title: 'Rounding does not explain the difference',
  retryable: false,
  detail: ({ charge }) =>
    `Between the books and the rounded line of ${charge} is more than rounding can explain; nothing is issued.`,
})

export const unknownDocument = defineProblem<{ id: string }>({
  code: 'unknown_document',
  status: 404,
  title: 'Unknown document',
  retryable: false,
  detail: ({ id }) => `There is no document ${id}.`,
})

export const unknownLine = defineProblem<{ id: string; position: number }>({
  code: 'unknown_line',
  status: 404,
  title: 'Unknown line',
  retryable: false,
  detail: ({ id, position }) => `Document ${id} has no line ${position}.`,
})

export const wrongState = defineProblem<{ id: string; state: string; wanted: string }>({
  code: 'document_state',
  status: 409,
  title: 'Not in this state',
  retryable: false,
  detail: ({ id, state, wanted }) => `Document ${id} is ${state}; it cannot become ${wanted}.`,
})

export const invalidAmount = defineProblem<{ amount: string }>({
  code: 'invalid_amount',
  status: 422,
  title: 'Invalid amount',
  retryable: false,
  detail: ({ amount }) => `${amount} is not an amount above zero in yuan and fen, such as 100 or 0.50.`,
})

export const paymentReused = defineProblem<{ reference: string }>({
  code: 'payment_reused',
  status: 409,
  title: 'Payment reference used for another payment',
  retryable: false,
  detail: ({ reference }) => `The payment ${reference} was booked already, with another tenant, amount or document.`,
})

export const creditAboveDue = defineProblem<{ id: string; position: number; leftFen: string }>({
  code: 'credit_above_due',
  status: 409,
  title: 'More than can be credited',
  retryable: false,
  detail: ({ id, position, leftFen }) =>
    `Of line ${position} of ${id}, ${leftFen} fen can still be credited. What came out of a wallet is given back by a correction of the usage.`,
})

export const creditReused = defineProblem<{ reference: string }>({
  code: 'credit_reused',
  status: 409,
  title: 'Credit reference used for another credit',
  retryable: false,
  detail: ({ reference }) => `The credit ${reference} was granted already, with other lines or another reason.`,
})

export const refundReused = defineProblem<{ reference: string }>({
  code: 'refund_reused',
  status: 409,
  title: 'Refund reference used for another refund',
  retryable: false,
  detail: ({ reference }) => `The refund ${reference} was asked for already, with another tenant or amount.`,
})

export const unknownRefund = defineProblem<{ reference: string }>({
  code: 'unknown_refund',
  status: 404,
  title: 'Unknown refund',
  retryable: false,
  detail: ({ reference }) => `There is no refund ${reference}.`,
})

export const fapiaoExists = defineProblem<{ document: string; state: string }>({
  code: 'fapiao_exists',
  status: 409,
  title: 'There is a tax invoice already',
  retryable: false,
  detail: ({ document, state }) => `The tax invoice of ${document} is ${state}; another one needs that one reversed.`,
})

export const fapiaoState = defineProblem<{ document: string; state: string }>({
  code: 'fapiao_state',
  status: 409,
  title: 'The tax invoice does not allow this',
  retryable: false,
  detail: ({ document, state }) => `The tax invoice of ${document} is ${state}.`,
})

export const fapiaoNotReversed = defineProblem<{ document: string; saysFen: string; leftFen: string }>({
  code: 'fapiao_not_reversed',
  status: 409,
  title: 'A tax invoice must be reversed first',
  retryable: false,
  detail: ({ document, saysFen, leftFen }) =>
    `The tax invoice of ${document} says ${saysFen} fen, of which ${leftFen} are left. Reverse it before money is paid back, and ask for another one.`,
})

export const notInvoiceable = defineProblem<{ document: string; reason: string }>({
  code: 'no_fapiao_possible',
  status: 409,
  title: 'No tax invoice for this',
  retryable: false,
  detail: ({ document, reason }) => `No tax invoice can be asked for ${document}: ${reason}.`,
})

export const tooManyRows = defineProblem<{ most: number }>({
  code: 'too_many_rows',
  status: 422,
  title: 'Too many requests for a workbook',
  retryable: false,
  detail: ({ most }) => `A workbook holds at most ${most} requests; take the CSV, which has no limit.`,
})
