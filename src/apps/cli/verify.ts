import { VerifyProgress, VerifyReply } from '#contract'
import type { Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { count } from './format.ts'
import { progressLine } from './progress.ts'
import { printable, renderTable } from './table.ts'

export const verify: Command = {
  name: 'verify',
  usage: '',
  summary: 'prove the books; ends with 6 and the rows that disagree if they do not add up',
  help: 'Rates every usage record again, and checks that each is posted once on both sides, that every posting sums to zero, that wallets\nand slices agree with the ledger, and that the hash chain is whole.',
  options: {},
  arity: [0, 0],
  async run({ client, nowMs, showProgress = () => {} }) {
    const line = progressLine(nowMs)
    const reply = await client
      .follow('/verify', VerifyReply, {
        schema: VerifyProgress,
        show: (progress) => showProgress(line(progress)),
      })
      .finally(() => showProgress(''))
    const table = renderTable(
      [
        { title: 'RESULT', value: ({ ok }) => (ok ? 'ok' : 'WRONG') },
        { title: 'SEEN', value: ({ seen }) => count(seen), align: 'right' },
        { title: 'CHECK', value: ({ name }) => name },
      ],
      reply.checks,
    )
    const wrong = reply.checks.flatMap(({ name, disagreements }) =>
      disagreements.map((line) => `${name}: ${printable(line)}`),
    )
    const text = [table, ...wrong, reply.ok ? 'the books agree' : 'THE BOOKS DISAGREE'].join('\n')
    return { json: reply, text, code: reply.ok ? EXIT.ok : EXIT.booksDisagree }
  },
}
