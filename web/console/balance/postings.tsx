import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { PostingView } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { EntriesTable } from '../../kit/entries-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { turnoverOf, walletChange } from './posting-amounts.ts'
import { balanceText } from './text.ts'

const PAGE_ROWS = 50

/** Postings, newest first; each unfolds into its entries. */
export function Postings() {
  const text = useText(balanceText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenant, tenantQuery } = useScope()
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set())
  const ledger = useInfiniteQuery({
    queryKey: ['ledger', tenant],
    queryFn: ({ pageParam, signal }) =>
      get('/ledger', z.array(PostingView), {
        query: { tenant: tenantQuery, limit: PAGE_ROWS, before: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < PAGE_ROWS ? null : (page.at(-1)?.id ?? null)),
    // Re-reading many pages every few seconds would cost more than it shows.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : 5000),
  })
  const toggle = (id: string) => {
    const next = new Set(unfolded)
    if (!next.delete(id)) next.add(id)
    setUnfolded(next)
  }
  const columns: readonly Column<PostingView>[] = [
    {
      key: 'fold',
      title: text.booked,
      lead: true,
      cell: (row) => (
        <button
          type="button"
          className="plain-button row"
          aria-expanded={unfolded.has(row.id)}
          aria-label={`${unfolded.has(row.id) ? text.hideEntries : text.showEntries} ${row.id}`}
          onClick={() => toggle(row.id)}
        >
          <span aria-hidden="true">{unfolded.has(row.id) ? '−' : '+'}</span>
          {format.dateTime(row.bookedAtMs)}
        </button>
      ),
    },
    {
      key: 'kind',
      title: text.kind,
      cell: (row) => <Badge tone={row.kind === 'topup' ? 'good' : 'plain'}>{text.kinds[row.kind] ?? row.kind}</Badge>,
    },
    { key: 'memo', title: text.memo, cell: (row) => <span className="wrap">{row.memo || '–'}</span> },
    { key: 'id', title: common.id, cell: (row) => <Id id={row.id} short /> },
    ...(isOperator
      ? ([
          {
            key: 'records',
            title: text.records,
            numeric: true,
            cell: (row) => (row.kind === 'topup' || row.records === 0 ? '–' : format.count(row.records)),
          },
        ] satisfies Column<PostingView>[])
      : []),
    tenant === null
      ? { key: 'amount', title: text.turnover, numeric: true, cell: (row) => format.fineMoney(turnoverOf(row.entries)) }
      : {
          key: 'amount',
          title: text.effect,
          numeric: true,
          cell: (row) => <Change pico={walletChange(row.entries, tenant)} />,
        },
  ]
  const rows = ledger.data?.pages.flat() ?? []
  return (
    <Panel flush title={text.ledger}>
      {ledger.isError && <ProblemNotice error={ledger.error} onRetry={() => void ledger.refetch()} />}
      {ledger.isPending && (
        <div className="loading" role="status" aria-label={common.loading}>
          <Skeleton active title={false} paragraph={{ rows: 6 }} />
        </div>
      )}
      {ledger.data && (
        <DataTable
          label={text.ledger}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id}
          onRowClick={(row) => toggle(row.id)}
          detail={(row) => (unfolded.has(row.id) ? <EntriesTable label={text.entries} entries={row.entries} /> : null)}
          empty={<EmptyState title={text.noPostings}>{text.noPostingsMore}</EmptyState>}
        />
      )}
      {ledger.hasNextPage && (
        <div className="table-more">
          <Button size="small" loading={ledger.isFetchingNextPage} onClick={() => void ledger.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
    </Panel>
  )
}

function Change({ pico }: { readonly pico: bigint }) {
  const format = useFormat()
  return (
    <span
      style={pico > 0n ? { color: 'var(--good)' } : undefined}
    >{`${pico > 0n ? '+' : ''}${format.fineMoney(pico)}`}</span>
  )
}
