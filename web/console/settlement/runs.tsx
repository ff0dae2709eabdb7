import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { RunView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { DownloadButton } from '../../kit/download-button.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, navigate, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { RunBadge } from './parts.tsx'
import { settlementText } from './text.ts'

/** Settlements, the newest month first. */
export function Runs() {
  const text = useText(settlementText)
  const format = useFormat()
  const { isOperator } = useScope()
  const { search } = useRoute()
  const runs = useQuery({
    queryKey: ['settlement', 'runs'],
    queryFn: ({ signal }) => get('/settlement/runs', z.array(RunView), { signal }),
  })
  const amount = (yuan: string | null) => (yuan === null ? '–' : format.yuan(yuan))
  return (
    <Panel
      flush
      title={text.views.runs}
      aside={isOperator && <DownloadButton path="/settlement/payment-file" query={{}} label={text.paymentFile} />}
    >
      <QueryView query={runs} rows={6}>
        {(rows) => (
          <DataTable
            label={text.views.runs}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noRuns} />}
            onRowClick={(row) => navigate(hrefTo('settlement', row.id, search))}
            columns={[
              {
                key: 'id',
                title: text.run,
                lead: true,
                cell: (row) => (
                  <a className="wrap" href={hrefTo('settlement', row.id, search)}>
                    {row.id}
                  </a>
                ),
              },
              { key: 'supplier', title: text.supplier, cell: (row) => row.supplier },
              { key: 'period', title: text.period, cell: (row) => row.period },
              { key: 'state', title: text.state, cell: (row) => <RunBadge state={row.state} /> },
              { key: 'gross', title: text.figure.gross, numeric: true, cell: (row) => amount(row.gross) },
              { key: 'netted', title: text.figure.netted, numeric: true, cell: (row) => amount(row.netted) },
              {
                key: 'payable',
                title: text.figure.payable,
                numeric: true,
                cell: (row) => <b>{amount(row.payable)}</b>,
              },
              {
                key: 'proposed',
                title: text.proposedBy,
                cell: (row) => <span className="wrap">{row.proposedBy}</span>,
              },
              {
                key: 'approved',
                title: text.approvedBy,
                cell: (row) => <span className="wrap">{row.approvedBy ?? '–'}</span>,
              },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  )
}
