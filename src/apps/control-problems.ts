import type { Context } from 'hono'
import type * as z from 'zod'
import { Problem, defineProblem, toProblemJson } from '#kernel'
import type { Log } from '#platform/log'

export const notSignedIn = defineProblem({
  code: 'not_signed_in',
  status: 401,
  title: 'Not signed in',
  retryable: false,
  detail: () => 'Sign in, or show the admin token as a bearer token.',
})

export const operatorsOnly = defineProblem({
  code: 'operators_only',
  status: 403,
  title: 'For operators only',
  retryable: false,
  detail: () => 'Only an operator may do this.',
})

export const foreignRequest = defineProblem({
  code: 'foreign_request',
  status: 403,
  title: 'Request from elsewhere',
  retryable: false,
  detail: () => 'This request comes from another site, or under a host name that is not ours.',
})

export const unknownPath = defineProblem<{ path: string }>({
  code: 'unknown_path',
  status: 404,
  title: 'Nothing here',
  retryable: false,
  detail: ({ path }) => `There is nothing at ${path}.`,
})

/** Word for word what charging says, so that a record of somebody else looks like none at all. */
export const unknownRequest = defineProblem<{ id: string }>({
  code: 'unknown_request',
  status: 404,
  title: 'Unknown request',
  retryable: false,
  detail: ({ id }) => `No usage record has the id ${id}.`,
})

export const bodyTooLarge = defineProblem<{ limitBytes: number }>({
  code: 'body_too_large',
  status: 413,
  title: 'Body too large',
  retryable: false,
  detail: ({ limitBytes }) => `The body may have at most ${limitBytes} bytes.`,
})

export const notJson = defineProblem({
  code: 'not_json',
  status: 415,
  title: 'Not JSON',
  retryable: false,
  detail: () => 'Send a JSON body with content-type application/json.',
})

export const notAFile = defineProblem({
  code: 'not_a_file',
  status: 415,
  title: 'Not a file',
  retryable: false,
  detail: () => 'Send the bytes of the file with content-type application/octet-stream.',
})

export const invalidRequest = defineProblem<{ issues: readonly { readonly path: string; readonly message: string }[] }>(
  {
    code: 'invalid_request',
    status: 422,
    title: 'Invalid request',
    retryable: false,
    detail: ({ issues }) => issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; '),
  },
)

export const unknownSheet = defineProblem<{ sheet: string }>({
  code: 'unknown_sheet',
  status: 404,
  title: 'Unknown price sheet',
  retryable: false,
  detail: ({ sheet }) => `There is no price sheet ${sheet}.`,
})

export const sheetOfOtherLine = defineProblem<{ sheet: string; side: string; service: string; wanted: string }>({
  code: 'sheet_of_other_line',
  status: 422,
  title: 'Sheet prices something else',
  retryable: false,
  detail: ({ sheet, side, service, wanted }) =>
    side === 'sell'
      ? `The sheet ${sheet} is a price of ${service}, and this is about ${wanted}.`
      : `The sheet ${sheet} is what a supplier is paid; requests are sold by sheets of the side sell.`,
})

export const internalError = defineProblem({
  code: 'internal_error',
  status: 500,
  title: 'Internal error',
  retryable: true,
  detail: () => 'Something went wrong on our side; the log knows what.',
})

/** Checks what somebody sent. Throws `invalid_request` with every issue; values are not repeated. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalidRequest({
    issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
  })
}

/** Every failure leaves as RFC 9457; what nobody declared is a bug and is logged, not shown. */
export function renderFailure(error: unknown, context: Context, log: Log): Response {
  const problem = error instanceof Problem ? error : internalError({}, { cause: error })
  if (!(error instanceof Problem)) log.error({ err: error, path: context.req.path }, 'a request failed')
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  const seconds = problem.params['retryAfterSeconds']
  if (typeof seconds === 'number') headers['retry-after'] = String(seconds)
  if (problem.type.status === 401) headers['www-authenticate'] = 'Bearer'
  return new Response(JSON.stringify(toProblemJson(problem, context.req.path), bigints), {
    status: problem.type.status,
    headers,
  })
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
