import { useQuery } from '@tanstack/react-query'
import { Segmented } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { UsageRow } from '#contract'
import { TOKEN_CLASSES, totalTokens } from '#kernel'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { sumPico } from '../../kit/format.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { addTokens } from './live-totals.ts'
import { overviewText } from './text.ts'

const HOUR_MS = 3_600_000
const RANGES_MS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS, month: 720 * HOUR_MS } as const
type RangeName = keyof typeof RANGES_MS
const DIMENSIONS = ['service', 'tenant', 'supplier', 'key', 'hour'] as const
type Dimension = (typeof DIMENSIONS)[number]

export function UsageBreakdown({ paused }: { readonly paused: boolean }) {
  const text = useText(overviewText)
  const { isOperator, tenantQuery } = useScope()
  const [by, setBy] = useState<Dimension>('service')
  const [range, setRange] = useState<RangeName>('day')
  const usage = useQuery({
    queryKey: ['usage', tenantQuery, by, range],
    queryFn: ({ signal }) =>
      get('/usage', z.array(UsageRow), {
        query: { by, fromMs: Date.now() - RANGES_MS[range], tenant: tenantQuery },
        signal,
      }),
    refetchInterval: paused ? false : 5000,
  })
  const dimensions = DIMENSIONS.filter((name) => isOperator || (name !== 'tenant' && name !== 'supplier'))
  return (
    <Panel
      flush
      title={text.breakdown}
      aside={
        <>
          <Segmented
            aria-label={text.groupBy}
            value={by}
            onChange={setBy}
            options={dimensions.map((value) => ({ value, label: text.by[value] }))}
          />
          <Segmented
            aria-label={text.range}
            value={range}
            onChange={setRange}
            options={(Object.keys(RANGES_MS) as RangeName[]).map((value) => ({ value, label: text.ranges[value] }))}
          />
        </>
      }
    >
      <QueryView query={usage}>{(rows) => <UsageTable rows={rows} by={by} />}</QueryView>
    </Panel>
  )
}

function UsageTable({ rows, by }: { readonly rows: readonly UsageRow[]; readonly by: Dimension }) {
  const text = useText(overviewText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const all: UsageRow = {
    group: '',
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    failed: rows.reduce((sum, row) => sum + row.failed, 0),
    tokens: addTokens(rows.map((row) => row.tokens)),
    sellPico: sumPico(rows.map((row) => row.sellPico)).toString(),
    buyPico: sumPico(rows.map((row) => row.buyPico)).toString(),
  }
  const margin = (row: UsageRow) => BigInt(row.sellPico) - BigInt(row.buyPico)
  const columns: readonly Column<UsageRow>[] = [
    { key: 'group', title: text.by[by], lead: true, cell: (row) => (by === 'hour' ? hourText(row.group) : row.group) },
    { key: 'requests', title: text.requests, numeric: true, cell: (row) => format.count(row.requests) },
    {
      key: 'failed',
      title: text.failed,
      numeric: true,
      cell: (row) => <span className={row.failed > 0 ? 'tone-bad' : 'muted'}>{format.count(row.failed)}</span>,
    },
    ...TOKEN_CLASSES.map((name): Column<UsageRow> => ({
      key: name,
      title: common.tokenClasses[name],
      numeric: true,
      cell: (row) => format.count(row.tokens[name]),
    })),
    { key: 'tokens', title: text.allTokens, numeric: true, cell: (row) => format.count(totalTokens(row.tokens)) },
    {
      key: 'sell',
      title: text.sell,
      numeric: true,
      cell: (row) => (
        <>
          <span className="share">
            <i style={{ width: shareOf(row.sellPico, all.sellPico) }} />
          </span>
          {format.fineMoney(row.sellPico)}
        </>
      ),
    },
    ...(isOperator
      ? ([
          { key: 'buy', title: text.buy, numeric: true, cell: (row) => format.fineMoney(row.buyPico) },
          {
            key: 'margin',
            title: text.margin,
            numeric: true,
            cell: (row) => (
              <span className={margin(row) < 0n ? 'tone-bad' : undefined}>{format.fineMoney(margin(row))}</span>
            ),
          },
        ] satisfies Column<UsageRow>[])
      : []),
  ]
  const foot = rows.length > 1 && (
    <tr>
      {columns.map((column) => (
        <td
          key={column.key}
          className={column.lead ? 'lead-cell' : 'numeric'}
          data-label={typeof column.title === 'string' ? column.title : ''}
        >
          {column.lead ? text.total : column.key === 'sell' ? format.fineMoney(all.sellPico) : column.cell(all)}
        </td>
      ))}
    </tr>
  )
  return (
    <DataTable
      label={text.breakdown}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.group}
      empty={<EmptyState title={text.noUsage} />}
      foot={foot}
    />
  )

  function hourText(group: string): string {
    const ms = /^\d+$/.test(group) ? Number(group) : Date.parse(group)
    return Number.isNaN(ms) ? group : format.dateTime(ms).slice(0, -3)
  }
}

function shareOf(part: string, whole: string): string {
  return BigInt(whole) === 0n ? '0%' : `${Number((BigInt(part) * 1000n) / BigInt(whole)) / 10}%`
}
