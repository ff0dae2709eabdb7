import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Input, Select, Skeleton } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { DocumentView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { hrefTo, navigate, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { StateBadge, documentName } from './document-words.tsx'
import { PaymentDialog } from './payment-dialog.tsx'
import { RunDialog } from './run-dialog.tsx'
import { financeText } from './text.ts'

const PAGE_ROWS = 50
const STATES = ['new', 'validated', 'onHold', 'sent', 'partiallyPaid', 'settled'] as const
const KINDS = ['invoice', 'statement', 'credit_note'] as const

/** Invoices, statements and credit notes, newest first. */
export function Documents() {
  const text = useText(financeText)
  const common = useText(words)
  const { isOperator, tenantQuery } = useScope()
  const [state, setState] = useState<string | null>(null)
  const [kind, setKind] = useState<string | null>(null)
  const [period, setPeriod] = useState('')
  const [deed, setDeed] = useState<'run' | 'payment' | null>(null)
  const month = /^\d{4}-\d{2}$/.test(period) ? period : null
  const documents = useInfiniteQuery({
    queryKey: ['documents', tenantQuery, state, kind, month],
    queryFn: ({ pageParam, signal }) =>
      get('/invoices', z.array(DocumentView), {
        query: { tenant: tenantQuery, state, kind, period: month, limit: PAGE_ROWS, before: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < PAGE_ROWS ? null : (page.at(-1)?.id ?? null)),
  })
  const choice = (values: readonly string[], wordsOf: Readonly<Record<string, string>>, all: string) => [
    { value: '', label: all },
    ...values.map((value) => ({ value, label: wordsOf[value] ?? value })),
  ]
  return (
    <>
      <div className="filters" style={{ marginBottom: 14 }}>
        <Select
          aria-label={text.state}
          style={{ width: 140 }}
          value={state ?? ''}
          options={choice(STATES, text.states, text.anyState)}
          onChange={(value: string) => setState(value || null)}
        />
        <Select
          aria-label={text.kind}
          style={{ width: 140 }}
          value={kind ?? ''}
          options={choice(KINDS, text.kinds, text.anyKind)}
          onChange={(value: string) => setKind(value || null)}
        />
        <Input
          type="month"
          aria-label={text.period}
          style={{ width: 150 }}
          value={period}
          onChange={(event) => setPeriod(event.target.value)}
        />
        {isOperator && (
          <>
            <Button onClick={() => setDeed('payment')}>{text.recordPayment}</Button>
            <Button type="primary" onClick={() => setDeed('run')}>
              {text.startRun}
            </Button>
          </>
        )}
      </div>
      <Panel flush title={text.views.invoices}>
        {documents.isError && <ProblemNotice error={documents.error} onRetry={() => void documents.refetch()} />}
        {documents.isPending && (
          <div className="loading" role="status" aria-label={common.loading}>
            <Skeleton active title={false} paragraph={{ rows: 6 }} />
          </div>
        )}
        {documents.data && <DocumentTable rows={documents.data.pages.flat()} />}
        {documents.hasNextPage && (
          <div className="table-more">
            <Button size="small" loading={documents.isFetchingNextPage} onClick={() => void documents.fetchNextPage()}>
              {text.more}
            </Button>
          </div>
        )}
      </Panel>
      {isOperator && deed === 'run' && <RunDialog onClose={() => setDeed(null)} />}
      {isOperator && deed === 'payment' && <PaymentDialog document={null} onClose={() => setDeed(null)} />}
    </>
  )
}

function DocumentTable({ rows }: { readonly rows: readonly DocumentView[] }) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator, tenant } = useScope()
  const { search } = useRoute()
  const href = (row: DocumentView) => hrefTo('finance', row.id, search)
  const columns: readonly Column<DocumentView>[] = [
    {
      key: 'number',
      title: text.number,
      lead: true,
      cell: (row) => (
        <a href={href(row)} className="wrap">
          {documentName(row)}
        </a>
      ),
    },
    { key: 'kind', title: text.kind, cell: (row) => text.kinds[row.kind] },
    ...(isOperator && tenant === null
      ? ([{ key: 'tenant', title: common.tenant, cell: (row) => row.tenant }] satisfies Column<DocumentView>[])
      : []),
    { key: 'period', title: text.period, cell: (row) => row.period },
    { key: 'state', title: text.state, cell: (row) => <StateBadge document={row} /> },
    { key: 'net', title: text.net, numeric: true, cell: (row) => format.yuan(row.net) },
    { key: 'tax', title: text.tax, numeric: true, cell: (row) => format.yuan(row.tax) },
    { key: 'gross', title: text.gross, numeric: true, cell: (row) => <b>{format.yuan(row.gross)}</b> },
    { key: 'due', title: text.due, numeric: true, cell: (row) => format.yuan(row.due) },
    { key: 'covered', title: text.covered, numeric: true, cell: (row) => format.yuan(row.covered) },
    {
      key: 'dueAt',
      title: text.dueAt,
      cell: (row) => (row.dueAtMs === null ? '–' : format.date(row.dueAtMs)),
    },
  ]
  return (
    <DataTable
      label={text.views.invoices}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.id}
      onRowClick={(row) => navigate(href(row))}
      empty={
        <EmptyState title={text.noDocuments}>
          {isOperator ? text.noDocumentsOperator : text.noDocumentsTenant}
        </EmptyState>
      }
    />
  )
}
