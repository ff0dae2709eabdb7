import * as z from 'zod'
import { PenaltyView, RunReply, RunView } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time, yuan } from './format.ts'
import { printable, renderTable } from './table.ts'

export const settlement: Command = {
  name: 'settlement',
  usage: 'ACTION [ID] …',
  summary: 'what suppliers are paid: compute, review, approve, post, pay; penalties',
  help: `  tokenfactory settlement plan STATEMENT               computes what an agreed statement comes to
  tokenfactory settlement list [--supplier S] [--state posted]
  tokenfactory settlement show ID
  tokenfactory settlement recompute | review | approve | post | close ID [--note TEXT]
  tokenfactory settlement pdf ID --lang en --file settlement.pdf
  tokenfactory settlement payment-file --file payments.csv
  tokenfactory settlement pay ID --reference bank-4711
  tokenfactory settlement penalties [--supplier S]
  tokenfactory settlement penalty ID --supplier S --period 2026-11 --amount 100.00 --reason TEXT [--kind sla|lateness|audit|other]
  tokenfactory settlement penalty-decide ID approve|waive|contest --reason TEXT

Who proposed something cannot approve it: the admin token is one person, a user of the console another. Posting and paying twice changes
nothing.`,
  options: {
    supplier: { type: 'string' },
    state: { type: 'string' },
    limit: { type: 'string' },
    note: { type: 'string' },
    file: { type: 'string' },
    lang: { type: 'string' },
    reference: { type: 'string' },
    period: { type: 'string' },
    amount: { type: 'string' },
    kind: { type: 'string' },
    evidence: { type: 'string' },
    reason: { type: 'string' },
  },
  arity: [1, 3],
  async run(invocation) {
    const [action = '', id] = invocation.positionals
    const act = ACTIONS[action]
    if (!act) throw new CliError(EXIT.usage, `settlement ${Object.keys(ACTIONS).join(' | ')}`)
    return act(invocation, id)
  },
}

type Action = (invocation: Invocation, id: string | undefined) => Promise<Outcome>

const ACTIONS: Readonly<Record<string, Action>> = {
  plan: async ({ client }, id) =>
    detail(await client.post('/settlement/runs', RunReply, { statement: id ?? missing('statement') })),
  list,
  show: async ({ client }, id) => detail(await client.get(`/settlement/runs/${named(id)}`, RunReply)),
  recompute: (invocation, id) => step(invocation, id, 'recompute'),
  review: (invocation, id) => step(invocation, id, 'review'),
  approve: (invocation, id) => step(invocation, id, 'approve'),
  post: (invocation, id) => step(invocation, id, 'post'),
  close: (invocation, id) => step(invocation, id, 'close'),
  pdf: async (invocation, id) => {
    const file = required(invocation, 'file')
    const query = { lang: invocation.option('lang') }
    const bytes = await invocation.client.save(`/settlement/runs/${named(id)}/pdf`, file, query)
    return { json: { file, bytes }, text: `${file}: ${count(bytes)} bytes` }
  },
  'payment-file': paymentFile,
  pay: async (invocation, id) => {
    const body = { reference: required(invocation, 'reference') }
    return detail(await invocation.client.post(`/settlement/runs/${named(id)}/pay`, RunReply, body))
  },
  penalties,
  penalty,
  'penalty-decide': async (invocation, id) => {
    const body = { decision: invocation.positionals[2], reason: required(invocation, 'reason') }
    return onePenalty(await invocation.client.post(`/settlement/penalties/${named(id)}/decide`, PenaltyView, body))
  },
}

async function list({ client, option }: Invocation): Promise<Outcome> {
  const query = { supplier: option('supplier'), state: option('state'), limit: option('limit') }
  const runs = await client.get('/settlement/runs', z.array(RunView), query)
  return { json: runs, text: runs.length === 0 ? 'no settlements' : table(runs) }
}

