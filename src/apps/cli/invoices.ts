import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { DocumentReply, DocumentView, FapiaoView, InvoiceRunReply, PartyView, PaymentView } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, time } from './format.ts'
import { printable, renderTable } from './table.ts'

export const invoices: Command = {
  name: 'invoices',
  usage: 'ACTION [ID] …',
  summary: 'invoices, statements and credit notes: run a month, look, print, pay, credit',
  help: `An ID is a document's id or its number.

  tokenfactory invoices run --period 2026-11            the last month that is over unless --period says another
  tokenfactory invoices run --hold                      makes them without issuing, for review
  tokenfactory invoices issue ID | hold ID
  tokenfactory invoices list --tenant acme --state sent
  tokenfactory invoices show INV-2026-000001
  tokenfactory invoices pdf INV-2026-000001 --lang en --file invoice.pdf
  tokenfactory invoices csv ID --file detail.csv        one row per request; xlsx up to 10,000 of them
  tokenfactory invoices pay --tenant acme --amount 106.00 --reference bank-4711 [ID]
  tokenfactory invoices credit ID --reference c-1 --reason 'slow answers' [--line 1 --amount 5.00]
  tokenfactory invoices fapiao ID [--kind special]      asks for the tax invoice; --reverse --reason TEXT takes it back
  tokenfactory invoices seller [--from seller.json]     who issues documents: shows it, or sets it
  tokenfactory invoices buyer --tenant acme [--from buyer.json]

Paying without ID pays what is due first; what is left goes into the wallet. A payment or credit with a known reference is not booked
again. Crediting without --line takes back all that is left of the invoice.`,
  options: {
    period: { type: 'string' },
    tenant: { type: 'string' },
    state: { type: 'string' },
    kind: { type: 'string' },
    limit: { type: 'string' },
    hold: { type: 'boolean' },
    lang: { type: 'string' },
    file: { type: 'string' },
    from: { type: 'string' },
    amount: { type: 'string' },
    reference: { type: 'string' },
    reason: { type: 'string' },
    line: { type: 'string' },
    reverse: { type: 'boolean' },
  },
  arity: [1, 2],
  async run(invocation) {
    const [action = '', id] = invocation.positionals
    const act = ACTIONS[action]
    if (!act) throw new CliError(EXIT.usage, `invoices ${Object.keys(ACTIONS).join(' | ')}`)
    return act(invocation, id)
  },
}

type Action = (invocation: Invocation, id: string | undefined) => Promise<Outcome>

const ACTIONS: Readonly<Record<string, Action>> = {
  run: runMonth,
  list,
  show,
  issue: (invocation, id) => decide(invocation, id, 'issue'),
  hold: (invocation, id) => decide(invocation, id, 'hold'),
  pdf: (invocation, id) => save(invocation, id, 'pdf'),
  csv: (invocation, id) => save(invocation, id, 'csv'),
  xlsx: (invocation, id) => save(invocation, id, 'xlsx'),
  pay,
  credit,
  fapiao,
  seller: (invocation) => party(invocation, '/billing/seller'),
  buyer: (invocation) => party(invocation, `/billing/buyers/${encodeURIComponent(required(invocation, 'tenant'))}`),
}

