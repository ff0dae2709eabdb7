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
  detail: ({ slice }) => `There is no slice ${slice}, or it is another gateway's.`,
})

export const sliceOfOtherJournal = defineProblem<{ slice: string }>({
  code: 'slice_of_other_journal',
  status: 409,
  title: 'Slice of another journal',
  retryable: false,
  detail: ({ slice }) =>
    `Slice ${slice} was granted to another journal under this gateway's id, and only that one knows what was used of it.`,
})

export const sliceInUse = defineProblem<{ slice: string; state: string; releasableAtMs: number }>({
  code: 'slice_in_use',
  status: 409,
  title: 'Slice cannot be released',
  retryable: false,
  detail: ({ slice, state, releasableAtMs }) =>
    state !== 'open'
      ? `Slice ${slice} is ${state}; nothing of it is set aside.`
      : `Slice ${slice} may be released an hour after it expired and not before: ${releasableAtMs} (milliseconds since 1970).`,
})

export const unknownQuarantined = defineProblem<{ id: string }>({
  code: 'unknown_quarantined',
  status: 404,
  title: 'Unknown record in quarantine',
  retryable: false,
  detail: ({ id }) => `No record in quarantine, or more than one, has an id that begins with ${id}.`,
})

export const quarantineDecided = defineProblem<{ id: string; state: string }>({
  code: 'quarantine_decided',
  status: 409,
  title: 'Already decided',
  retryable: false,
  detail: ({ id, state }) => `The record ${id} is ${state} already.`,
})

export const grantReused = defineProblem<{ gateway: string; epoch: number; seq: number }>({
  code: 'grant_reused',
  status: 409,
  title: 'Grant number used for another bucket',
  retryable: false,
  detail: ({ gateway, epoch, seq }) =>
    `Gateway ${gateway} has used number ${seq} of epoch ${epoch} for another bucket.`,
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
