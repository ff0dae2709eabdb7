import type { Problem } from '#kernel'

/** A failure as TMF630 has it. */
export function tmfError(problem: Problem) {
  const { code, title, status } = problem.type
  return { '@type': 'Error', code, reason: title, message: problem.message, status: `${status}` }
}
