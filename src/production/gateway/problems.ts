import type { SpendCap } from '#contract'
import { defineProblem } from '#kernel'

/** One answer for missing, malformed, unknown, revoked and expired keys alike would hide what the owner must fix, so the known states are named; an unknown key learns nothing. */
export const invalidApiKey = defineProblem<{ reason: string }>({
  code: 'invalid_api_key',
  status: 401,
  title: 'Invalid API key',
  retryable: false,
  detail: ({ reason }) => reason,
})

export const tenantSuspended = defineProblem({
  code: 'tenant_suspended',
  status: 403,
  title: 'Tenant suspended',
  retryable: false,
  detail: () => 'The tenant of this API key is suspended.',
})

export const unknownRoute = defineProblem<{ method: string }>({
  code: 'unknown_route',
  status: 404,
  title: 'Unknown route',
  retryable: false,
  detail: () => 'There is nothing at this address. The API is under /v1.',
})

export const methodNotAllowed = defineProblem<{ allowed: string }>({
  code: 'method_not_allowed',
  status: 405,
  title: 'Method not allowed',
  retryable: false,
  detail: ({ allowed }) => `Use ${allowed} here.`,
})

export const unsupportedEncoding = defineProblem({
  code: 'unsupported_encoding',
  status: 415,
  title: 'Unsupported encoding',
  retryable: false,
  detail: () => 'Send the body as plain JSON, without content-encoding.',
})

export const bodyTooLarge = defineProblem<{ maxBytes: number }>({
  code: 'body_too_large',
  status: 413,
  title: 'Body too large',
  retryable: false,
  detail: ({ maxBytes }) => `The body may have at most ${maxBytes} bytes.`,
})

export const modelNotFound = defineProblem<{ param: string }>({
  code: 'model_not_found',
  status: 404,
  title: 'Model not found',
  retryable: false,
  detail: () => 'The model does not exist or this API key may not use it. GET /v1/models lists what it may use.',
})

export const unsupportedModality = defineProblem<{ param: string }>({
  code: 'unsupported_modality',
  status: 400,
  title: 'Unsupported modality',
  retryable: false,
  detail: () => 'This service takes text only: messages may not carry images, audio or files.',
})

export const outputCapTooLarge = defineProblem<{ param: string; maxOutputTokens: number }>({
  code: 'max_tokens_too_large',
  status: 400,
  title: 'max_tokens too large',
  retryable: false,
  detail: ({ maxOutputTokens }) => `This model generates at most ${maxOutputTokens} tokens per answer.`,
})

export const priceMissing = defineProblem({
  code: 'price_missing',
  status: 503,
  title: 'No price',
  retryable: true,
  detail: () => 'No price is in force for this model at the moment, so it is not served.',
})

/** In arrears: what is paid for already is still served. */
export const accountRestricted = defineProblem({
  code: 'account_restricted',
  status: 402,
  title: 'Account restricted',
  retryable: false,
  detail: () =>
    'This account is in arrears. Only requests that its token packages and reservations cover entirely are served.',
})

export const spendCapReached = defineProblem<{
  scope: SpendCap['scope']
  period: SpendCap['period']
  resetsAt: string
}>({
  code: 'spend_cap_reached',
  status: 402,
  title: 'Spend cap reached',
  retryable: false,
  detail: ({ scope, period, resetsAt }) =>
    `This request could go beyond the ${scope === 'key' ? 'API key' : scope}'s spend cap per ${period}, which resets at ${resetsAt}.`,
})

export const reservationExhausted = defineProblem<{ retryAfterMs: number }>({
  code: 'reservation_exhausted',
  status: 429,
  title: 'Reservation exhausted',
  retryable: true,
  detail: () =>
    'What is left of the reserved throughput does not cover this request, and the reservation does not overflow.',
})

/** The account has no wallet that could pay what its packages and reservations do not. */
export const meansExhausted = defineProblem({
  code: 'means_exhausted',
  status: 402,
  title: 'Nothing left to pay with',
  retryable: false,
  detail: () => 'The token packages and reservations of this account do not cover this request.',
})

export const noSupplier = defineProblem<{ retryAfterMs: number }>({
  code: 'no_supplier_available',
  status: 503,
  title: 'No supplier available',
  retryable: true,
  detail: () => 'No supplier can serve this model at the moment.',
})

export const supplierFailed = defineProblem<{ attempts: number; retryAfterMs?: number }>({
  code: 'supplier_failed',
  status: 502,
  title: 'Supplier failed',
  retryable: true,
  detail: ({ attempts }) =>
    `The request was tried ${attempts === 1 ? 'once' : `${attempts} times`} and no supplier answered it properly. It is not charged.`,
})

export const supplierBusy = defineProblem<{ retryAfterMs: number }>({
  code: 'supplier_busy',
  status: 429,
  title: 'Suppliers busy',
  retryable: true,
  detail: () => 'All suppliers of this model are at their limit. The request is not charged.',
})

export const timedOut = defineProblem<{ afterMs: number }>({
  code: 'timeout',
  status: 504,
  title: 'Timeout',
  retryable: true,
  detail: ({ afterMs }) => `No complete answer within ${afterMs} ms. The request is not charged.`,
})

/** The answer broke after it began: it must not be taken for a whole one, and it is not charged. */
export const answerCut = defineProblem<{ outcome: string }>({
  code: 'answer_cut',
  status: 502,
  title: 'Answer cut',
  retryable: true,
  detail: () =>
    'The supplier broke off in the middle of the answer. What you received is incomplete and is not charged.',
})

export const notReady = defineProblem<{ retryAfterMs: number }>({
  code: 'not_ready',
  status: 503,
  title: 'Not ready',
  retryable: true,
  detail: () => 'The gateway is starting, draining or cannot record usage at the moment.',
})

export const internalError = defineProblem({
  code: 'internal_error',
  status: 500,
  title: 'Internal error',
  retryable: true,
  detail: () => 'Something went wrong on our side. The request is not charged.',
})
