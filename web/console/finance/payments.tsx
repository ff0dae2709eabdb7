import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { PaymentView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { PaymentDialog } from './payment-dialog.tsx'
import { financeText } from './text.ts'

/** Money that arrived, newest first. */
export function Payments() {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenantQuery } = useScope()
  const { search } = useRoute()
  const [paying, setPaying] = useState(false)
  const payments = useQuery({
    queryKey: ['payments', tenantQuery],
    queryFn: ({ signal }) => get('/payments', z.array(PaymentView), { query: { tenant: tenantQuery }, signal }),
  })
  return (
    <Panel
      flush
      title={text.views.payments}
      aside={
        isOperator && (
          <Button size="small" type="primary" onClick={() => setPaying(true)}>
            {text.recordPayment}
          </Button>
        )
      }
    >
      <QueryView query={payments} rows={4}>
        {(rows) => (
          <DataTable
            label={text.views.payments}
            rows={rows}
            rowKey={(row) => row.reference}
            empty={<EmptyState title={text.noPayments} />}
            columns={[
              {
                key: 'reference',
                title: text.reference,
                lead: true,
                cell: (row) => <code className="wrap">{row.reference}</code>,
              },
              { key: 'tenant', title: common.tenant, cell: (row) => row.tenant },
              { key: 'time', title: common.time, cell: (row) => format.fullDateTime(row.bookedAtMs) },
              { key: 'amount', title: text.amount, numeric: true, cell: (row) => <b>{format.yuan(row.amount)}</b> },
              { key: 'rest', title: text.rest, numeric: true, cell: (row) => format.yuan(row.rest) },
              {
                key: 'document',
                title: text.document,
                cell: (row) =>
                  row.document === null ? (
                    text.oldestFirst
                  ) : (
                    <a className="wrap" href={hrefTo('finance', row.document, search)}>
                      {row.document}
                    </a>
                  ),
              },
            ]}
          />
        )}
      </QueryView>
      {paying && <PaymentDialog document={null} onClose={() => setPaying(false)} />}
    </Panel>
  )
}
