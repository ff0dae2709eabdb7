import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { LineRequestView } from '#contract'
import type { LineView } from '#contract'
import { totalTokens } from '#kernel'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { words } from '../../kit/words.ts'
import { ExplainDrawer } from '../explain/explain-drawer.tsx'
import { financeText } from './text.ts'

const PAGE_ROWS = 50

/** The requests behind one line, a page at a time; each opens as what is known about it. */
export function LineRequests({
  document,
  line,
  onClose,
}: {
  readonly document: string
  readonly line: LineView
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const [request, setRequest] = useState<string | null>(null)
  const pages = useInfiniteQuery({
    queryKey: ['line', document, line.position],
    queryFn: ({ pageParam, signal }) =>
      get(`/invoices/${encodeURIComponent(document)}/lines/${line.position}/requests`, z.array(LineRequestView), {
        query: { limit: PAGE_ROWS, after: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < PAGE_ROWS ? null : (page.at(-1)?.cursor ?? null)),
  })
  const columns: readonly Column<LineRequestView>[] = [
    {
      key: 'id',
      title: common.id,
      lead: true,
      cell: (row) => (
        <button type="button" className="plain-button link" onClick={() => setRequest(row.id)}>
          <Id id={row.id} short />
        </button>
      ),
    },
    { key: 'time', title: common.time, cell: (row) => format.dateTime(row.completedAtMs) },
    {
      key: 'service',
      title: common.service,
      cell: (row) => (
        <>
          <span className="wrap">{row.service}</span>
          {row.tier !== 'standard' && <span className="cell-note"> · {common.tiers[row.tier]}</span>}
          {row.correction !== null && <div className="cell-note tone-money">{text.correctionOf(row.correction)}</div>}
        </>
      ),
    },
    { key: 'key', title: common.key, cell: (row) => <Id id={row.key} short /> },
    { key: 'tokens', title: text.tokens, numeric: true, cell: (row) => format.count(totalTokens(row.tokens)) },
    { key: 'sell', title: text.price, numeric: true, cell: (row) => format.fineMoney(row.sellPico) },
    { key: 'gift', title: text.gifts, numeric: true, cell: (row) => format.fineMoney(row.giftPico) },
    { key: 'billed', title: text.billed, numeric: true, cell: (row) => <b>{format.fineMoney(row.billedPico)}</b> },
    { key: 'credit', title: text.onCredit, numeric: true, cell: (row) => format.fineMoney(row.creditPico) },
  ]
  const rows = pages.data?.pages.flat() ?? []
  return (
    <Panel
      flush
      title={`${text.requestsOf} ${line.position}. ${line.description}`}
      aside={
        <Button size="small" onClick={onClose}>
          {common.close}
        </Button>
      }
    >
      {pages.isError && <ProblemNotice error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isPending && (
        <div className="loading" role="status" aria-label={common.loading}>
          <Skeleton active title={false} paragraph={{ rows: 5 }} />
        </div>
      )}
      {pages.data && (
        <DataTable
          label={text.requestsOf}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.cursor}
          onRowClick={(row) => setRequest(row.id)}
          selectedKey={rows.find(({ id }) => id === request)?.cursor ?? null}
          empty={<EmptyState title={text.noRequests} />}
        />
      )}
      {pages.hasNextPage && (
        <div className="table-more">
          <Button size="small" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
      <ExplainDrawer id={request} onClose={() => setRequest(null)} />
    </Panel>
  )
}
