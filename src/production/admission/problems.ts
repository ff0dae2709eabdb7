import { defineProblem } from '#kernel'

/** `limit` names the exhausted one; the client may come back after `retryAfterMs`. */
export const rateLimitExceeded = defineProblem<{ scope: string; limit: string; allowed: number; retryAfterMs: number }>(
  {
    code: 'rate_limit_exceeded',
    status: 429,
    title: 'Rate limit exceeded',
    retryable: true,
    detail: ({ scope, limit, allowed, retryAfterMs }) =>
      `The ${scope}'s limit of ${allowed} ${limit} is reached. Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`,
  },
)

/** The request alone is larger than a whole minute's tokens: waiting would not help. */
export const requestAboveLimit = defineProblem<{ scope: string; allowed: number; needed: number }>({
  code: 'request_above_token_limit',
  status: 429,
  title: 'Request above the token limit',
  retryable: false,
  detail: ({ scope, allowed, needed }) =>
    `The request may use up to ${needed} tokens, more than the ${scope}'s limit of ${allowed} tokens per minute. Lower max_tokens or shorten the prompt.`,
})
