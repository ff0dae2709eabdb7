import * as z from 'zod'
import { BalanceView, KeyView, PostingView, RequestRow, ServiceView, SupplierView, TenantView } from '#contract'
import type { Limits } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, milliseconds, time, yuan } from './format.ts'
import { showCorrections, showLots, showRefunds } from './get-money.ts'
import { renderTable } from './table.ts'
import type { Column } from './table.ts'
import { showUsage } from './usage.ts'

const THINGS: Readonly<Record<string, (invocation: Invocation) => Promise<Outcome>>> = {
  suppliers: (invocation) =>
    list(invocation, '/suppliers', SupplierView, {}, [
      { title: 'ID', value: (row) => row.id },
      { title: 'NAME', value: (row) => row.displayName },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'BASE URL', value: (row) => row.baseUrl || '-' },
      { title: 'KEY FROM', value: (row) => row.apiKeyEnv ?? '-' },
      { title: 'CONCURRENCY', value: (row) => count(row.maxConcurrency), align: 'right' },
    ]),
  services: (invocation) =>
    list(invocation, '/services', ServiceView, ofTenant(invocation), [
      { title: 'ID', value: (row) => row.id },
      { title: 'NAME', value: (row) => row.displayName },
      { title: 'CONTEXT', value: (row) => count(row.contextTokens), align: 'right' },
      { title: 'MAX OUTPUT', value: (row) => count(row.maxOutputTokens), align: 'right' },
      { title: 'INPUT ¥/M', value: (row) => row.sellPerMillion?.['uncachedInput'] ?? '-', align: 'right' },
      { title: 'CACHED ¥/M', value: (row) => row.sellPerMillion?.['cacheRead'] ?? '-', align: 'right' },
      { title: 'OUTPUT ¥/M', value: (row) => row.sellPerMillion?.['output'] ?? '-', align: 'right' },
      {
        title: 'OTHER PRICES',
        value: (row) => row.sellVariants.map(({ when }) => conditionText(when)).join(', ') || '-',
      },
      { title: 'SERVED BY', value: (row) => row.deployments.map(({ supplier }) => supplier).join(' → ') || '-' },
    ]),
  tenants: (invocation) =>
    list(invocation, '/tenants', TenantView, ofTenant(invocation), [
      { title: 'ID', value: (row) => row.id },
      { title: 'NAME', value: (row) => row.displayName },
      { title: 'STATUS', value: (row) => row.status },
      { title: 'LIMITS', value: (row) => limitsText(row.limits) },
      { title: 'BALANCE ¥', value: (row) => yuan(row.postedPico), align: 'right' },
      { title: 'SET ASIDE ¥', value: (row) => yuan(row.escrowedPico), align: 'right' },
    ]),
  keys: (invocation) =>
    list(invocation, '/keys', KeyView, ofTenant(invocation), [
      { title: 'ID', value: (row) => row.id },
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'NAME', value: (row) => row.name },
      { title: 'KEY', value: (row) => row.preview },
      { title: 'STATUS', value: (row) => row.status },
      { title: 'CREATED', value: (row) => time(row.createdAtMs) },
      { title: 'EXPIRES', value: (row) => (row.expiresAtMs === null ? '-' : time(row.expiresAtMs)) },
      { title: 'LIMITS', value: (row) => limitsText(row.limits) },
    ]),
  usage: showUsage,
  balance: showBalances,
  ledger: showLedger,
  lots: showLots,
  corrections: showCorrections,
  refunds: showRefunds,
  requests: (invocation) =>
    list(invocation, '/requests', RequestRow, { ...ofTenant(invocation), limit: invocation.option('limit') }, [
      { title: 'ID', value: (row) => row.id },
      { title: 'COMPLETED', value: (row) => time(row.completedAtMs) },
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'MODEL', value: (row) => row.service },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'ENDING', value: (row) => row.ending },
      {
        title: 'TOKENS',
        value: (row) => count(Object.values(row.tokens).reduce((sum, tokens) => sum + tokens, 0)),
        align: 'right',
      },
      { title: 'TTFT', value: (row) => milliseconds(row.ttftMs), align: 'right' },
      { title: 'TOOK', value: (row) => milliseconds(row.durationMs), align: 'right' },
      { title: 'SOLD ¥', value: (row) => yuan(row.sellPico), align: 'right' },
    ]),
}

