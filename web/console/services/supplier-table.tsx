import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { SupplierView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { words } from '../../kit/words.ts'
import { servicesText } from './text.ts'

export function SupplierTable() {
  const text = useText(servicesText)
  const common = useText(words)
  const format = useFormat()
  const suppliers = useQuery({
    queryKey: ['suppliers'],
    queryFn: ({ signal }) => get('/suppliers', z.array(SupplierView), { signal }),
  })
  const columns: readonly Column<SupplierView>[] = [
    {
      key: 'supplier',
      title: common.supplier,
      lead: true,
      cell: (row) => (
        <>
          {row.displayName} <code className="muted">{row.id}</code>
        </>
      ),
    },
    { key: 'kind', title: text.kind, cell: (row) => text.kinds[row.kind] ?? row.kind },
    { key: 'url', title: text.baseUrl, cell: (row) => <code className="wrap">{row.baseUrl}</code> },
    {
      key: 'env',
      title: text.credentials,
      cell: (row) =>
        row.apiKeyEnv === null ? <span className="muted">{common.none}</span> : <code>{row.apiKeyEnv}</code>,
    },
    { key: 'concurrency', title: text.concurrency, numeric: true, cell: (row) => format.count(row.maxConcurrency) },
  ]
  return (
    <Panel flush title={text.suppliers}>
      <QueryView query={suppliers} rows={3}>
        {(rows) => (
          <DataTable
            label={text.suppliers}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noSuppliers} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
