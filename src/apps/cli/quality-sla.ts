import * as z from 'zod'
import { AlertView, CreditReply, CreditView, IndicatorView, SlaReportView, SlaTermsText } from '#contract'
import type { Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time, yuan } from './format.ts'
import { printable, renderTable } from './table.ts'

const DAY_MS = 86_400_000
type Action = (invocation: Invocation) => Promise<Outcome>

/** Service levels: what is promised, what was seen, what follows. */
export const SLA_ACTIONS: Readonly<Record<string, Action>> = {
  levels,
  alerts,
  terms,
  promise,
  report,
  reports,
  csv,
  credits,
  credit,
  approve: (invocation) => decide(invocation, 'approved'),
  waive: (invocation) => decide(invocation, 'waived'),
  contest: (invocation) => decide(invocation, 'contested'),
}

const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(4)} %`
const share = (good: number, valid: number): string =>
  valid === 0 ? '-' : percent(Math.floor((good * 1_000_000) / valid))
const who = ({ option }: Invocation) => ({ leg: option('leg'), party: option('party') })

async function levels(invocation: Invocation): Promise<Outcome> {
  const { client, nowMs, option } = invocation
  const hours = Number(option('hours') ?? '24')
  if (!Number.isInteger(hours) || hours < 1 || hours > 1000) throw new CliError(EXIT.usage, '--hours is 1 to 1000')
  const fromMs = `${nowMs() - (hours * DAY_MS) / 24}`
  const rows = await client.get('/quality/indicators', z.array(IndicatorView), { ...who(invocation), fromMs })
  const table = renderTable(
    [
      { title: 'LEG', value: (row) => row.leg },
      { title: 'PARTY', value: (row) => row.party },
      { title: 'SERVICE', value: (row) => row.service },
      { title: 'TIER', value: (row) => row.tier },
      { title: 'REQUESTS', value: (row) => count(row.requests), align: 'right' },
      {
        title: 'AVAILABLE',
        value: (row) => share(row.requests - row.failed, row.requests - row.excused),
        align: 'right',
      },
      { title: 'TTFT', value: (row) => share(row.ttftGood, row.ttftValid), align: 'right' },
      { title: 'TPOT', value: (row) => share(row.tpotGood, row.tpotValid), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no request in this time' : table }
}

async function alerts({ client }: Invocation): Promise<Outcome> {
  const rows = await client.get('/quality/alerts', z.array(AlertView))
  const table = renderTable(
    [
      { title: 'OPENED', value: (row) => time(row.openedAtMs) },
      { title: 'CLOSED', value: (row) => (row.closedAtMs === null ? 'burning' : time(row.closedAtMs)) },
      { title: 'RULE', value: (row) => row.rule },
      { title: 'BURN', value: (row) => `${row.burn.toFixed(1)}x`, align: 'right' },
      { title: 'MEASURE', value: (row) => row.measure },
      { title: 'OF', value: (row) => `${row.leg} ${row.party} ${row.service} ${row.tier}` },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no budget burns too fast' : table }
}

async function terms({ client }: Invocation): Promise<Outcome> {
  return termsTable(await client.get('/quality/terms', z.array(SlaTermsText)))
}

function termsTable(rows: readonly SlaTermsText[]): Outcome {
  const lines = rows.flatMap((each) => each.measures.map((measure) => ({ ...each, ...measure })))
  const table = renderTable(
    [
      { title: 'FROM', value: (row) => time(row.validFromMs) },
      { title: 'LEG', value: (row) => row.leg },
      { title: 'PARTY', value: (row) => row.party ?? 'any' },
      { title: 'SERVICE', value: (row) => row.service ?? 'any' },
      { title: 'TIER', value: (row) => row.tier ?? 'any' },
      { title: 'MEASURE', value: (row) => row.measure },
      { title: 'WITHIN', value: (row) => (row.limitMs === null ? '-' : `${row.limitMs} ms`), align: 'right' },
      { title: 'TARGET', value: (row) => percent(row.targetPpm), align: 'right' },
      {
        title: 'ELSE',
        value: (row) => row.steps.map((step) => `<${percent(step.belowPpm)}: ${percent(step.penaltyPpm)}`).join(', '),
      },
    ],
    lines,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was promised' : table }
}

async function promise(invocation: Invocation): Promise<Outcome> {
  const text = await invocation.readInput(required(invocation, 'from'))
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new CliError(EXIT.mistakes, 'the file is not JSON')
  }
  const body = { terms: parsed, reason: required(invocation, 'reason') }
  return termsTable(await invocation.client.post('/quality/terms', z.array(SlaTermsText), body))
}

async function report(invocation: Invocation): Promise<Outcome> {
  const body = { period: required(invocation, 'period') }
  return reportTable(await invocation.client.post('/quality/reports/run', z.array(SlaReportView), body))
}

async function reports(invocation: Invocation): Promise<Outcome> {
  const query = { period: required(invocation, 'period'), ...who(invocation) }
  return reportTable(await invocation.client.get('/quality/reports', z.array(SlaReportView), query))
}

function reportTable(rows: readonly SlaReportView[]): Outcome {
  const lines = rows.flatMap(({ lines }) =>
    lines.flatMap((line) => line.measures.map((measure) => ({ line, measure }))),
  )
  const table = renderTable(
    [
      { title: 'LEG', value: ({ line }) => line.leg },
      { title: 'PARTY', value: ({ line }) => line.party },
      { title: 'SERVICE', value: ({ line }) => line.service },
      { title: 'TIER', value: ({ line }) => line.tier },
      { title: 'MEASURE', value: ({ measure }) => measure.measure },
      { title: 'GOOD', value: ({ measure }) => count(measure.good), align: 'right' },
      { title: 'OF', value: ({ measure }) => count(measure.valid), align: 'right' },
      { title: 'ATTAINED', value: ({ measure }) => percent(measure.attainmentPpm), align: 'right' },
      { title: 'TARGET', value: ({ measure }) => percent(measure.targetPpm), align: 'right' },
      { title: 'RESULT', value: ({ measure }) => (measure.isMissed ? 'MISSED' : 'kept') },
      {
        title: 'DUE',
        value: ({ line, measure }) =>
          measure.penaltyPpm === line.penaltyPpm && line.penaltyPpm > 0 ? yuan(line.creditNetPico) : '-',
        align: 'right',
      },
    ],
    lines,
  )
  return { json: rows, text: lines.length === 0 ? 'nobody with terms was seen' : table }
}

async function csv(invocation: Invocation): Promise<Outcome> {
  const file = required(invocation, 'file')
  const [leg, party, period] = ['leg', 'party', 'period'].map((name) => required(invocation, name))
  const bytes = await invocation.client.save('/quality/reports/csv', file, { leg, party, period })
  return { json: { file, bytes }, text: `${file}: ${count(bytes)} bytes` }
}

async function credits(invocation: Invocation): Promise<Outcome> {
  const { client, option } = invocation
  const query = { ...who(invocation), period: option('period'), state: option('state') }
  const rows = await client.get('/quality/credits', z.array(CreditView), query)
  const table = renderTable(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'STATE', value: (row) => row.state },
      { title: 'LEG', value: (row) => row.leg },
      { title: 'PARTY', value: (row) => row.party },
      { title: 'PERIOD', value: (row) => row.period },
      { title: 'SERVICE', value: (row) => row.service },
      { title: 'TIER', value: (row) => row.tier },
      { title: 'PART', value: (row) => percent(row.ppm), align: 'right' },
      { title: 'NET', value: (row) => yuan(row.netPico), align: 'right' },
      { title: 'TAX', value: (row) => yuan(row.taxPico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'no credits and no penalties' : table }
}

async function credit(invocation: Invocation): Promise<Outcome> {
  const reply = await invocation.client.get(`/quality/credits/${idOf(invocation)}`, CreditReply)
  const { credit: one, events, otherSide } = reply
  const lines = [
    `${one.id} ${one.state}: ${one.leg} ${printable(one.party)}, ${printable(one.service)} ${one.tier}, ${one.period}`,
    `¥${yuan(one.netPico)} and ¥${yuan(one.taxPico)} tax, ${percent(one.ppm)} of the month`,
    ...events.map(({ atMs, by, what, reason }) => printable(`${time(atMs)}  ${what} by ${by}: ${reason}`)),
    ...otherSide.map(
      (other) => `other side: ${other.id} ${other.state} ${printable(other.party)} ¥${yuan(other.netPico)}`,
    ),
  ]
  return { json: reply, text: lines.join('\n') }
}

async function decide(invocation: Invocation, to: string): Promise<Outcome> {
  const body = { to, reason: required(invocation, 'reason') }
  const one = await invocation.client.post(`/quality/credits/${idOf(invocation)}/decide`, CreditView, body)
  return { json: one, text: `${one.id} is ${one.state}` }
}

export function idOf({ positionals }: Invocation): string {
  const id = positionals[1]
  if (id === undefined) throw new CliError(EXIT.usage, 'which one? tokenfactory quality ACTION ID')
  return encodeURIComponent(id)
}

export function required({ option }: Invocation, name: string): string {
  const value = option(name)
  if (value === undefined) throw new CliError(EXIT.usage, `--${name} is missing`)
  return value
}
