import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { SupplierPeriodView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { ImportDialog } from './import-dialog.tsx'
import { RunBadge, StatementBadge } from './parts.tsx'
import { settlementText } from './text.ts'

/** Every supplier's months, the newest first, and how far each is. */
export function Periods() {
  const text = useText(settlementText)
  const { isOperator } = useScope()
  const [importing, setImporting] = useState<Pick<SupplierPeriodView, 'supplier' | 'period'> | null>(null)
  const periods = useQuery({
    queryKey: ['settlement', 'periods'],
    queryFn: ({ signal }) => get('/settlement/periods', z.array(SupplierPeriodView), { signal }),
  })
  return (
    <>
      <Panel flush title={text.views.periods}>
        <QueryView query={periods} rows={6}>
          {(rows) => <PeriodTable rows={rows} onImport={isOperator ? setImporting : null} />}
        </QueryView>
      </Panel>
      {importing && <ImportDialog {...importing} onClose={() => setImporting(null)} />}
    </>
  )
}

const IMPORTABLE: ReadonlySet<string> = new Set(['expected', 'missing', 'parsed', 'matched', 'discrepant', 'disputed'])

function PeriodTable({
  rows,
  onImport,
}: {
  readonly rows: readonly SupplierPeriodView[]
  readonly onImport: ((row: SupplierPeriodView) => void) | null
}) {
  const text = useText(settlementText)
  const format = useFormat()
  const { search } = useRoute()
  const link = (id: string | null) =>
    id === null ? (
      '–'
    ) : (
      <a className="wrap" href={hrefTo('settlement', id, search)}>
        {id}
      </a>
    )
  return (
    <DataTable
      label={text.views.periods}
      rows={rows}
      rowKey={(row) => `${row.supplier} ${row.period}`}
      empty={<EmptyState title={text.nothing} />}
      columns={[
        { key: 'supplier', title: text.supplier, lead: true, cell: (row) => <b className="wrap">{row.supplier}</b> },
        { key: 'period', title: text.period, cell: (row) => row.period },
        { key: 'requests', title: text.requests, numeric: true, cell: (row) => format.count(row.requests) },
        { key: 'accrued', title: text.accrued, numeric: true, cell: (row) => format.money(row.accruedPico) },
        { key: 'state', title: text.state, cell: (row) => <StatementBadge state={row.state} /> },
        { key: 'statement', title: text.statement, cell: (row) => link(row.statement) },
        {
          key: 'run',
          title: text.run,
          cell: (row) => (
            <>
              {link(row.run)} {row.runState && <RunBadge state={row.runState} />}
            </>
          ),
        },
        ...(onImport
          ? [
              {
                key: 'import',
                title: '',
                cell: (row: SupplierPeriodView) =>
                  IMPORTABLE.has(row.state) && (
                    <Button size="small" onClick={() => onImport(row)}>
                      {text.importStatement}
                    </Button>
                  ),
              },
            ]
          : []),
      ]}
    />
  )
}
