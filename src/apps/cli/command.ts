import type { ParseArgsOptionsConfig } from 'node:util'
import type { Client } from './client.ts'
import type { ExitCode } from './exit-codes.ts'

export interface Invocation {
  readonly client: Client
  readonly positionals: readonly string[]
  readonly option: (name: string) => string | undefined
  readonly flag: (name: string) => boolean
  readonly env: NodeJS.ProcessEnv
  readonly readInput: (path: string) => Promise<string>
  readonly nowMs: () => number
  /** Shows a line in the place of the one before; an empty one takes it away. Absent where nobody looks at a terminal. */
  readonly showProgress: ((line: string) => void) | undefined
}

export interface Outcome {
  /** What `-o json` prints. */
  readonly json: unknown
  /** What a person reads. */
  readonly text: string
  readonly code?: ExitCode
}

export interface Command {
  readonly name: string
  /** After `tokenfactory <name>`. */
  readonly usage: string
  readonly summary: string
  readonly help: string
  readonly options: ParseArgsOptionsConfig
  /** How many positionals there may be. */
  readonly arity: readonly [min: number, max: number]
  readonly run: (invocation: Invocation) => Promise<Outcome>
}