export const get: Command = {
  name: 'get',
  usage: `${Object.keys(THINGS).join('|')} [--tenant ID]`,
  summary: 'show what there is',
  help: `Things: ${Object.keys(THINGS).join(', ')}

Options:
      --tenant ID    of one tenant only; lots and corrections need it
      --limit N      how many postings, requests or corrections; 50 by default, 500 at most
      --before ID    postings before this one
      --by, --since  as in: tokenfactory usage --help`,
  options: {
    tenant: { type: 'string' },
    limit: { type: 'string' },
    before: { type: 'string' },
    by: { type: 'string' },
    since: { type: 'string' },
  },
  arity: [1, 1],
  async run(invocation) {
    const [thing = ''] = invocation.positionals
    const show = Object.hasOwn(THINGS, thing) ? THINGS[thing] : undefined
    if (!show)
      throw new CliError(EXIT.usage, `there is no ${thing} to get; things are ${Object.keys(THINGS).join(', ')}`)
    return show(invocation)
  },
}

async function list<Schema extends z.ZodType>(
  { client }: Invocation,
  path: string,
  schema: Schema,
  query: Readonly<Record<string, string | undefined>>,
  columns: readonly Column<z.output<Schema>>[],
): Promise<Outcome> {
  const rows = await client.get(path, z.array(schema), query)
  return { json: rows, text: renderTable(columns, rows) }
}

async function showBalances(invocation: Invocation): Promise<Outcome> {
  const { client, option } = invocation
  const tenant = option('tenant')
  const tenants =
    tenant === undefined ? (await client.get('/tenants', z.array(TenantView))).map(({ id }) => id) : [tenant]
  const rows: BalanceView[] = []
  for (const id of tenants) rows.push(await client.get('/balance', BalanceView, { tenant: id }))
  const text = renderTable<BalanceView>(
    [
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'BALANCE ¥', value: (row) => yuan(row.postedPico), align: 'right' },
      { title: 'SET ASIDE ¥', value: (row) => yuan(row.escrowedPico), align: 'right' },
      { title: 'AVAILABLE ¥', value: (row) => yuan(row.availablePico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text }
}

async function showLedger({ client, option }: Invocation): Promise<Outcome> {
  const query = { tenant: option('tenant'), limit: option('limit'), before: option('before') }
  const postings = await client.get('/ledger', z.array(PostingView), query)
  const rows = postings.flatMap(({ entries, ...posting }) =>
    entries.map((entry, index) => ({ ...posting, entry, isFirst: index === 0 })),
  )
  const text = renderTable<(typeof rows)[number]>(
    [
      { title: 'POSTING', value: (row) => (row.isFirst ? row.id : '') },
      { title: 'BOOKED', value: (row) => (row.isFirst ? time(row.bookedAtMs) : '') },
      { title: 'KIND', value: (row) => (row.isFirst ? row.kind : '') },
      { title: 'RECORDS', value: (row) => (row.isFirst ? count(row.records) : ''), align: 'right' },
      { title: 'ACCOUNT', value: (row) => row.entry.account },
      {
        title: 'DEBIT ¥',
        value: (row) => (BigInt(row.entry.amountPico) > 0n ? yuan(row.entry.amountPico) : ''),
        align: 'right',
      },
      {
        title: 'CREDIT ¥',
        value: (row) => (BigInt(row.entry.amountPico) < 0n ? yuan(`${-BigInt(row.entry.amountPico)}`) : ''),
        align: 'right',
      },
      { title: 'MEMO', value: (row) => (row.isFirst ? row.memo : '') },
    ],
    rows,
  )
  return { json: postings, text }
}

function ofTenant({ option }: Invocation): { readonly tenant: string | undefined } {
  return { tenant: option('tenant') }
}

function limitsText({ requestsPerMinute, tokensPerMinute, maxConcurrency }: Limits): string {
  const parts = [
    requestsPerMinute === undefined ? [] : [`${count(requestsPerMinute)} requests/min`],
    tokensPerMinute === undefined ? [] : [`${count(tokensPerMinute)} tokens/min`],
    maxConcurrency === undefined ? [] : [`${count(maxConcurrency)} at once`],
  ]
  return parts.flat().join(', ') || '-'
}

/** `peak & above 32000 in`: when other prices hold; `-o json` has them all. */
function conditionText({ tier, period, inputTokensAbove }: ServiceView['sellVariants'][number]['when']): string {
  const parts = [tier, period, inputTokensAbove === undefined ? undefined : `above ${inputTokensAbove} in`]
  return parts.filter((part) => part !== undefined).join(' & ')
}
