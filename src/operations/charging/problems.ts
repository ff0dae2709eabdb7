import { defineProblem, formatYuan } from '#kernel'

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
  detail: ({ amount }) =>
    `An amount is more than zero and at most ten trillion yuan, and nobody pays himself; this is ¥${formatYuan(BigInt(amount))}.`,
})

export const unknownRequest = defineProblem<{ id: string }>({
  code: 'unknown_request',
  status: 404,
  title: 'Unknown request',
  retryable: false,
  detail: ({ id }) => `No usage record has the id ${id}.`,
})

export const insufficientBalance = defineProblem<{ needed: string; available: string }>({
  code: 'insufficient_balance',
  status: 402,
  title: 'Insufficient balance',
  retryable: false,
  detail: ({ needed, available }) =>
    `This takes ¥${formatYuan(BigInt(needed))} of paid money or credit, and ¥${formatYuan(BigInt(available))} is available for it.`,
})

export const invalidLot = defineProblem<{ reference: string; flaw: string }>({
  code: 'invalid_lot',
  status: 422,
  title: 'Invalid lot',
  retryable: false,
  detail: ({ reference, flaw }) => `The lot ${reference} cannot be: ${flaw}.`,
})

export const lotReused = defineProblem<{ reference: string }>({
  code: 'lot_reused',
  status: 409,
  title: 'Reference used for another lot',
  retryable: false,
  detail: ({ reference }) => `Another lot was granted under the reference ${reference}.`,
})

export const unknownLot = defineProblem<{ lot: string }>({
  code: 'unknown_lot',
  status: 404,
  title: 'Unknown lot',
  retryable: false,
  detail: ({ lot }) => `There is no lot ${lot}.`,
})

export const feeReused = defineProblem<{ reference: string }>({
  code: 'fee_reused',
  status: 409,
  title: 'Reference used for another fee',
  retryable: false,
  detail: ({ reference }) => `Another fee or refund was booked under the reference ${reference}.`,
})

export const unknownFee = defineProblem<{ reference: string }>({
  code: 'unknown_fee',
  status: 404,
  title: 'Unknown fee',
  retryable: false,
  detail: ({ reference }) => `No fee was charged under the reference ${reference}.`,
})

export const amountAboveFee = defineProblem<{ reference: string; left: string }>({
  code: 'amount_above_fee',
  status: 422,
  title: 'More than the fee',
  retryable: false,
  detail: ({ reference, left }) => `Of the fee ${reference} only ¥${formatYuan(BigInt(left))} is left to be refunded.`,
})

export const transferReused = defineProblem<{ reference: string }>({
  code: 'transfer_reused',
  status: 409,
  title: 'Reference used for another transfer',
  retryable: false,
  detail: ({ reference }) => `Another amount was moved under the reference ${reference}.`,
})

export const notShared = defineProblem<{ from: string; to: string }>({
  code: 'not_shared',
  status: 403,
  title: 'Not shared',
  retryable: false,
  detail: ({ from, to }) =>
    `${from} shares its wallet with no tenant ${to}, and may transfer money only to whom it does.`,
})

export const correctionReused = defineProblem<{ id: string; kind: string; sheet: string }>({
  code: 'correction_reused',
  status: 409,
  title: 'Reference used for another correction',
  retryable: false,
  detail: ({ id, kind, sheet }) =>
    `Under this reference ${id} was ${kind === 'refund' ? 'given back' : `rated by the sheet ${sheet}`} already.`,
})

export const definitionReused = defineProblem<{ id: string }>({
  code: 'definition_reused',
  status: 409,
  title: 'Definition is of something else',
  retryable: false,
  detail: ({ id }) =>
    `The definition ${id} belongs to another tenant, unit or period, or is not what its kind must be.`,
})

export const unknownDefinition = defineProblem<{ id: string }>({
  code: 'unknown_definition',
  status: 404,
  title: 'Unknown definition',
  retryable: false,
  detail: ({ id }) => `There is no definition ${id}.`,
})

export const invalidShare = defineProblem<{ owner: string; member: string }>({
  code: 'invalid_share',
  status: 422,
  title: 'Invalid share',
  retryable: false,
  detail: ({ owner, member }) => `${owner} cannot share with ${member}.`,
})

export const cannotPrice = defineProblem<{ id: string; sheet: string }>({
  code: 'cannot_price',
  status: 422,
  title: 'Cannot be priced',
  retryable: false,
  detail: ({ id, sheet }) =>
    `Request ${id} cannot be rated by the sheet ${sheet}: it names a calendar that is not known.`,
})
