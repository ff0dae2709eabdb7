import { basename } from 'node:path'
import * as z from 'zod'
import {
  DecisionReply,
  DiscrepancyView,
  ImportReply,
  MappingReply,
  PayeeView,
  SettledRequestView,
  StatementReply,
  StatementView,
  SupplierPeriodView,
  VerifyProgress,
} from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time, yuan } from './format.ts'
import { progressLine } from './progress.ts'
import { printable, renderTable } from './table.ts'

export const statement: Command = {
  name: 'statement',
  usage: 'ACTION [ID] …',
  summary: "suppliers' statements: import, match with our records, decide what differs",
  help: `  tokenfactory statement mapping SUPPLIER [--from mapping.json]   how its files are read: shows it, or sets it
  tokenfactory statement payee SUPPLIER [--from payee.json]       to which account it is paid
  tokenfactory statement periods [--supplier SUPPLIER]            months, and how far each is
  tokenfactory statement import FILE --supplier SUPPLIER --period 2026-11
  tokenfactory statement list [--supplier SUPPLIER] [--period 2026-11]
  tokenfactory statement match ID                                 again: with what arrived meanwhile
  tokenfactory statement show ID
  tokenfactory statement discrepancies ID [--class price] [--state open] [--after N] [--limit N]
  tokenfactory statement requests ID --number N                   our requests behind a discrepancy
  tokenfactory statement decide ID accept|adjust|write_off|dispute|assign (--class CLASS | --numbers 1,2) --reason TEXT
  tokenfactory statement agree ID

A file is read whole or not at all, and the same file once. accept and write_off pay what the supplier says, adjust what we say or what
--pico is between, dispute what both say, with the rest put aside. Classes: missing_ours, missing_theirs, duplicate, quantity, price, tax,
cutoff, model_mapping. See src/operations/settlement/README.md for what a mapping says.`,
  options: {
    from: { type: 'string' },
    supplier: { type: 'string' },
    period: { type: 'string' },
    class: { type: 'string' },
    state: { type: 'string' },
    after: { type: 'string' },
    limit: { type: 'string' },
    number: { type: 'string' },
    numbers: { type: 'string' },
    pico: { type: 'string' },
    assignee: { type: 'string' },
    reason: { type: 'string' },
  },
  arity: [1, 3],
  async run(invocation) {
    const [action = '', id] = invocation.positionals
    const act = ACTIONS[action]
    if (!act) throw new CliError(EXIT.usage, `statement ${Object.keys(ACTIONS).join(' | ')}`)
    return act(invocation, id)
  },
}

type Action = (invocation: Invocation, id: string | undefined) => Promise<Outcome>

const ACTIONS: Readonly<Record<string, Action>> = {
  mapping: (invocation, id) => described(invocation, `/settlement/suppliers/${named(id)}/mapping`, MappingReply),
  payee: (invocation, id) => described(invocation, `/settlement/suppliers/${named(id)}/payee`, PayeeView.nullable()),
  periods,
  import: importFile,
  list,
  match: async ({ client }, id) =>
    detail(await client.post(`/settlement/statements/${named(id)}/match`, StatementReply)),
  show: async ({ client }, id) => detail(await client.get(`/settlement/statements/${named(id)}`, StatementReply)),
  discrepancies,
  requests,
  decide,
  async agree({ client, option }, id) {
    const note = option('reason')
    const body = note === undefined ? {} : { note }
    const agreed = await client.post(`/settlement/statements/${named(id)}/agree`, StatementView, body)
    return { json: agreed, text: table([agreed]).text }
  },
}

async function described<Schema extends z.ZodType>(
  { client, option, readInput }: Invocation,
  path: string,
  schema: Schema,
): Promise<Outcome> {
  const from = option('from')
  const reply =
    from === undefined
      ? await client.get(path, schema)
      : await client.post(path, schema, jsonOf(from, await readInput(from)))
  return { json: reply, text: printable(JSON.stringify(reply, undefined, 2)) }
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CliError(EXIT.usage, `${file} cannot be read as JSON`)
  }
}

