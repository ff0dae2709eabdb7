import type { Invocation } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'

/** A value that was given, or an error that asks for it. */
export function required(value: string | undefined, question: string): string {
  if (value) return value
  throw new CliError(EXIT.usage, question)
}

/** Why something is decided; kept with the name of who decides. */
export function reasonOf({ option }: Invocation): string {
  return required(option('reason'), 'why? --reason TEXT')
}
