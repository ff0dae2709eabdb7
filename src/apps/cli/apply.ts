import * as z from 'zod'
import { ApplyReply, FactoryMistake } from '#contract'
import type { Command } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { printable, renderTable } from './table.ts'

const Mistakes = z.looseObject({ params: z.looseObject({ mistakes: z.array(FactoryMistake) }) })

export const apply: Command = {
  name: 'apply',
  usage: '-f FILE [--dry-run]',
  summary: 'put a factory.yaml in force, all or nothing',
  help: `Checks the whole file first and tells every mistake with file, line, column and path; nothing is applied if anything is
wrong. Applying again changes nothing. Keys made by it are printed once and can never be shown again.

Options:
  -f, --file FILE   the file, or - for standard input
      --dry-run     tell what would change and change nothing`,
  options: { file: { type: 'string', short: 'f' }, 'dry-run': { type: 'boolean' } },
  arity: [0, 0],
  async run({ client, option, flag, readInput }) {
    const file = option('file')
    if (file === undefined) throw new CliError(EXIT.usage, 'which file? -f FILE')
    const document = await readInput(file)
    const dryRun = flag('dry-run')
    try {
      const reply = await client.post('/apply', ApplyReply, {
        document,
        fileName: file === '-' ? 'standard input' : file,
        dryRun,
      })
      return { json: reply, text: render(reply, dryRun) }
    } catch (error) {
      const told = error instanceof CliError ? Mistakes.safeParse(error.problem) : undefined
      if (!told?.success) throw error
      const { mistakes } = told.data.params
      const lines = mistakes.map(
        ({ file: name, line, column, path, message }) =>
          `${name}:${line}:${column}: ${path ? `${path}: ` : ''}${message}`,
      )
      const text = [
        ...lines.map(printable),
        `${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}; nothing was applied`,
      ].join('\n')
      return { json: { mistakes }, text, code: EXIT.mistakes }
    }
  },
}

function render({ changes, newKeys }: ApplyReply, dryRun: boolean): string {
  const parts: string[] = []
  const changed = changes.filter(({ action }) => action !== 'unchanged')
  if (changed.length > 0) {
    parts.push(
      renderTable(
        [
          { title: 'ACTION', value: ({ action }) => action },
          { title: 'KIND', value: ({ kind }) => kind },
          { title: 'ID', value: ({ id }) => id },
        ],
        changed,
      ),
    )
  }
  const same = changes.length - changed.length
  const summary = changed.length === 0 ? 'nothing to change' : `${changed.length} changed, ${same} unchanged`
  parts.push(dryRun ? `${summary} (dry run: nothing was applied)` : summary)
  if (newKeys.length > 0) {
    parts.push(
      'New keys. They are shown now and never again:',
      renderTable(
        [
          { title: 'KEY', value: ({ id }) => id },
          { title: 'TENANT', value: ({ tenant }) => tenant },
          { title: 'SECRET', value: ({ secret }) => secret },
        ],
        newKeys,
      ),
    )
  }
  return parts.join('\n')
}
