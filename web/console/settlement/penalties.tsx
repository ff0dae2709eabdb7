import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { PenaltyView } from '#contract'
import { get, post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { FormDialog } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { useScope } from '../../kit/scope.tsx'
import { settlementText } from './text.ts'

type Decision = 'approve' | 'waive' | 'contest'
interface Deciding {
  readonly id: string
  readonly decision: Decision
}

const MAY: Readonly<Record<PenaltyView['state'], readonly Decision[]>> = {
  proposed: ['approve', 'waive', 'contest'],
  contested: ['approve', 'waive'],
  approved: ['waive', 'contest'],
  waived: [],
  applied: [],
}

/** Penalties with their reasons; operators approve and waive, a supplier's people contest. */
export function Penalties() {
  const text = useText(settlementText)
  const format = useFormat()
  const { isOperator } = useScope()
  const [deciding, setDeciding] = useState<Deciding | null>(null)
  const penalties = useQuery({
    queryKey: ['settlement', 'penalties'],
    queryFn: ({ signal }) => get('/settlement/penalties', z.array(PenaltyView), { signal }),
  })
  const open = (row: PenaltyView) => MAY[row.state].filter((decision) => isOperator !== (decision === 'contest'))
  return (
    <Panel flush title={text.views.penalties}>
      <QueryView query={penalties} rows={4}>
        {(rows) => (
          <DataTable
            label={text.views.penalties}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noPenalties} />}
            columns={[
              { key: 'id', title: text.penalty, lead: true, cell: (row) => <b className="wrap">{row.id}</b> },
              { key: 'supplier', title: text.supplier, cell: (row) => row.supplier },
              { key: 'period', title: text.period, cell: (row) => row.period },
              { key: 'kind', title: text.kind, cell: (row) => text.kinds[row.kind] },
              { key: 'amount', title: text.amount, numeric: true, cell: (row) => <b>{format.yuan(row.amount)}</b> },
              { key: 'state', title: text.state, cell: (row) => <PenaltyBadge state={row.state} /> },
              { key: 'reason', title: text.reason, cell: (row) => <span className="wrap">{row.reason}</span> },
              {
                key: 'proposed',
                title: text.proposedBy,
                cell: (row) => <span className="wrap">{row.proposedBy}</span>,
              },
              {
                key: 'act',
                title: '',
                cell: (row) => (
                  <div className="row">
                    {open(row).map((decision) => (
                      <Button key={decision} size="small" onClick={() => setDeciding({ id: row.id, decision })}>
                        {text.penaltyDecisions[decision]}
                      </Button>
                    ))}
                  </div>
                ),
              },
            ]}
          />
        )}
      </QueryView>
      {deciding && <PenaltyDialog {...deciding} onClose={() => setDeciding(null)} />}
    </Panel>
  )
}

function PenaltyBadge({ state }: { readonly state: PenaltyView['state'] }) {
  const text = useText(settlementText)
  const tone = state === 'contested' ? 'bad' : state === 'proposed' ? 'warn' : 'plain'
  return <Badge tone={tone}>{text.penaltyStates[state]}</Badge>
}

function PenaltyDialog({ id, decision, onClose }: Deciding & { readonly onClose: () => void }) {
  const text = useText(settlementText)
  const queries = useQueryClient()
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: () =>
      post(`/settlement/penalties/${encodeURIComponent(id)}/decide`, PenaltyView, { decision, reason: reason.trim() }),
    onSuccess: async () => {
      onClose()
      await queries.invalidateQueries({ queryKey: ['settlement'] })
    },
  })
  return (
    <FormDialog
      open
      title={`${text.penaltyDecisions[decision]}: ${id}`}
      action={text.penaltyDecisions[decision]}
      disabled={reason.trim() === ''}
      pending={decide.isPending}
      error={decide.error}
      onAct={() => decide.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.decisionLead(id)}</p>
      <ReasonField id="penalty-reason" label={text.reason} value={reason} onChange={setReason} maxLength={200} />
    </FormDialog>
  )
}
