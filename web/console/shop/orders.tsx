import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { OrderView } from '#contract'
import { get, post } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { FormDialog } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { useScope } from '../../kit/scope.tsx'
import { UnfoldButton } from '../../kit/unfold-button.tsx'
import { words } from '../../kit/words.ts'
import { OrderBadge } from './order-badge.tsx'
import { CHANGED_BY_ORDERS } from './queries.ts'
import { shopText } from './text.ts'
import { Transitions } from './transitions.tsx'

type Decision = 'approve' | 'reject' | 'cancel'

/** Orders, newest first: what was charged or given back, what failed and why, and what waits for a decision. */
export function Orders() {
  const text = useText(shopText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenant, tenantQuery } = useScope()
  const [unfolded, setUnfolded] = useState<string | null>(null)
  const [deciding, setDeciding] = useState<{ readonly order: OrderView; readonly decision: Decision } | null>(null)
  const orders = useQuery({
    queryKey: ['orders', tenantQuery],
    queryFn: ({ signal }) => get('/orders', z.array(OrderView), { query: { tenant: tenantQuery, limit: 200 }, signal }),
    refetchInterval: 10_000,
  })
  const decisionsOf = ({ state }: OrderView): readonly Decision[] => {
    if (state === 'acknowledged' && isOperator) return ['approve', 'reject']
    return state === 'pending' ? ['cancel'] : []
  }
  const columns: readonly Column<OrderView>[] = [
    {
      key: 'id',
      title: text.orderId,
      lead: true,
      cell: (row) => (
        <UnfoldButton isOpen={unfolded === row.id} onToggle={() => setUnfolded(unfolded === row.id ? null : row.id)}>
          <Id id={row.id} short />
        </UnfoldButton>
      ),
    },
    { key: 'time', title: common.time, cell: (row) => format.dateTime(row.createdAtMs) },
    ...(isOperator && tenant === null
      ? ([{ key: 'tenant', title: common.tenant, cell: (row) => row.tenant }] satisfies Column<OrderView>[])
      : []),
    { key: 'offer', title: text.offer, cell: (row) => <span className="wrap">{row.offer}</span> },
    { key: 'cause', title: text.cause, cell: (row) => text.causes[row.cause] },
    { key: 'state', title: common.status, cell: (row) => <OrderBadge state={row.state} /> },
    { key: 'gross', title: text.paid, numeric: true, cell: (row) => format.money(row.grossPico) },
    { key: 'refund', title: text.refunded, numeric: true, cell: (row) => format.money(row.refundPico) },
    {
      key: 'decisions',
      title: '',
      cell: (row) => (
        <div className="row">
          {decisionsOf(row).map((decision) => (
            <Button key={decision} size="small" onClick={() => setDeciding({ order: row, decision })}>
              {text.decisions[decision]}
            </Button>
          ))}
        </div>
      ),
    },
  ]
  return (
    <Panel flush title={text.orders}>
      <QueryView query={orders} rows={5}>
        {(rows) => (
          <DataTable
            label={text.orders}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noOrders} />}
            detail={(row) =>
              unfolded === row.id || row.failure ? (
                <>
                  {row.failure && (
                    <p className="tone-bad wrap">
                      {row.failure.code} · {row.failure.detail}
                    </p>
                  )}
                  {unfolded === row.id && <Transitions transitions={row.transitions} />}
                </>
              ) : null
            }
          />
        )}
      </QueryView>
      {deciding && <DecisionDialog {...deciding} onClose={() => setDeciding(null)} />}
    </Panel>
  )
}

function DecisionDialog({
  order,
  decision,
  onClose,
}: {
  readonly order: OrderView
  readonly decision: Decision
  readonly onClose: () => void
}) {
  const text = useText(shopText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: () => post(`/orders/${encodeURIComponent(order.id)}/${decision}`, OrderView, { reason: reason.trim() }),
    onSuccess: async () => {
      onClose()
      await Promise.all(CHANGED_BY_ORDERS.map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  return (
    <FormDialog
      open
      title={`${text.decisions[decision]} · ${order.offer}`}
      action={text.decisions[decision]}
      danger={decision !== 'approve'}
      disabled={reason.trim() === ''}
      pending={decide.isPending}
      error={decide.error}
      onAct={() => decide.mutate()}
      onClose={onClose}
    >
      <ReasonField id="decision-reason" label={text.reason} value={reason} onChange={setReason} />
    </FormDialog>
  )
}
