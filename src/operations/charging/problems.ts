import { defineProblem } from '#kernel'

export const invalidRequest = defineProblem<{ issues: readonly string[] }>({
  code: 'invalid_request',
  status: 400,
  title: 'Invalid request',
  retryable: false,
  detail: ({ issues }) => issues.join('; '),
})

export const requestTooLarge = defineProblem<{ maxBytes: number }>({
  code: 'request_too_large',
  status: 413,
  title: 'Request too large',
  retryable: false,
  detail: ({ maxBytes }) => `The body is larger than ${maxBytes} bytes.`,
})

export const unknownSlice = defineProblem<{ slice: string }>({
  code: 'unknown_slice',
  status: 404,
  title: 'Unknown slice',
  retryable: false,
  detail: ({ slice }) => `This gateway has no slice ${slice}.`,
})

export const grantReused = defineProblem<{ gateway: string; epoch: number; seq: number }>({
  code: 'grant_reused',
  status: 409,
  title: 'Grant number used for another tenant',
  retryable: false,
  detail: ({ gateway, epoch, seq }) =>
    `Gateway ${gateway} has used number ${seq} of epoch ${epoch} for another tenant.`,
})

export const topupReused = defineProblem<{ reference: string }>({
  code: 'topup_reused',
  status: 409,
  title: 'Payment reference used for another top-up',
  retryable: false,
  detail: ({ reference }) => `The payment ${reference} was booked already, for another tenant or another amount.`,
})

export const invalidAmount = defineProblem<{ amount: string }>({
  code: 'invalid_amount',
  status: 422,
  title: 'Invalid amount',
  retryable: false,
  detail: ({ amount }) => `A top-up is more than zero and at most ten trillion yuan, not ${amount} pico-yuan.`,
})

export const unknownRequest = defineProblem<{ id: string }>({
  code: 'unknown_request',
  status: 404,
  title: 'Unknown request',
  retryable: false,
  detail: ({ id }) => `No usage record has the id ${id}.`,
})
