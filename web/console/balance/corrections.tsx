import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { CorrectionView } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { balanceText } from './text.ts'

/** Requests that were rated again or given back after the fact; shown only where there are any. */
export function Corrections({ tenant }: { readonly tenant: string }) {
  const text = useText(balanceText)
  const common = useText(words)
  const format = useFormat()
  const { tenantQuery, isOperator } = useScope()
  const { search } = useRoute()
  const corrections = useQuery({
    queryKey: ['corrections', tenant],
    queryFn: ({ signal }) =>
      get('/corrections', z.array(CorrectionView), { query: { tenant: tenantQuery, limit: 50 }, signal }),
  })
  if (corrections.data?.length === 0) return null
  const columns: readonly Column<CorrectionView>[] = [
    {
      key: 'request',
      title: text.request,
      lead: true,
      cell: (row) => (
        <a href={hrefTo('requests', row.usage, search)}>
          <Id id={row.usage} short />
        </a>
      ),
    },
    { key: 'time', title: common.time, cell: (row) => format.dateTime(row.madeAtMs) },
    {
      key: 'kind',
      title: text.kind,
      cell: (row) => <Badge tone={row.kind === 'refund' ? 'good' : 'warn'}>{text.correctionKinds[row.kind]}</Badge>,
    },
    { key: 'price', title: text.priceSince, numeric: true, cell: (row) => format.fineMoney(row.sellPico) },
    { key: 'sheet', title: text.sheet, cell: (row) => <code className="wrap">{row.sellSheet}</code> },
    { key: 'reason', title: text.reason, cell: (row) => <span className="wrap">{row.reason}</span> },
    ...(isOperator
      ? ([
          { key: 'by', title: text.by, cell: (row) => <span className="wrap">{row.by}</span> },
        ] satisfies Column<CorrectionView>[])
      : []),
  ]
  return (
    <Panel flush title={text.corrections} aside={text.correctionsLead}>
      <QueryView query={corrections} rows={2}>
        {(rows) => (
          <DataTable
            label={text.corrections}
            columns={columns}
            rows={rows}
            rowKey={(row) => `${row.usage}-${row.version}`}
            empty={null}
          />
        )}
      </QueryView>
    </Panel>
  )
}