function table(runs: readonly RunView[]): string {
  return renderTable(
    [
      { title: 'SETTLEMENT', value: (row) => row.id },
      { title: 'STATEMENT', value: (row) => row.statement },
      { title: 'STATE', value: (row) => row.state },
      { title: 'GROSS', value: (row) => row.gross ?? '', align: 'right' },
      { title: 'NETTED', value: (row) => row.netted ?? '', align: 'right' },
      { title: 'PAYABLE', value: (row) => row.payable ?? '', align: 'right' },
      { title: 'PROPOSED', value: (row) => row.proposedBy },
      { title: 'APPROVED', value: (row) => row.approvedBy ?? '' },
    ],
    runs,
  )
}

function detail(reply: RunReply): Outcome {
  const { figures } = reply
  const lines = figures
    ? [
        ['accrued', yuan(figures.accruedPico)],
        ['rounding of lines', yuan(figures.roundingPico)],
        ['differences paid', yuan(figures.agreedPico)],
        ['disputes ended', yuan(figures.releasedPico)],
        ['in dispute', yuan(figures.heldPico)],
        ['variance', yuan(figures.variancePico)],
        [`VAT ${figures.taxPercent}%`, fen(figures.taxFen)],
        ['penalties', fen(figures.penaltyFen)],
      ].map(([name = '', value = '']) => `${name.padEnd(20)}${value.padStart(24)}`)
    : []
  const events = reply.events.map(({ atMs, becomes, by, note }) =>
    printable(`${time(atMs)}  ${becomes}  ${by}  ${note ?? ''}`),
  )
  return { json: reply, text: [table([reply]), ...lines, ...events].join('\n') }
}

/** `1234.50`. */
function fen(text: string): string {
  const digits = text.replace('-', '').padStart(3, '0')
  return `${text.startsWith('-') ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

async function step({ client, option }: Invocation, id: string | undefined, name: string): Promise<Outcome> {
  const note = option('note')
  return detail(
    await client.post(`/settlement/runs/${named(id)}/${name}`, RunReply, note === undefined ? {} : { note }),
  )
}

async function paymentFile(invocation: Invocation): Promise<Outcome> {
  const file = required(invocation, 'file')
  const bytes = await invocation.client.save('/settlement/payment-file', file)
  return { json: { file, bytes }, text: `${file}: ${count(bytes)} bytes` }
}

async function penalties({ client, option }: Invocation): Promise<Outcome> {
  return penaltyTable(await client.get('/settlement/penalties', z.array(PenaltyView), { supplier: option('supplier') }))
}

async function penalty(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const evidence = invocation.option('evidence')
  const made = await invocation.client.post('/settlement/penalties', PenaltyView, {
    id,
    supplier: required(invocation, 'supplier'),
    period: required(invocation, 'period'),
    amountYuan: required(invocation, 'amount'),
    reason: required(invocation, 'reason'),
    kind: invocation.option('kind') ?? 'other',
    ...(evidence === undefined ? {} : { evidence }),
  })
  return onePenalty(made)
}

function onePenalty(made: PenaltyView): Outcome {
  return { json: made, text: penaltyTable([made]).text }
}

function penaltyTable(penalties: readonly PenaltyView[]): Outcome {
  const text = renderTable(
    [
      { title: 'PENALTY', value: (row) => row.id },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'MONTH', value: (row) => row.period },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'AMOUNT', value: (row) => row.amount, align: 'right' },
      { title: 'STATE', value: (row) => row.state },
      { title: 'PROPOSED', value: (row) => row.proposedBy },
      { title: 'APPROVED', value: (row) => row.approvedBy ?? '' },
      { title: 'REASON', value: (row) => row.reason },
    ],
    penalties,
  )
  return { json: penalties, text: penalties.length === 0 ? 'no penalties' : text }
}

function named(id: string | undefined): string {
  return encodeURIComponent(id ?? missing('settlement'))
}

function missing(what: string): never {
  throw new CliError(EXIT.usage, `which ${what}? See tokenfactory settlement --help`)
}

function required({ option }: Invocation, name: string): string {
  return option(name) || missing(name)
}
