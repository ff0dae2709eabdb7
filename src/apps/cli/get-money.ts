import * as z from 'zod'
import { CorrectionView, MeansReply, RefundView } from '#contract'
import type { LotView } from '#contract'
import type { Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { amount, time, yuan } from './format.ts'
import { renderTable } from './table.ts'

/** What a wallet and tokens are made of, in the order in which they burn. */
export async function showLots({ client, option }: Invocation): Promise<Outcome> {
  const { lots } = await client.get('/means', MeansReply, { tenant: whose(option('tenant')) })
  const text = renderTable<LotView>(
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'FROM', value: (row) => row.source },
      { title: 'REFERENCE', value: (row) => row.reference },
      { title: 'STATE', value: (row) => row.state },
      { title: 'GRANTED', value: (row) => amount(row.granted, row.unit), align: 'right' },
      { title: 'LEFT', value: (row) => amount(row.remaining, row.unit), align: 'right' },
      { title: 'PRIORITY', value: (row) => row.priority, align: 'right' },
      { title: 'VALID FROM', value: (row) => time(row.validFromMs) },
      { title: 'EXPIRES', value: (row) => (row.expiresAtMs === null ? '-' : time(row.expiresAtMs)) },
    ],
    lots,
  )
  return { json: lots, text }
}

export async function showCorrections({ client, option }: Invocation): Promise<Outcome> {
  const query = { tenant: whose(option('tenant')), limit: option('limit') }
  const rows = await client.get('/corrections', z.array(CorrectionView), query)
  const text = renderTable<CorrectionView>(
    [
      { title: 'REQUEST', value: (row) => row.usage },
      { title: 'VERSION', value: (row) => row.version, align: 'right' },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'SHEET', value: (row) => row.sellSheet },
      { title: 'COSTS NOW ¥', value: (row) => yuan(row.sellPico), align: 'right' },
      { title: 'TAX ¥', value: (row) => yuan(row.taxPico), align: 'right' },
      { title: 'MADE', value: (row) => time(row.madeAtMs) },
      { title: 'BY', value: (row) => row.by ?? '-' },
      { title: 'REASON', value: (row) => row.reason },
    ],
    rows,
  )
  return { json: rows, text }
}

export async function showRefunds({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/refunds', z.array(RefundView), { tenant: option('tenant') })
  const text = renderTable<RefundView>(
    [
      { title: 'REFERENCE', value: (row) => row.reference },
      { title: 'TENANT', value: (row) => row.tenant },
      { title: 'STATE', value: (row) => row.state },
      { title: 'REQUESTED', value: (row) => time(row.requestedAtMs) },
      { title: 'PAID', value: (row) => (row.paidAtMs === null ? '-' : time(row.paidAtMs)) },
      { title: 'AMOUNT ¥', value: (row) => row.amount, align: 'right' },
    ],
    rows,
  )
  return { json: rows, text }
}

function whose(tenant: string | undefined): string {
  if (tenant) return tenant
  throw new CliError(EXIT.usage, 'of which tenant? --tenant ID')
}
