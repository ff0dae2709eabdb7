/** What the command line ends with, so that a script can tell what happened without reading text. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  mistakes: 3,
  notFound: 4,
  unreachable: 5,
  booksDisagree: 6,
  notAsAgreed: 7,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_HELP = `Exit codes:
  0  done
  1  refused or failed
  2  the command line is wrong
  3  the file or the values have mistakes; nothing was changed
  4  not found
  5  the factory cannot be reached
  6  the books disagree
  7  an endpoint, a supplier or a report is not as it should be`

/** Ends the program with one line and a code. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: ExitCode
  /** What the factory said, if it said anything. */
  readonly problem: unknown
  constructor(code: ExitCode, message: string, problem?: unknown) {
    super(message)
    this.code = code
    this.problem = problem
  }
}
