import * as z from 'zod'
import { AuditView, CaseReply, CaseView } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time } from './format.ts'
import { SLA_ACTIONS, idOf, required } from './quality-sla.ts'
import { printable, renderTable } from './table.ts'

export const quality: Command = {
  name: 'quality',
  usage: 'ACTION [ID] …',
  summary: 'is it what was agreed: token audits, service levels, reports, credits and penalties',
  help: `  tokenfactory quality audits [--supplier ID]           where the tests of suppliers' token counts are; 3 flags
  tokenfactory quality cases [--supplier ID]            what they flagged
  tokenfactory quality case ID                          one case and who decided what
  tokenfactory quality dispute | uphold | dismiss | close ID --reason TEXT
  tokenfactory quality answer ID --reason TEXT          what the supplier says to it
  tokenfactory quality evidence ID --file case.csv      from which anybody can compute the test again
  tokenfactory quality audit-settings --supplier ID --model NAME [--side output] [--tau PPM] [--fixed TOKENS]
      [--excess PPM] [--slack TOKENS] [--slack-ppm PPM] --reason TEXT

  tokenfactory quality levels [--hours 24] [--leg customer|supplier] [--party ID]
  tokenfactory quality alerts                           error budgets that burn too fast
  tokenfactory quality terms                            what was promised
  tokenfactory quality promise --from terms.json --reason TEXT
  tokenfactory quality report --period 2026-11          computes a month that is over, and proposes what follows
  tokenfactory quality reports --period 2026-11 [--leg L] [--party ID]
  tokenfactory quality csv --leg L --party ID --period 2026-11 --file requests.csv
  tokenfactory quality credits [--leg L] [--party ID] [--period P] [--state S]
  tokenfactory quality credit ID
  tokenfactory quality approve | waive | contest ID --reason TEXT

Whoever disputed a case cannot uphold it, and whoever computed a credit or a penalty cannot approve it. When a case ends, or settings
change, the tests begin anew. terms.json is { "leg", "party", "service", "tier", "measures", "requestsPerMinute", "validFromMs" }.`,
  options: {
    supplier: { type: 'string' },
    model: { type: 'string' },
    side: { type: 'string' },
    tau: { type: 'string' },
    fixed: { type: 'string' },
    excess: { type: 'string' },
    slack: { type: 'string' },
    'slack-ppm': { type: 'string' },
    reason: { type: 'string' },
    file: { type: 'string' },
    hours: { type: 'string' },
    leg: { type: 'string' },
    party: { type: 'string' },
    period: { type: 'string' },
    state: { type: 'string' },
    from: { type: 'string' },
  },
  arity: [1, 2],
  async run(invocation) {
    const [action = ''] = invocation.positionals
    const act = ACTIONS[action]
    if (!act) throw new CliError(EXIT.usage, `quality ${Object.keys(ACTIONS).join(' | ')}`)
    return act(invocation)
  },
}

type Action = (invocation: Invocation) => Promise<Outcome>

const ACTIONS: Readonly<Record<string, Action>> = {
  audits,
  cases,
  case: showCase,
  dispute: (invocation) => decide(invocation, 'disputed'),
  uphold: (invocation) => decide(invocation, 'upheld'),
  dismiss: (invocation) => decide(invocation, 'dismissed'),
  close: (invocation) => decide(invocation, 'closed'),
  answer,
  evidence,
  'audit-settings': auditSettings,
  ...SLA_ACTIONS,
}

async function audits({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/quality/audits', z.array(AuditView), { supplier: option('supplier') })
  return auditTable(rows)
}

function auditTable(rows: readonly AuditView[]): Outcome {
  const table = renderTable(
    [
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'SIDE', value: (row) => row.side },
      { title: 'SEEN', value: (row) => count(row.seen), align: 'right' },
      { title: 'CLAIMED', value: (row) => count(row.reportedTokens), align: 'right' },
      { title: 'COUNTED', value: (row) => count(row.countedTokens), align: 'right' },
      { title: 'MEAN', value: (row) => row.meanLog10.toFixed(1), align: 'right' },
      { title: 'EXCESS', value: (row) => row.excessLog10.toFixed(1), align: 'right' },
      { title: 'BEYOND', value: (row) => count(row.excesses), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no request was counted again yet' : table }
}

async function cases({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/quality/cases', z.array(CaseView), { supplier: option('supplier') })
  const table = renderTable(
    [
      { title: 'CASE', value: (row) => row.id },
      { title: 'STATE', value: (row) => row.state },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'SIDE', value: (row) => row.side },
      { title: 'TEST', value: (row) => row.test },
      { title: 'AFTER', value: (row) => count(row.number), align: 'right' },
      { title: 'OPENED', value: (row) => time(row.openedAtMs) },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was flagged' : table }
}

async function showCase(invocation: Invocation): Promise<Outcome> {
  const reply = await invocation.client.get(`/quality/cases/${idOf(invocation)}`, CaseReply)
  const { case: one, events } = reply
  const lines = [
    `${one.id} ${one.state}: ${printable(one.supplier)} ${printable(one.model)}, ${one.side}`,
    `flagged by the test of ${one.test} after ${count(one.number)} requests, evidence of 1 in 10^${one.evidenceLog10.toFixed(1)}`,
    ...events.map(({ atMs, by, what, reason }) => printable(`${time(atMs)}  ${what} by ${by}: ${reason}`)),
  ]
  return { json: reply, text: lines.join('\n') }
}

async function decide(invocation: Invocation, to: string): Promise<Outcome> {
  const body = { to, reason: required(invocation, 'reason') }
  const one = await invocation.client.post(`/quality/cases/${idOf(invocation)}/decide`, CaseView, body)
  return { json: one, text: `${one.id} is ${one.state}` }
}

async function answer(invocation: Invocation): Promise<Outcome> {
  const body = { reason: required(invocation, 'reason') }
  const one = await invocation.client.post(`/quality/cases/${idOf(invocation)}/answer`, CaseView, body)
  return { json: one, text: `the answer to ${one.id} is on file` }
}

async function evidence(invocation: Invocation): Promise<Outcome> {
  const file = required(invocation, 'file')
  const bytes = await invocation.client.save(`/quality/cases/${idOf(invocation)}/evidence`, file)
  return { json: { file, bytes }, text: `${file}: ${count(bytes)} bytes` }
}

async function auditSettings(invocation: Invocation): Promise<Outcome> {
  const { option, client } = invocation
  const side = option('side') ?? 'output'
  const rows = await client.post('/quality/audit-settings', z.array(AuditView), {
    supplier: required(invocation, 'supplier'),
    model: required(invocation, 'model'),
    side,
    settings: {
      tauPpm: whole(option('tau') ?? '1000', 'tau'),
      fixedTokens: whole(option('fixed') ?? '0', 'fixed'),
      excessPpm: whole(option('excess') ?? '5000', 'excess'),
      slack: {
        tokens: whole(option('slack') ?? (side === 'input' ? '8' : '4'), 'slack'),
        ppm: whole(option('slack-ppm') ?? (side === 'input' ? '10000' : '5000'), 'slack-ppm'),
      },
    },
    reason: required(invocation, 'reason'),
  })
  return auditTable(rows)
}

function whole(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new CliError(EXIT.usage, `--${name} is a whole number`)
  return Number(text)
}
