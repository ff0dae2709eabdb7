import { defineProblem } from '#kernel'

export const postingKeyReused = defineProblem<{ key: string }>({
  code: 'posting_key_reused',
  status: 409,
  title: 'Posting key used for something else',
  retryable: false,
  detail: ({ key }) =>
    `Another posting already has the key ${key}. Repeat a request exactly, or give it a key of its own.`,
})
