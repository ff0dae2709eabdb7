import { defineProblem } from '#kernel'

/** `param` is the member at fault in the client's own notation, e.g. `messages[2].role`. */
export const invalidRequest = defineProblem<{ param: string; reason: string }>({
  code: 'invalid_request',
  status: 400,
  title: 'Invalid request',
  retryable: false,
  detail: ({ param, reason }) => (param ? `${param}: ${reason}` : reason),
})

export const malformedJson = defineProblem<{ reason: string }>({
  code: 'malformed_json',
  status: 400,
  title: 'The body is not valid JSON',
  retryable: false,
  detail: ({ reason }) => `The body could not be read as one JSON object: ${reason}.`,
})
