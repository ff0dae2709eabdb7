import { useQuery } from '@tanstack/react-query'
import { Input, Select } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { RequestRow } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { Debit } from '../../kit/debit.tsx'
import { EndingBadge } from '../../kit/ending-badge.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Page, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, navigate, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { words } from '../../kit/words.ts'
import { ExplainDrawer } from '../explain/explain-drawer.tsx'
import { requestsText } from './text.ts'

const LIMITS = [50, 200] as const

export default function RequestsPage() {
  const text = useText(requestsText)
  const { tenantQuery } = useScope()
  const { detail, search } = useRoute()
  const [limit, setLimit] = useState<number>(50)
  const requests = useQuery({
    queryKey: ['requests', tenantQuery, limit],
    queryFn: ({ signal }) => get('/requests', z.array(RequestRow), { query: { tenant: tenantQuery, limit }, signal }),
    refetchInterval: 4000,
  })
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <>
          <Input.Search
            aria-label={text.find}
            placeholder={text.find}
            enterButton={text.findButton}
            allowClear
            style={{ width: 300, maxWidth: '100%' }}
            onSearch={(id) => id.trim() !== '' && navigate(hrefTo('requests', id.trim(), search))}
          />
          <Select
            aria-label={text.limitLabel}
            value={limit}
            onChange={setLimit}
            options={LIMITS.map((value) => ({ value, label: text.limit(value) }))}
          />
          <TenantSelect />
        </>
      }
    >
      <Panel flush>
        <QueryView query={requests} rows={10}>
          {(rows) => <RequestTable rows={rows} />}
        </QueryView>
      </Panel>
      <ExplainDrawer id={detail} onClose={() => navigate(hrefTo('requests', null, search))} />
    </Page>
  )
}

function RequestTable({ rows }: { readonly rows: readonly RequestRow[] }) {
  const text = useText(requestsText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenant } = useScope()
  const { detail, search } = useRoute()
  const columns: readonly Column<RequestRow>[] = [
    {
      key: 'id',
      title: common.id,
      lead: true,
      cell: (row) => (
        <a href={hrefTo('requests', row.id, search)}>
          <Id id={row.id} short />
        </a>
      ),
    },
    { key: 'time', title: common.time, cell: (row) => format.dateTime(row.completedAtMs) },
    { key: 'ending', title: text.ending, cell: (row) => <EndingBadge ending={row.ending} /> },
    {
      key: 'service',
      title: common.service,
      cell: (row) => (
        <>
          {row.service}
          {row.tier !== 'standard' && <span className="cell-note"> · {common.tiers[row.tier]}</span>}
        </>
      ),
    },
    ...(isOperator
      ? ([
          ...(tenant === null ? [{ key: 'tenant', title: common.tenant, cell: (row: RequestRow) => row.tenant }] : []),
          { key: 'supplier', title: common.supplier, cell: (row) => row.supplier },
        ] satisfies Column<RequestRow>[])
      : []),
    { key: 'key', title: common.key, cell: (row) => <Id id={row.key} short /> },
    {
      key: 'input',
      title: text.input,
      numeric: true,
      cell: (row) => format.count(row.tokens.uncachedInput + row.tokens.cacheRead + row.tokens.cacheWrite),
    },
    {
      key: 'output',
      title: text.output,
      numeric: true,
      cell: (row) => format.count(row.tokens.output + row.tokens.reasoning),
    },
    {
      key: 'ttft',
      title: text.ttft,
      numeric: true,
      cell: (row) => (row.ttftMs === null ? '–' : format.duration(row.ttftMs)),
    },
    { key: 'duration', title: text.duration, numeric: true, cell: (row) => format.duration(row.durationMs) },
    {
      key: 'price',
      title: text.price,
      numeric: true,
      cell: (row) => (
        <>
          {(row.sellPico !== '0' || row.draws.length === 0) && <div>{format.fineMoney(row.sellPico)}</div>}
          {row.draws.map((draw) => (
            <Debit key={draw.bucket} draw={draw} />
          ))}
        </>
      ),
    },
  ]
  return (
    <DataTable
      label={text.title}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.id}
      selectedKey={detail}
      onRowClick={(row) => navigate(hrefTo('requests', row.id, search))}
      empty={<EmptyState title={text.none}>{text.noneMore}</EmptyState>}
    />
  )
}