async function runMonth({ client, option, flag }: Invocation): Promise<Outcome> {
  const [period, tenant] = [option('period'), option('tenant')]
  const reply = await client.post('/invoices/run', InvoiceRunReply, {
    ...(period === undefined ? {} : { period }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(flag('hold') ? { hold: true } : {}),
  })
  const failed = reply.failures.map((failure) => `${printable(failure.tenant)}: ${printable(failure.detail)}`)
  const text = [
    `${reply.period}: ${count(reply.documents.length)} new documents`,
    ...rows(reply.documents),
    ...failed,
  ].join('\n')
  return { json: reply, text, ...(failed.length > 0 ? { code: EXIT.failure } : {}) }
}

async function list({ client, option }: Invocation): Promise<Outcome> {
  const wanted = {
    tenant: option('tenant'),
    period: option('period'),
    state: option('state'),
    kind: option('kind'),
    limit: option('limit'),
  }
  const documents = await client.get('/invoices', z.array(DocumentView), wanted)
  return { json: documents, text: rows(documents).join('\n') || 'no documents' }
}

function rows(documents: readonly DocumentView[]): string[] {
  if (documents.length === 0) return []
  return [
    renderTable(
      [
        { title: 'NUMBER', value: (row) => row.number ?? row.id },
        { title: 'KIND', value: (row) => row.kind },
        { title: 'TENANT', value: (row) => row.tenant },
        { title: 'MONTH', value: (row) => row.period },
        { title: 'STATE', value: (row) => row.state },
        { title: 'GROSS', value: (row) => row.gross, align: 'right' },
        { title: 'TAX', value: (row) => row.tax, align: 'right' },
        { title: 'DUE', value: (row) => row.due, align: 'right' },
        { title: 'COVERED', value: (row) => row.covered, align: 'right' },
      ],
      documents,
    ),
  ]
}

async function show({ client }: Invocation, id: string | undefined): Promise<Outcome> {
  const reply = await client.get(pathOf(id), DocumentReply)
  const lines = renderTable(
    [
      { title: 'LINE', value: (row) => row.position, align: 'right' },
      { title: 'DESCRIPTION', value: (row) => row.description },
      { title: 'SHEET', value: (row) => row.sheet ?? '' },
      { title: 'MONTH', value: (row) => row.period },
      { title: 'REQUESTS', value: (row) => count(row.requests), align: 'right' },
      { title: 'TOKENS', value: (row) => row.tokens, align: 'right' },
      { title: 'VAT', value: (row) => `${row.taxPercent}%`, align: 'right' },
      { title: 'NET', value: (row) => row.net, align: 'right' },
      { title: 'TAX', value: (row) => row.tax, align: 'right' },
      { title: 'GROSS', value: (row) => row.gross, align: 'right' },
    ],
    reply.lines,
  )
  const covered = reply.allocations.map(({ source, amount, atMs }) => `${time(atMs)}  ${printable(source)}  ${amount}`)
  const fapiaos = reply.fapiaos.map(({ state, number, failure }) =>
    printable(`fapiao ${state} ${number ?? failure ?? ''}`),
  )
  return { json: reply, text: [...rows([reply]), '', lines, ...covered, ...fapiaos].join('\n') }
}

async function decide({ client }: Invocation, id: string | undefined, action: 'issue' | 'hold'): Promise<Outcome> {
  const document = await client.post(`${pathOf(id)}/${action}`, DocumentView)
  return { json: document, text: rows([document]).join('\n') }
}

async function save({ client, option }: Invocation, id: string | undefined, ending: string): Promise<Outcome> {
  const file = option('file') ?? `${documentId(id).replaceAll(/[^\w.-]/g, '_')}.${ending}`
  const bytes = await client.save(`${pathOf(id)}/${ending}`, file, { lang: option('lang') })
  return { json: { file, bytes }, text: `${file}: ${count(bytes)} bytes` }
}

async function pay(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const payment = await invocation.client.post('/payments', PaymentView, {
    reference: required(invocation, 'reference'),
    tenant: required(invocation, 'tenant'),
    amountYuan: required(invocation, 'amount'),
    ...(id === undefined ? {} : { document: id }),
  })
  const rest = payment.rest === '0.00' ? '' : `, of which ¥${payment.rest} went into the wallet`
  return { json: payment, text: `¥${payment.amount} of ${payment.tenant} are booked${rest}` }
}

async function credit(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const { client, option } = invocation
  const line = option('line')
  if (line !== undefined && !/^[1-9]\d{0,5}$/.test(line))
    throw new CliError(EXIT.usage, '--line is the number of a line')
  const document = await client.post(`${pathOf(id)}/credit`, DocumentView, {
    reference: required(invocation, 'reference'),
    reason: required(invocation, 'reason'),
    ...(line === undefined ? {} : { lines: [{ position: Number(line), amountYuan: required(invocation, 'amount') }] }),
  })
  return { json: document, text: rows([document]).join('\n') }
}

async function fapiao(invocation: Invocation, id: string | undefined): Promise<Outcome> {
  const { client, option, flag } = invocation
  const reply = flag('reverse')
    ? await client.post(`${pathOf(id)}/fapiao/reverse`, FapiaoView, { reason: required(invocation, 'reason') })
    : await client.post(`${pathOf(id)}/fapiao`, FapiaoView, { kind: option('kind') ?? 'ordinary' })
  const text = `${reply.state} ${reply.redNumber ?? reply.number ?? reply.failure ?? ''}`.trimEnd()
  return { json: reply, text: printable(text), ...(reply.state === 'failed' ? { code: EXIT.failure } : {}) }
}

async function party({ client, option }: Invocation, path: string): Promise<Outcome> {
  const from = option('from')
  const reply =
    from === undefined ? await client.get(path, PartyView) : await client.post(path, PartyView, await jsonOf(from))
  const text = Object.entries(reply).map(([name, value]) => printable(`${name}: ${value ?? '-'}`))
  return { json: reply, text: text.join('\n') }
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    throw new CliError(EXIT.usage, `${file} cannot be read as JSON`)
  }
}

function pathOf(id: string | undefined): string {
  return `/invoices/${encodeURIComponent(documentId(id))}`
}

function documentId(id: string | undefined): string {
  if (id) return id
  throw new CliError(EXIT.usage, 'which document? Give its id or number')
}

function required({ option }: Invocation, name: string): string {
  const value = option(name)
  if (value) return value
  throw new CliError(EXIT.usage, `--${name} is missing; see tokenfactory invoices --help`)
}
