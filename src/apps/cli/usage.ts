import * as z from 'zod'
import { UsageRow } from '#contract'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, yuan } from './format.ts'
import { renderTable } from './table.ts'

/** The API says service where people say model. */
const GROUPS: Readonly<Record<string, string>> = {
  model: 'service',
  service: 'service',
  tenant: 'tenant',
  supplier: 'supplier',
  key: 'key',
  hour: 'hour',
}
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

export const usage: Command = {
  name: 'usage',
  usage: '[--by model|tenant|supplier|key|hour] [--since 24h] [--tenant ID]',
  summary: 'requests, tokens by class, revenue and cost',
  help: `Options:
      --by GROUP     model (default), tenant, supplier, key or hour
      --since SPAN   how far back: 30m, 24h, 7d; 31 days by default, one day by hour
      --tenant ID    of one tenant only`,
  options: { by: { type: 'string' }, since: { type: 'string' }, tenant: { type: 'string' } },
  arity: [0, 0],
  run: showUsage,
}

export async function showUsage({ client, option, nowMs }: Invocation): Promise<Outcome> {
  const by = option('by') ?? 'model'
  const group = Object.hasOwn(GROUPS, by) ? GROUPS[by] : undefined
  if (group === undefined) throw new CliError(EXIT.usage, `--by is one of ${Object.keys(GROUPS).join(', ')}`)
  const since = option('since')
  const fromMs = since === undefined ? undefined : String(Math.max(0, nowMs() - spanMs(since)))
  const rows = await client.get('/usage', z.array(UsageRow), { by: group, tenant: option('tenant'), fromMs })
  const text = renderTable<UsageRow>(
    [
      { title: by.toUpperCase(), value: (row) => row.group },
      { title: 'REQUESTS', value: (row) => count(row.requests), align: 'right' },
      { title: 'FAILED', value: (row) => count(row.failed), align: 'right' },
      { title: 'INPUT', value: (row) => count(row.tokens.uncachedInput), align: 'right' },
      { title: 'CACHE WRITE', value: (row) => count(row.tokens.cacheWrite), align: 'right' },
      { title: 'CACHE READ', value: (row) => count(row.tokens.cacheRead), align: 'right' },
      { title: 'OUTPUT', value: (row) => count(row.tokens.output), align: 'right' },
      { title: 'REASONING', value: (row) => count(row.tokens.reasoning), align: 'right' },
      { title: 'SOLD ¥', value: (row) => yuan(row.sellPico), align: 'right' },
      { title: 'BOUGHT ¥', value: (row) => yuan(row.buyPico), align: 'right' },
    ],
    rows,
  )
  return { json: rows, text }
}

function spanMs(text: string): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const unitMs = unit === undefined ? undefined : UNITS_MS[unit]
  if (amount === undefined || unitMs === undefined)
    throw new CliError(EXIT.usage, '--since is a span such as 30m, 24h or 7d')
  return Number(amount) * unitMs
}
