import { defineProblem } from '#kernel'

interface Issue {
  readonly path: string
  readonly message: string
}

export const invalidBody = defineProblem<{ issues: readonly Issue[] }>({
  code: 'invalid_body',
  status: 400,
  title: 'Invalid body',
  retryable: false,
  detail: ({ issues }) => issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; '),
})

export const invalidQuery = defineProblem<{ name: string; message: string }>({
  code: 'invalid_query',
  status: 400,
  title: 'Invalid query',
  retryable: false,
  detail: ({ name, message }) => `${name}: ${message}`,
})

export const unsupportedMedia = defineProblem({
  code: 'unsupported_media_type',
  status: 415,
  title: 'Unsupported media type',
  retryable: false,
  detail: () => 'Send application/json; a PATCH may be application/merge-patch+json too.',
})

export const bodyTooLarge = defineProblem<{ limitBytes: number }>({
  code: 'body_too_large',
  status: 413,
  title: 'Body too large',
  retryable: false,
  detail: ({ limitBytes }) => `The body may have at most ${limitBytes} bytes.`,
})

export const unknownResource = defineProblem<{ type: string; id: string }>({
  code: 'not_found',
  status: 404,
  title: 'Not found',
  retryable: false,
  detail: ({ type, id }) => `There is no ${type} ${id}.`,
})

export const unknownPath = defineProblem<{ path: string }>({
  code: 'unknown_path',
  status: 404,
  title: 'Nothing here',
  retryable: false,
  detail: ({ path }) => `There is nothing at ${path}.`,
})

export const methodNotAllowed = defineProblem<{ method: string; path: string }>({
  code: 'method_not_allowed',
  status: 405,
  title: 'Method not allowed',
  retryable: false,
  detail: ({ method, path }) => `${method} is not possible at ${path}.`,
})

export const idInUse = defineProblem<{ type: string; id: string }>({
  code: 'id_in_use',
  status: 409,
  title: 'Id in use',
  retryable: false,
  detail: ({ type, id }) => `There is another ${type} ${id} already.`,
})

/** Our own rooms change by their own rules, through our own API. */
export const readOnly = defineProblem<{ type: string; id: string }>({
  code: 'read_only',
  status: 403,
  title: 'Read only here',
  retryable: false,
  detail: ({ type, id }) => `${type} ${id} belongs to the factory and cannot be changed here.`,
})

export const stateConflict = defineProblem<{ attribute: string; from: string; to: string }>({
  code: 'state_conflict',
  status: 409,
  title: 'Not possible in this state',
  retryable: false,
  detail: ({ attribute, from, to }) => `${attribute} cannot go from ${from} to ${to}.`,
})

export const insufficientBalance = defineProblem<{ needed: string; available: string }>({
  code: 'insufficient_balance',
  status: 409,
  title: 'Insufficient balance',
  retryable: false,
  detail: ({ needed, available }) => `${needed} yuan are needed and ${available} are available.`,
})
