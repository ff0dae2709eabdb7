import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { DocumentReply } from '#contract'
import type { LineView, PartyView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { DownloadButton } from '../../kit/download-button.tsx'
import { useFormat, useLanguage, useText } from '../../kit/language.tsx'
import { EmptyState, Facts, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { DocumentActions } from './document-actions.tsx'
import { StateBadge, documentName } from './document-words.tsx'
import { Fapiaos } from './fapiaos.tsx'
import { LineRequests } from './line-requests.tsx'
import { financeText } from './text.ts'

/** One document: what it says, what covers it, and for every line the requests behind it. */
export function Document({ id }: { readonly id: string }) {
  const document = useQuery({
    queryKey: ['document', id],
    queryFn: ({ signal }) => get(`/invoices/${encodeURIComponent(id)}`, DocumentReply, { signal }),
  })
  return (
    <QueryView query={document} rows={8}>
      {(reply) => <Sheet document={reply} />}
    </QueryView>
  )
}

function Sheet({ document }: { readonly document: DocumentReply }) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { language } = useLanguage()
  const { isOperator } = useScope()
  const { search } = useRoute()
  const [line, setLine] = useState<LineView | null>(null)
  const files = `/invoices/${encodeURIComponent(document.id)}`
  const lang = language === 'zh' ? 'zh-CN' : 'en'
  return (
    <>
      <div className="row" style={{ marginBottom: 10, justifyContent: 'space-between' }}>
        <div className="row">
          <b className="wrap">
            {text.kinds[document.kind]} {documentName(document)}
          </b>
          <StateBadge document={document} />
        </div>
        {isOperator && <DocumentActions document={document} />}
      </div>
      <Panel
        title={text.summary}
        aside={
          document.number !== null && (
            <>
              <DownloadButton path={`${files}/pdf`} query={{ lang: 'zh-CN' }} label="PDF 中文" />
              <DownloadButton path={`${files}/pdf`} query={{ lang: 'en' }} label="PDF English" />
              <DownloadButton path={`${files}/csv`} query={{ lang }} label="CSV" />
              <DownloadButton path={`${files}/xlsx`} query={{ lang }} label="XLSX" />
            </>
          )
        }
      >
        <Facts
          facts={[
            [common.tenant, document.tenant],
            [text.period, document.period],
            [text.net, format.yuan(document.net)],
            [text.tax, format.yuan(document.tax)],
            [
              text.gross,
              <b key="gross" className="tone-money">
                {format.yuan(document.gross)}
              </b>,
            ],
            [text.due, format.yuan(document.due)],
            [text.covered, format.yuan(document.covered)],
            [text.issuedAt, document.issuedAtMs === null ? text.notIssued : format.fullDateTime(document.issuedAtMs)],
            [text.dueAt, document.dueAtMs === null ? '–' : format.date(document.dueAtMs)],
            ...(document.corrects === null
              ? []
              : ([
                  [
                    text.corrects,
                    <a key="corrects" className="wrap" href={hrefTo('finance', document.corrects, search)}>
                      {document.corrects}
                    </a>,
                  ],
                  [text.reason, document.reason ?? '–'],
                ] as const)),
            [text.seller, <Party key="seller" party={document.seller} />],
            [text.buyer, <Party key="buyer" party={document.buyer} />],
          ]}
        />
      </Panel>
      <Panel flush title={text.lines} aside={text.linesLead}>
        <LineTable lines={document.lines} selected={line} onSelect={setLine} />
      </Panel>
      {line && <LineRequests key={line.position} document={document.id} line={line} onClose={() => setLine(null)} />}
      {document.allocations.length > 0 && (
        <Panel flush title={text.allocations}>
          <DataTable
            label={text.allocations}
            rows={document.allocations}
            rowKey={(row) => `${row.source}-${row.atMs}`}
            empty={null}
            columns={[
              {
                key: 'source',
                title: text.source,
                lead: true,
                cell: (row) => <code className="wrap">{row.source}</code>,
              },
              { key: 'at', title: common.time, cell: (row) => format.fullDateTime(row.atMs) },
              { key: 'amount', title: text.amount, numeric: true, cell: (row) => format.yuan(row.amount) },
            ]}
          />
        </Panel>
      )}
      {document.kind !== 'statement' && <Fapiaos document={document} />}
      {document.events && document.events.length > 0 && (
        <Panel flush title={text.events}>
          <DataTable
            label={text.events}
            rows={document.events}
            rowKey={(row) => `${row.atMs}-${row.what}`}
            empty={null}
            columns={[
              { key: 'what', title: text.what, lead: true, cell: (row) => row.what },
              { key: 'at', title: common.time, cell: (row) => format.fullDateTime(row.atMs) },
              { key: 'by', title: text.by, cell: (row) => <span className="wrap">{row.by}</span> },
              { key: 'note', title: text.note, cell: (row) => <span className="wrap">{row.note ?? ''}</span> },
            ]}
          />
        </Panel>
      )}
    </>
  )
}

function Party({ party }: { readonly party: PartyView }) {
  return (
    <>
      {party.name || '–'}
      {party.uscc !== null && <div className="cell-note">{party.uscc}</div>}
    </>
  )
}

function LineTable({
  lines,
  selected,
  onSelect,
}: {
  readonly lines: readonly LineView[]
  readonly selected: LineView | null
  readonly onSelect: (line: LineView) => void
}) {
  const text = useText(financeText)
  const format = useFormat()
  const columns: readonly Column<LineView>[] = [
    {
      key: 'description',
      title: text.description,
      lead: true,
      cell: (row) => (
        <>
          {row.position}. <span className="wrap">{row.description}</span>
          <div className="cell-note wrap">{[row.period, row.sheet].filter(Boolean).join(' · ')}</div>
        </>
      ),
    },
    {
      key: 'requests',
      title: text.requests,
      numeric: true,
      cell: (row) =>
        row.service === null || row.requests === 0 ? (
          '–'
        ) : (
          <button type="button" className="plain-button link" onClick={() => onSelect(row)}>
            {text.showRequests(format.count(row.requests))}
          </button>
        ),
    },
    { key: 'tokens', title: text.tokens, numeric: true, cell: (row) => format.count(BigInt(row.tokens)) },
    { key: 'taxPercent', title: text.taxPercent, numeric: true, cell: (row) => `${row.taxPercent} %` },
    { key: 'exact', title: text.exact, numeric: true, cell: (row) => format.money(row.grossPico) },
    { key: 'net', title: text.net, numeric: true, cell: (row) => format.yuan(row.net) },
    { key: 'tax', title: text.tax, numeric: true, cell: (row) => format.yuan(row.tax) },
    { key: 'gross', title: text.gross, numeric: true, cell: (row) => <b>{format.yuan(row.gross)}</b> },
    { key: 'due', title: text.due, numeric: true, cell: (row) => format.yuan(row.due) },
  ]
  return (
    <DataTable
      label={text.lines}
      columns={columns}
      rows={lines}
      rowKey={(row) => `${row.position}`}
      selectedKey={selected === null ? null : `${selected.position}`}
      onRowClick={(row) => row.service !== null && row.requests > 0 && onSelect(row)}
      empty={<EmptyState title={text.noLines} />}
    />
  )
}
