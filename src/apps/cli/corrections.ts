import { RefundUsageReply, RefundView, RerateReply, TransferReply } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, yuan } from './format.ts'
import { required } from './options.ts'
import { printable } from './table.ts'

export const rerate: Command = {
  name: 'rerate',
  usage: '--sheet ID --reference TEXT --reason TEXT REQUEST… | --from TIME --to TIME [which] [--dry-run]',
  summary: 'rate requests by the sheet that should have been used; what was booked is mirrored, never changed',
  help: `After a price mistake: declare the right sheet, look at what it changes, then book it. Repeating it with the same reference books
nothing twice and goes on where it was broken off.

  tokenfactory rerate --sheet chat-2026-11b --rated-by chat-2026-11 --from 2026-11-01T00:00:00+08:00 \\
    --to 2026-11-08T00:00:00+08:00 --reference fix-17 --reason 'output was 10 times too dear' --dry-run

Options:
      --sheet ID         the sell sheet that is right
      --reference TEXT   your own name for the correction
      --reason TEXT      why; kept with your name, and told to the tenant
      --from, --to TIME  completed from then on, and before then: ISO times with their offset
      --tenant ID        of this tenant only
      --service NAME     of this service only; it is the sheet's in any case
      --rated-by ID      only those that were recorded with this sheet
      --dry-run          books nothing, and tells what would change`,
  options: {
    sheet: { type: 'string' },
    reference: { type: 'string' },
    reason: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    tenant: { type: 'string' },
    service: { type: 'string' },
    'rated-by': { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  arity: [0, 10_000],
  async run(invocation) {
    const { client, option, flag } = invocation
    const isDry = flag('dry-run')
    const request = {
      sheet: required(option('sheet'), 'by which sheet? --sheet ID'),
      reference: required(option('reference'), 'under which reference? --reference TEXT'),
      reason: required(option('reason'), 'why? --reason TEXT'),
      dryRun: isDry,
      ...whichOf(invocation),
    }
    let [corrected, unchanged, changePico] = [0, 0, 0n]
    for (let after: string | null | undefined; after !== null;) {
      const reply = await client.post('/corrections/rerate', RerateReply, after ? { ...request, after } : request)
      corrected += reply.corrected
      unchanged += reply.unchanged
      changePico += BigInt(reply.changePico ?? 0)
      after = reply.next
    }
    const all = { corrected, unchanged, changePico: isDry ? `${changePico}` : null }
    const text = isDry
      ? `of ${count(corrected + unchanged)} requests ${count(corrected)} would change, and the total by ¥${yuan(`${changePico}`)}; nothing was booked`
      : `${count(corrected)} requests were rated again, ${count(unchanged)} stay as they are`
    return { json: all, text }
  },
}

export const refund: Command = {
  name: 'refund',
  usage: 'request ID --reference TEXT --reason TEXT | cash --tenant ID --amount YUAN --reference TEXT | paid REFERENCE',
  summary: 'give a request back, or pay money of a wallet back',
  help: `Every kind is booked once per reference, so a script may safely try again. See tokenfactory get refunds.

  tokenfactory refund request req_01k… --reference t-9 --reason 'empty answer'   its price and its tokens, into the wallet and lots
  tokenfactory refund cash --tenant acme --amount 50.00 --reference r-3          sets money aside; nobody can spend it from then on
  tokenfactory refund paid r-3                                                   the bank has paid it

Options:
      --tenant ID        whose wallet
      --amount YUAN      in yuan and fen
      --reference TEXT   your own name for it
      --reason TEXT      why a request is given back; kept with your name, and told to the tenant`,
  options: {
    tenant: { type: 'string' },
    amount: { type: 'string' },
    reference: { type: 'string' },
    reason: { type: 'string' },
  },
  arity: [1, 2],
  async run({ client, positionals, option }) {
    const [what, id] = positionals
    const reference = () => required(option('reference'), 'under which reference? --reference TEXT')
    if (what === 'request') {
      const usageId = required(id, 'which one? refund request ID')
      const reason = required(option('reason'), 'why? --reason TEXT')
      const body = { usageId, reference: reference(), reason }
      const reply = await client.post('/corrections/refund', RefundUsageReply, body)
      const done = reply.corrected > 0 ? 'is given back' : 'costs nothing already'
      return { json: reply, text: printable(`${usageId} ${done}`) }
    }
    if (what === 'cash' && id === undefined) {
      const tenant = required(option('tenant'), 'whose? --tenant ID')
      const amountYuan = required(option('amount'), 'how much? --amount YUAN')
      return refundOutcome(await client.post('/refunds', RefundView, { tenant, amountYuan, reference: reference() }))
    }
    if (what === 'paid')
      return refundOutcome(
        await client.post(
          `/refunds/${encodeURIComponent(required(id, 'which one? refund paid REFERENCE'))}/paid`,
          RefundView,
        ),
      )
    throw new CliError(EXIT.usage, 'refund request ID, refund cash or refund paid REFERENCE')
  },
}

export const transfer: Command = {
  name: 'transfer',
  usage: '--from ID --to ID --amount YUAN --reference TEXT [--memo TEXT]',
  summary: 'move paid money, never gifts or credit, from one wallet to another',
  help: `Repeating a reference of the same payer with the same receiver and amount books nothing.

Options:
      --from ID          who pays
      --to ID            who receives
      --amount YUAN      such as 100 or 0.5
      --reference TEXT   your own name for it
      --memo TEXT        what the ledger says about it`,
  options: {
    from: { type: 'string' },
    to: { type: 'string' },
    amount: { type: 'string' },
    reference: { type: 'string' },
    memo: { type: 'string' },
  },
  arity: [0, 0],
  async run({ client, option }) {
    const memo = option('memo')
    const reply = await client.post('/transfers', TransferReply, {
      from: required(option('from'), 'who pays? --from ID'),
      to: required(option('to'), 'who receives? --to ID'),
      amountYuan: required(option('amount'), 'how much? --amount YUAN'),
      reference: required(option('reference'), 'under which reference? --reference TEXT'),
      ...(memo === undefined ? {} : { memo }),
    })
    const done = reply.booked ? 'were moved' : 'had been moved already'
    return { json: reply, text: `¥${yuan(reply.amountPico)} of ${reply.from} ${done} to ${reply.to}` }
  },
}

function refundOutcome(view: RefundView): Outcome {
  const done = view.state === 'paid' ? 'are paid back' : 'are set aside to be paid back'
  return { json: view, text: printable(`¥${view.amount} of ${view.tenant} ${done} (${view.reference})`) }
}

function whichOf({ positionals, option }: Invocation): object {
  const [tenant, service, sheet] = [option('tenant'), option('service'), option('rated-by')]
  const [from, to] = [option('from'), option('to')]
  if (positionals.length > 0) {
    if ([tenant, service, sheet, from, to].some((each) => each !== undefined))
      throw new CliError(EXIT.usage, 'either requests by their ids, or those between --from and --to')
    return { usageIds: positionals }
  }
  const filter = {
    ...(tenant === undefined ? {} : { tenant }),
    ...(service === undefined ? {} : { service }),
    ...(sheet === undefined ? {} : { sheet }),
    fromMs: instant(from, 'from'),
    toMs: instant(to, 'to'),
  }
  return { filter }
}

function instant(text: string | undefined, name: string): number {
  const ms = text !== undefined && /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw new CliError(EXIT.usage, `--${name} is a time with its offset such as 2026-11-01T00:00:00+08:00`)
}
