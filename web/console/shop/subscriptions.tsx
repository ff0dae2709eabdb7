import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Switch } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { MeansReply, SubscriptionView } from '#contract'
import type { LotView } from '#contract'
import { Amount } from '../../kit/amount.tsx'
import { get, post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { describeProblem, problemText } from '../../kit/problem-text.ts'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { UnfoldButton } from '../../kit/unfold-button.tsx'
import { words } from '../../kit/words.ts'
import { CancelDialog } from './cancel-dialog.tsx'
import { ChangeDialog } from './change-dialog.tsx'
import { Entitlements } from './entitlements.tsx'
import { Invitations } from './invitations.tsx'
import { SubscriptionBadge } from './order-badge.tsx'
import { useOffers } from './queries.ts'
import { SubscriptionDetail } from './subscription-detail.tsx'
import { shopText } from './text.ts'

/** What was bought: its state, what is left of it, until when, and what can be done about it. */
export function Subscriptions() {
  const text = useText(shopText)
  const { tenant, tenantQuery } = useScope()
  const subscriptions = useQuery({
    queryKey: ['subscriptions', tenantQuery],
    queryFn: ({ signal }) =>
      get('/subscriptions', z.array(SubscriptionView), { query: { tenant: tenantQuery, limit: 200 }, signal }),
    refetchInterval: 10_000,
  })
  const means = useQuery({
    queryKey: ['means', tenant],
    queryFn: ({ signal }) => get('/means', MeansReply, { query: { tenant: tenantQuery }, signal }),
    enabled: tenant !== null,
  })
  return (
    <>
      <Invitations />
      <Panel flush title={text.subscriptions}>
        <QueryView query={subscriptions} rows={5}>
          {(rows) => <SubscriptionTable rows={rows} lots={means.data?.lots ?? null} />}
        </QueryView>
      </Panel>
    </>
  )
}

/** The lots that a subscription brought bear its orders' names. */
function lotsOf({ terms }: SubscriptionView, lots: readonly LotView[]): readonly LotView[] {
  return lots.filter(({ reference }) => terms.some(({ order }) => reference.startsWith(`grant:${order}/`)))
}

function SubscriptionTable({
  rows,
  lots,
}: {
  readonly rows: readonly SubscriptionView[]
  readonly lots: readonly LotView[] | null
}) {
  const text = useText(shopText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenant } = useScope()
  const [unfolded, setUnfolded] = useState<string | null>(null)
  const [deed, setDeed] = useState<{ readonly kind: 'cancel' | 'change'; readonly of: SubscriptionView } | null>(null)
  const offers = useOffers().data ?? []
  // Of a package another one is bought, and postpaid has nothing to choose.
  const mayChange = ({ offer }: SubscriptionView) =>
    !['package', 'postpaid'].includes(offers.find(({ id }) => id === offer)?.kind ?? 'package')
  const isLive = ({ state }: SubscriptionView) => state === 'active' || state === 'suspended'
  const columns: readonly Column<SubscriptionView>[] = [
    {
      key: 'offer',
      title: text.offer,
      lead: true,
      cell: (row) => (
        <UnfoldButton isOpen={unfolded === row.id} onToggle={() => setUnfolded(unfolded === row.id ? null : row.id)}>
          <span className="wrap">{row.offer}</span>
        </UnfoldButton>
      ),
    },
    ...(isOperator && tenant === null
      ? ([{ key: 'tenant', title: common.tenant, cell: (row) => row.tenant }] satisfies Column<SubscriptionView>[])
      : []),
    { key: 'state', title: common.status, cell: (row) => <SubscriptionBadge state={row.state} /> },
    {
      key: 'left',
      title: text.left,
      numeric: true,
      cell: (row) => {
        const own =
          lots === null ? [] : lotsOf(row, lots).filter(({ state }) => state === 'active' || state === 'pending')
        if (own.length === 0) return <Entitlements entitlements={row.entitlements} />
        return own.map((lot) => (
          <div key={lot.id}>
            <Amount amount={lot.remaining} unit={lot.unit} />
          </div>
        ))
      },
    },
    { key: 'from', title: text.from, cell: (row) => format.fullDateTime(row.startsAtMs) },
    {
      key: 'to',
      title: text.to,
      cell: (row) => (row.endsAtMs === null ? text.untilEnded : format.fullDateTime(row.endsAtMs)),
    },
    { key: 'renew', title: text.autoRenew, cell: (row) => <AutoRenew subscription={row} disabled={!isLive(row)} /> },
    {
      key: 'deeds',
      title: '',
      cell: (row) =>
        isLive(row) ? (
          <div className="row">
            {row.state === 'active' && mayChange(row) && (
              <Button size="small" onClick={() => setDeed({ kind: 'change', of: row })}>
                {text.change}
              </Button>
            )}
            <Button size="small" danger onClick={() => setDeed({ kind: 'cancel', of: row })}>
              {text.end}
            </Button>
          </div>
        ) : null,
    },
  ]
  return (
    <>
      <DataTable
        label={text.subscriptions}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        detail={(row) => (unfolded === row.id ? <SubscriptionDetail subscription={row} /> : null)}
        empty={<EmptyState title={text.noSubscriptions}>{text.noSubscriptionsMore}</EmptyState>}
      />
      {deed?.kind === 'cancel' && <CancelDialog subscription={deed.of} onClose={() => setDeed(null)} />}
      {deed?.kind === 'change' && <ChangeDialog subscription={deed.of} onClose={() => setDeed(null)} />}
    </>
  )
}

function AutoRenew({
  subscription,
  disabled,
}: {
  readonly subscription: SubscriptionView
  readonly disabled: boolean
}) {
  const text = useText(shopText)
  const problems = useText(problemText)
  const { message } = App.useApp()
  const queries = useQueryClient()
  const set = useMutation({
    mutationFn: (autoRenew: boolean) =>
      post(`/subscriptions/${encodeURIComponent(subscription.id)}/renewal`, SubscriptionView, { autoRenew }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['subscriptions'] }),
    onError: (error) => {
      const { message: says, detail } = describeProblem(error, problems)
      void message.error(`${says} ${detail}`)
    },
  })
  return (
    <Switch
      size="small"
      aria-label={`${text.autoRenew} ${subscription.offer}`}
      checked={subscription.autoRenew}
      disabled={disabled}
      loading={set.isPending}
      onChange={(wanted) => set.mutate(wanted)}
    />
  )
}
