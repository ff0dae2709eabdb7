import type { Problem } from '#kernel'

/** OpenAI's error object. The SDKs choose their error class by status and read `code`, `param` and `type`. */
export function refuseChat(problem: Problem): string {
  const param = problem.params['param']
  return JSON.stringify({
    error: {
      message: problem.message,
      type: errorType(problem),
      param: typeof param === 'string' && param !== '' ? param : null,
      code: problem.type.code,
    },
  })
}

/** An error inside a stream that has begun: clients of the protocol raise on a data event that carries `error`. */
export function refuseInStream(problem: Problem): string {
  return `data: ${refuseChat(problem)}\n\n`
}

function errorType(problem: Problem): string {
  switch (problem.type.status) {
    case 401:
      return 'authentication_error'
    case 402:
      return 'insufficient_quota'
    case 403:
      return 'permission_error'
    case 429:
      return 'rate_limit_error'
    default:
      return problem.type.status < 500 ? 'invalid_request_error' : 'server_error'
  }
}
