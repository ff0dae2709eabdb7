import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { SubscriptionView } from '#contract'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { useOffers } from './queries.ts'
import { shopText } from './text.ts'
import { Transitions } from './transitions.tsx'

/** Terms that were paid, who shares it, and how its state came about. */
export function SubscriptionDetail({ subscription }: { readonly subscription: SubscriptionView }) {
  const text = useText(shopText)
  const format = useFormat()
  const { id, next, terms, transitions, offer } = subscription
  const sold = useOffers().data?.find((one) => one.id === offer)?.offer
  const most = sold && 'maxMembers' in sold ? sold.maxMembers : 0
  return (
    <div className="stack">
      <div className="cell-note">
        <code className="wrap">{id}</code>
        {next && ` · ${text.next(next.offer)}`}
      </div>
      <DataTable
        label={text.termsPaid}
        rows={terms}
        rowKey={(row) => `${row.seq}`}
        empty={null}
        columns={[
          { key: 'seq', title: text.term, lead: true, cell: (row) => `${row.seq}. ${row.offer}` },
          { key: 'from', title: text.from, cell: (row) => format.fullDateTime(row.fromMs) },
          {
            key: 'to',
            title: text.to,
            cell: (row) => (row.toMs === null ? text.untilEnded : format.fullDateTime(row.toMs)),
          },
          { key: 'gross', title: text.paid, numeric: true, cell: (row) => format.money(row.grossPico) },
          { key: 'refunded', title: text.refunded, numeric: true, cell: (row) => format.money(row.refundedPico) },
        ]}
      />
      {(most > 0 || subscription.members.length > 0) && <Members subscription={subscription} most={most} />}
      <Transitions transitions={transitions} />
    </div>
  )
}

function Members({ subscription, most }: { readonly subscription: SubscriptionView; readonly most: number }) {
  const text = useText(shopText)
  const queries = useQueryClient()
  const [member, setMember] = useState('')
  const path = `/subscriptions/${encodeURIComponent(subscription.id)}/members`
  const put = useMutation({
    mutationFn: ({ tenant, isLeaving }: { readonly tenant: string; readonly isLeaving: boolean }) =>
      post(isLeaving ? `${path}/remove` : path, SubscriptionView, { tenant }),
    onSuccess: async () => {
      setMember('')
      await queries.invalidateQueries({ queryKey: ['subscriptions'] })
    },
  })
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="row">
        <b>{text.membersOf(subscription.members.length, most)}</b>
        {[...subscription.members, ...subscription.invited].map((tenant) => (
          <span key={tenant} className="row" style={{ gap: 4 }}>
            <code className="wrap">{tenant}</code>
            {subscription.invited.includes(tenant) && <span className="cell-note">{text.invited}</span>}
            <Button
              size="small"
              aria-label={`${text.remove} ${tenant}`}
              disabled={put.isPending}
              onClick={() => put.mutate({ tenant, isLeaving: true })}
            >
              {text.remove}
            </Button>
          </span>
        ))}
      </div>
      {subscription.members.length + subscription.invited.length < most && (
        <div className="row">
          <Input
            aria-label={text.newMember}
            placeholder={text.newMember}
            style={{ width: 200 }}
            maxLength={64}
            value={member}
            onChange={(event) => setMember(event.target.value)}
          />
          <Button
            loading={put.isPending}
            disabled={member.trim() === ''}
            onClick={() => put.mutate({ tenant: member.trim(), isLeaving: false })}
          >
            {text.add}
          </Button>
        </div>
      )}
      <p className="cell-note">{text.membersMore}</p>
      {put.isError && <ProblemNotice error={put.error} />}
    </div>
  )
}
