/**
 * Every failure a caller can see is declared once, in this shape, by the module that owns it. The same Problem is rendered as
 * RFC 9457 on our own APIs and in the client's dialect on protocol APIs.
 */
export interface ProblemType<Params extends object = object> {
  readonly code: string
  readonly status: number
  readonly title: string
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean
  readonly detail: (params: Params) => string
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly type: ProblemType
  readonly params: Readonly<Record<string, unknown>>
  constructor(type: ProblemType, params: object, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.type = type
    this.params = params as Readonly<Record<string, unknown>>
  }
}

/** Declares a kind of failure; calling the result makes one, ready to throw. */
export function defineProblem<Params extends object = Record<string, never>>(type: ProblemType<Params>) {
  return (params: Params, options?: ErrorOptions): Problem =>
    new Problem(type as unknown as ProblemType, params, type.detail(params), options)
}

/** RFC 9457. `params` travels as an extension member, so a portal can translate by `code`. */
export function toProblemJson(problem: Problem, instance: string) {
  return {
    type: `urn:tokenfactory:problem:${problem.type.code}`,
    title: problem.type.title,
    status: problem.type.status,
    detail: problem.message,
    instance,
    code: problem.type.code,
    retryable: problem.type.retryable,
    params: problem.params,
  }
}
