import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { DiscrepancyView, SettledRequestView } from '#contract'
import type { DiscrepancyClass, StatementReply } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { DecideDialog } from './decide-dialog.tsx'
import { DiscrepancyBadge } from './parts.tsx'
import { settlementText } from './text.ts'

const PAGE_ROWS = 50

/** Each difference with both sides; a row unfolds to our requests behind it. */
export function Discrepancies({
  statement,
  kind,
}: {
  readonly statement: StatementReply
  readonly kind: DiscrepancyClass | null
}) {
  const text = useText(settlementText)
  const path = `/settlement/statements/${encodeURIComponent(statement.id)}/discrepancies`
  const found = useInfiniteQuery({
    queryKey: ['settlement', 'discrepancies', statement.id, kind],
    queryFn: ({ pageParam, signal }) =>
      get(path, z.array(DiscrepancyView), { query: { class: kind, after: pageParam, limit: PAGE_ROWS }, signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.length < PAGE_ROWS ? null : (page.at(-1)?.number ?? null)),
  })
  return (
    <Panel flush title={kind === null ? text.discrepancies : text.classes[kind]}>
      {found.isError && <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <Table statement={statement.id} rows={found.data.pages.flat()} />}
      {found.hasNextPage && (
        <div className="table-more">
          <Button size="small" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
    </Panel>
  )
}

const DECIDABLE: ReadonlySet<string> = new Set(['open', 'assigned', 'disputed'])

function Table({ statement, rows }: { readonly statement: string; readonly rows: readonly DiscrepancyView[] }) {
  const text = useText(settlementText)
  const format = useFormat()
  const { isOperator } = useScope()
  const [open, setOpen] = useState<number | null>(null)
  const [deciding, setDeciding] = useState<number | null>(null)
  return (
    <>
      <DataTable
        label={text.discrepancies}
        rows={rows}
        rowKey={(row) => `${row.number}`}
        empty={<EmptyState title={text.noDiscrepancies} />}
        detail={(row) => (row.number === open ? <Requests statement={statement} number={row.number} /> : null)}
        columns={[
          { key: 'number', title: text.number, numeric: true, cell: (row) => row.number },
          { key: 'class', title: text.class, lead: true, cell: (row) => text.classes[row.class] },
          { key: 'state', title: text.state, cell: (row) => <DiscrepancyBadge state={row.state} /> },
          { key: 'line', title: text.line, numeric: true, cell: (row) => row.line ?? '–' },
          {
            key: 'request',
            title: text.request,
            cell: (row) => <code className="wrap">{row.request ?? row.day ?? '–'}</code>,
          },
          { key: 'theirs', title: text.theirs, cell: (row) => <Side side={row.theirs} /> },
          { key: 'ours', title: text.oursSide, cell: (row) => <Side side={row.ours} /> },
          { key: 'impact', title: text.impact, numeric: true, cell: (row) => format.money(row.impactPico) },
          {
            key: 'act',
            title: '',
            cell: (row) => (
              <div className="row">
                <Button
                  size="small"
                  aria-expanded={row.number === open}
                  onClick={() => setOpen(row.number === open ? null : row.number)}
                >
                  {text.drill}
                </Button>
                {isOperator && DECIDABLE.has(row.state) && (
                  <Button size="small" onClick={() => setDeciding(row.number)}>
                    {text.decide}
                  </Button>
                )}
              </div>
            ),
          },
        ]}
      />
      {deciding !== null && (
        <DecideDialog statement={statement} about={{ numbers: [deciding] }} onClose={() => setDeciding(null)} />
      )}
    </>
  )
}

function Side({ side }: { readonly side: DiscrepancyView['ours'] }) {
  const text = useText(settlementText)
  const format = useFormat()
  if (side === null) return <span className="muted">{text.none}</span>
  return (
    <>
      <span className="wrap">{side.model}</span>
      <div className="cell-note">{text.tokens(format.count(side.input), format.count(side.output))}</div>
      <div className="cell-note">{format.money(side.netPico)}</div>
    </>
  )
}

function Requests({ statement, number }: { readonly statement: string; readonly number: number }) {
  const text = useText(settlementText)
  const format = useFormat()
  const requests = useQuery({
    queryKey: ['settlement', 'requests', statement, number],
    queryFn: ({ signal }) =>
      get(`/settlement/statements/${encodeURIComponent(statement)}/requests`, z.array(SettledRequestView), {
        query: { number, limit: 100 },
        signal,
      }),
  })
  return (
    <QueryView query={requests} rows={2}>
      {(rows) => (
        <DataTable
          label={text.drill}
          rows={rows}
          rowKey={(row) => row.request}
          empty={<EmptyState title={text.noRequests} />}
          columns={[
            {
              key: 'request',
              title: text.drill,
              lead: true,
              cell: (row) => <code className="wrap">{row.request}</code>,
            },
            { key: 'ended', title: text.ended, cell: (row) => format.fullDateTime(row.completedAtMs) },
            { key: 'service', title: text.service, cell: (row) => row.service },
            { key: 'model', title: text.model, cell: (row) => row.model },
            { key: 'input', title: text.input, numeric: true, cell: (row) => format.count(row.input) },
            { key: 'output', title: text.output, numeric: true, cell: (row) => format.count(row.output) },
            { key: 'cost', title: text.cost, numeric: true, cell: (row) => format.money(row.amountPico) },
          ]}
        />
      )}
    </QueryView>
  )
}
