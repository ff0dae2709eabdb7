import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { accept } from './accept.ts'
import { apply } from './apply.ts'
import { createClient } from './client.ts'
import type { Command, Outcome } from './command.ts'
import { conformance } from './conformance.ts'
import { refund, rerate, transfer } from './corrections.ts'
import { quarantine, slices } from './desk.ts'
import { CliError, EXIT, EXIT_HELP } from './exit-codes.ts'
import type { ExitCode } from './exit-codes.ts'
import { explain } from './explain.ts'
import { get } from './get.ts'
import { invoices } from './invoices.ts'
import { noc, supplier } from './noc.ts'
import { reconcile } from './reconcile.ts'
import { cancel, offers, order, quote, subscriptions } from './ordering.ts'
import { quality } from './quality.ts'
import { agreement, calloff, pack, project } from './supply.ts'
import { settlement } from './settlement.ts'
import { statement } from './statement.ts'
import { usage } from './usage.ts'
import { verify } from './verify.ts'
import { key, topup, user } from './write.ts'

const COMMANDS: readonly Command[] = [
  apply,
  get,
  key,
  topup,
  transfer,
  refund,
  rerate,
  offers,
  quote,
  order,
  subscriptions,
  cancel,
  usage,
  explain,
  verify,
  reconcile,
  invoices,
  statement,
  settlement,
  quarantine,
  slices,
  noc,
  supplier,
  conformance,
  accept,
  quality,
  project,
  pack,
  agreement,
  calloff,
  user,
]

const COMMON = {
  url: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const

const COMMON_HELP = `Everywhere:
  -o, --output FORMAT   table (default) or json
      --url URL         the control plane; TOKENFACTORY_URL, else http://127.0.0.1:8081
  -h, --help            this text

The token is TOKENFACTORY_TOKEN, else what DATA_DIR/admin-token says (DATA_DIR is ./data unless set). With TOKENFACTORY_EMAIL and
TOKENFACTORY_PASSWORD a person signs in instead: what two people must decide is decided in their own names.`

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  readonly readStandardInput: () => Promise<string>
  readonly nowMs: () => number
  /** See `Invocation`. */
  readonly showProgress?: (line: string) => void
}

/** The command line as a function from words to an exit code. */
export async function runCli(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const isJson = wantsJson(args)
  try {
    const { json, text, code = EXIT.ok } = await outcomeOf(args, around)
    around.write(`${isJson && json !== undefined ? JSON.stringify(json, undefined, 2) : text}\n`)
    return code
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    if (isJson) around.write(`${JSON.stringify({ error: error.problem ?? { detail: error.message } }, undefined, 2)}\n`)
    else around.writeError(`tokenfactory: ${error.message}\n`)
    return error.code
  }
}

async function outcomeOf(args: readonly string[], around: Surroundings): Promise<Outcome> {
  const [name, ...rest] = args
  if (name === undefined) throw new CliError(EXIT.usage, `what shall be done?\n\n${overview()}`)
  if (name === '--help' || name === '-h' || name === 'help') return { json: undefined, text: overview() }
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (!command) throw new CliError(EXIT.usage, `there is no command ${name}; see tokenfactory --help`)

  const { values, positionals } = parsed(command, rest)
  if (values['help'] === true) return { json: undefined, text: helpOf(command) }
  const output = values['output'] ?? 'table'
  if (output !== 'table' && output !== 'json') throw new CliError(EXIT.usage, '-o is table or json')
  const [min, max] = command.arity
  if (positionals.length < min || positionals.length > max)
    throw new CliError(EXIT.usage, `tokenfactory ${command.name} ${command.usage}`)
  const option = (key: string): string | undefined => {
    const value = values[key]
    return typeof value === 'string' ? value : undefined
  }
  return command.run({
    client: createClient({ url: option('url'), env: around.env }),
    positionals,
    option,
    flag: (key) => values[key] === true,
    env: around.env,
    readInput: (path) => (path === '-' ? around.readStandardInput() : readInput(path)),
    nowMs: around.nowMs,
    showProgress: around.showProgress,
  })
}

function parsed(
  command: Command,
  args: readonly string[],
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...args],
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw new CliError(EXIT.usage, `${(error as Error).message} See tokenfactory ${command.name} --help`)
  }
}

async function readInput(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(
      code === 'ENOENT' ? EXIT.notFound : EXIT.failure,
      `${path} cannot be read (${code ?? 'unknown reason'})`,
    )
  }
}

/** Looked at before anything else, so that a wrong command line is also told in the wanted form. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      arg === '-ojson' ||
      arg === '--output=json' ||
      ((arg === '-o' || arg === '--output') && args[index + 1] === 'json'),
  )
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'tokenfactory COMMAND …',
    '',
    ...lines,
    '',
    'tokenfactory COMMAND --help tells more.',
    '',
    COMMON_HELP,
    '',
    EXIT_HELP,
  ].join('\n')
}

function helpOf(command: Command): string {
  return [
    `tokenfactory ${command.name} ${command.usage}`.trimEnd(),
    '',
    `${command.summary}.`,
    '',
    command.help,
    '',
    COMMON_HELP,
    '',
    EXIT_HELP,
  ].join('\n')
}
