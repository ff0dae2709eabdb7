import { defineProblem } from '#kernel'

export const invalidRequest = defineProblem<{ readonly param: string | null; readonly message: string }>({
  code: 'invalid_request',
  status: 400,
  title: 'The request is not valid',
  retryable: false,
  detail: ({ message }) => message,
})

export const contextLengthExceeded = defineProblem<{ readonly promptTokens: number; readonly contextTokens: number }>({
  code: 'context_length_exceeded',
  status: 400,
  title: 'The prompt does not fit the context',
  retryable: false,
  detail: ({ promptTokens, contextTokens }) =>
    `This model's maximum context length is ${contextTokens} tokens. Your messages take ${promptTokens} tokens and leave no room for an answer.`,
})

export const modelNotFound = defineProblem<{ readonly model: string }>({
  code: 'model_not_found',
  status: 404,
  title: 'There is no such model here',
  retryable: false,
  detail: ({ model }) => `The model ${JSON.stringify(model.slice(0, 256))} does not exist.`,
})

export const unknownPath = defineProblem<{ readonly method: string; readonly path: string }>({
  code: 'unknown_url',
  status: 404,
  title: 'There is nothing at this address',
  retryable: false,
  detail: ({ method, path }) => `Unknown request URL: ${method} ${path}.`,
})

export const bodyTooLarge = defineProblem<{ readonly maxBytes: number }>({
  code: 'request_too_large',
  status: 413,
  title: 'The request body is too large',
  retryable: false,
  detail: ({ maxBytes }) => `The request body is larger than ${maxBytes} bytes.`,
})

export const engineBusy = defineProblem<{ readonly queued: number; readonly retryAfterSeconds: number }>({
  code: 'engine_busy',
  status: 429,
  title: 'All places in the queue are taken',
  retryable: true,
  detail: ({ queued }) => `The engine is busy and ${queued} requests are already waiting.`,
})

export const engineFailed = defineProblem({
  code: 'engine_failed',
  status: 500,
  title: 'The engine failed',
  retryable: true,
  detail: () => 'The engine failed while it served this request.',
})

export const engineStopping = defineProblem({
  code: 'engine_stopping',
  status: 503,
  title: 'The engine is stopping',
  retryable: true,
  detail: () => 'The engine is stopping and takes no new requests.',
})
