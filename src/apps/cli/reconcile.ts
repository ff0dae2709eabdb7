import { ReconcileReply } from '#contract'
import type { Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { count, yuan } from './format.ts'
import { printable, renderTable } from './table.ts'

export const reconcile: Command = {
  name: 'reconcile',
  usage: '[--day 2026-11-25]',
  summary: 'one day: produced = rated = posted = billed; ends with 6 and every difference if not',
  help: `Holds what suppliers produced, what it was rated at, what the ledger posted and what is or will be billed against each other, for
each service, and lists the requests behind every difference.

Options:
      --day DAY          a day in China; yesterday by default`,
  options: { day: { type: 'string' } },
  arity: [0, 0],
  async run({ client, option }) {
    const day = option('day')
    const reply = await client.post('/reconcile', ReconcileReply, day === undefined ? {} : { day })
    const table = renderTable(
      [
        { title: 'SERVICE', value: (row) => row.service },
        { title: 'REQUESTS', value: (row) => count(row.requests), align: 'right' },
        { title: 'TOKENS', value: (row) => row.producedTokens, align: 'right' },
        { title: 'RATED', value: (row) => yuan(row.ratedPico), align: 'right' },
        { title: 'POSTED', value: (row) => yuan(row.postedPico), align: 'right' },
        { title: 'GIFTS', value: (row) => yuan(row.giftPico), align: 'right' },
        { title: 'BILLED', value: (row) => yuan(row.billedPico), align: 'right' },
        { title: 'TO BE BILLED', value: (row) => yuan(row.toBeBilledPico), align: 'right' },
      ],
      reply.services,
    )
    const wrong = reply.differences.map((one) =>
      printable(
        `${one.stage} ${one.service} ${one.posting ?? ''}: ${one.found}, expected ${one.expected}; ${one.requests.join(' ')}`,
      ),
    )
    const text = [`${reply.day}`, table, ...wrong, reply.ok ? 'no difference' : 'THERE ARE DIFFERENCES'].join('\n')
    return { json: reply, text, code: reply.ok ? EXIT.ok : EXIT.booksDisagree }
  },
}