async function periods({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/settlement/periods', z.array(SupplierPeriodView), { supplier: option('supplier') })
  const text = renderTable(
    [
      { title: 'MONTH', value: (row) => row.period },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'REQUESTS', value: (row) => count(row.requests), align: 'right' },
      { title: 'ACCRUED', value: (row) => yuan(row.accruedPico), align: 'right' },
      { title: 'STATEMENT', value: (row) => row.statement ?? '' },
      { title: 'STATE', value: (row) => row.state },
      { title: 'SETTLEMENT', value: (row) => row.run ?? '' },
      { title: 'STATE', value: (row) => row.runState ?? '' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was used' : text }
}

async function importFile(invocation: Invocation, file: string | undefined): Promise<Outcome> {
  const { client, nowMs, showProgress = () => {} } = invocation
  if (!file) throw new CliError(EXIT.usage, 'which file?')
  const query = new URLSearchParams({
    supplier: required(invocation, 'supplier'),
    period: required(invocation, 'period'),
    file: basename(file),
  })
  const line = progressLine(nowMs)
  const reply = await client
    .upload(`/settlement/statements?${query.toString()}`, file, ImportReply, {
      schema: VerifyProgress,
      show: (progress) => showProgress(line(progress)),
    })
    .finally(() => showProgress(''))
  const text = `${table([reply.statement]).text}${reply.isNew ? '' : '\nthis file was imported before'}`
  return { json: reply, text }
}

async function list({ client, option }: Invocation): Promise<Outcome> {
  const query = { supplier: option('supplier'), period: option('period'), limit: option('limit') }
  return table(await client.get('/settlement/statements', z.array(StatementView), query))
}

function table(statements: readonly StatementView[]): Outcome {
  if (statements.length === 0) return { json: statements, text: 'no statements' }
  const text = renderTable(
    [
      { title: 'STATEMENT', value: (row) => row.id },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'MONTH', value: (row) => row.period },
      { title: 'STATE', value: (row) => row.state },
      { title: 'LINES', value: (row) => count(row.lines), align: 'right' },
      { title: 'NET', value: (row) => yuan(row.netPico), align: 'right' },
      { title: 'FILE', value: (row) => row.fileName },
    ],
    statements,
  )
  return { json: statements, text }
}

function detail(reply: StatementReply): Outcome {
  const ours = reply.ours && `our side: ${count(reply.ours.requests)} requests, ${yuan(reply.ours.amountPico)}`
  const sums = renderTable(
    [
      { title: 'CLASS', value: (row) => row.class },
      { title: 'STATE', value: (row) => row.state },
      { title: 'COUNT', value: (row) => count(row.count), align: 'right' },
      { title: 'THEIRS ABOVE OURS', value: (row) => yuan(row.impactPico), align: 'right' },
      { title: 'TAX', value: (row) => yuan(row.taxImpactPico), align: 'right' },
    ],
    reply.discrepancies,
  )
  const events = reply.events.map(({ atMs, becomes, by, note }) =>
    printable(`${time(atMs)}  ${becomes}  ${by}  ${note ?? ''}`),
  )
  const text = [
    table([reply]).text,
    ours ?? 'not matched yet',
    reply.discrepancies.length === 0 ? 'nothing differs' : sums,
    ...reply.runs,
    ...events,
  ].join('\n')
  return { json: reply, text }
}

async function discrepancies({ client, option }: Invocation, id: string | undefined): Promise<Outcome> {
  const query = { class: option('class'), state: option('state'), after: option('after'), limit: option('limit') }
  const path = `/settlement/statements/${named(id)}/discrepancies`
  const rows = await client.get(path, z.array(DiscrepancyView), query)
  const side = (one: DiscrepancyView['ours']) =>
    one ? `${one.model} ${one.input}/${one.output} ${yuan(one.netPico)}` : 'none'
  const text = renderTable(
    [
      { title: 'NUMBER', value: (row) => row.number, align: 'right' },
      { title: 'CLASS', value: (row) => row.class },
      { title: 'STATE', value: (row) => row.state },
      { title: 'LINE', value: (row) => row.line ?? '', align: 'right' },
      { title: 'REQUEST OR DAY', value: (row) => row.request ?? row.day ?? '' },
      { title: 'THEIRS', value: (row) => side(row.theirs) },
      { title: 'OURS', value: (row) => side(row.ours) },
      { title: 'IMPACT', value: (row) => yuan(row.impactPico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing differs' : text }
}

async function requests(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const { client, option } = invocation
  const query = { number: required(invocation, 'number'), after: option('after'), limit: option('limit') }
  const rows = await client.get(`/settlement/statements/${named(id)}/requests`, z.array(SettledRequestView), query)
  const text = renderTable(
    [
      { title: 'REQUEST', value: (row) => row.request },
      { title: 'ENDED', value: (row) => time(row.completedAtMs) },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'INPUT', value: (row) => count(row.input), align: 'right' },
      { title: 'OUTPUT', value: (row) => count(row.output), align: 'right' },
      { title: 'COST', value: (row) => yuan(row.amountPico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'we have no such request' : text }
}

async function decide(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const { client, option, positionals } = invocation
  const numbers = option('numbers')
  if (numbers !== undefined && !/^\d{1,9}(?:,\d{1,9})*$/.test(numbers))
    throw new CliError(EXIT.usage, '--numbers are numbers of discrepancies: 1,2,3')
  const reply = await client.post(`/settlement/statements/${named(id)}/decide`, DecisionReply, {
    decision: positionals[2],
    reason: required(invocation, 'reason'),
    ...(numbers === undefined ? {} : { numbers: numbers.split(',').map(Number) }),
    ...given('class', option('class')),
    ...given('amountPico', option('pico')),
    ...given('assignee', option('assignee')),
  })
  return { json: reply, text: `${count(reply.decided)} decided; ${reply.statement.id} is ${reply.statement.state}` }
}

function given(name: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: value }
}

function named(id: string | undefined): string {
  if (id) return encodeURIComponent(id)
  throw new CliError(EXIT.usage, 'which one? See tokenfactory statement --help')
}

function required({ option }: Invocation, name: string): string {
  const value = option(name)
  if (value) return value
  throw new CliError(EXIT.usage, `--${name} is missing; see tokenfactory statement --help`)
}
