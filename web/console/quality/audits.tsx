import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { AuditView, CaseView } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { DownloadButton } from '../../kit/download-button.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { Decide } from './decide.tsx'
import { qualityText, wordOf } from './text.ts'

/** A test flags at this power of ten. */
const FLAG = 3

export function Audits() {
  const text = useText(qualityText)
  const format = useFormat()
  const audits = useQuery({
    queryKey: ['quality', 'audits'],
    queryFn: ({ signal }) => get('/quality/audits', z.array(AuditView), { signal }),
    refetchInterval: 60_000,
  })
  const evidence = (log10: number) => (
    <span className={log10 >= FLAG ? 'tone-bad' : undefined}>{format.decimal(log10)}</span>
  )
  const columns: readonly Column<AuditView>[] = [
    { key: 'supplier', title: text.supplier, lead: true, cell: (row) => row.supplier },
    { key: 'model', title: text.model, cell: (row) => row.model },
    { key: 'side', title: text.direction, cell: (row) => text[row.side] },
    { key: 'seen', title: text.seen, numeric: true, cell: (row) => format.count(row.seen) },
    { key: 'claimed', title: text.claimed, numeric: true, cell: (row) => format.count(row.reportedTokens) },
    { key: 'counted', title: text.counted, numeric: true, cell: (row) => format.count(row.countedTokens) },
    { key: 'mean', title: text.mean, numeric: true, cell: (row) => evidence(row.meanLog10) },
    { key: 'excess', title: text.excess, numeric: true, cell: (row) => evidence(row.excessLog10) },
  ]
  return (
    <div className="stack">
      <Panel flush title={text.audits}>
        <QueryView query={audits} rows={4}>
          {(rows) => (
            <DataTable
              label={text.audits}
              columns={columns}
              rows={rows}
              rowKey={(row) => [row.supplier, row.model, row.side].join(' ')}
              empty={<EmptyState title={text.noAudit} />}
            />
          )}
        </QueryView>
      </Panel>
      <p className="cell-note wrap">{text.evidenceNote}</p>
      <Cases />
    </div>
  )
}

const NEXT: Readonly<Partial<Record<CaseView['state'], readonly string[]>>> = {
  flagged: ['disputed', 'dismissed'],
  disputed: ['upheld', 'dismissed'],
  upheld: ['closed'],
}

function Cases() {
  const text = useText(qualityText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const cases = useQuery({
    queryKey: ['quality', 'cases'],
    queryFn: ({ signal }) => get('/quality/cases', z.array(CaseView), { signal }),
  })
  const actsOf = ({ state }: CaseView): readonly string[] => {
    const next = NEXT[state] ?? []
    if (isOperator) return next
    return next.length > 0 ? ['answer'] : []
  }
  const columns: readonly Column<CaseView>[] = [
    { key: 'id', title: text.cases, lead: true, cell: ({ id }) => <Id id={id} short /> },
    { key: 'supplier', title: text.supplier, cell: (row) => row.supplier },
    { key: 'model', title: text.model, cell: (row) => `${row.model} · ${text[row.side]}` },
    { key: 'seen', title: text.seen, numeric: true, cell: (row) => format.count(row.number) },
    { key: 'opened', title: text.opened, cell: (row) => format.fullDateTime(row.openedAtMs) },
    {
      key: 'state',
      title: common.status,
      cell: ({ state }) => (
        <Badge tone={state === 'flagged' || state === 'disputed' || state === 'upheld' ? 'bad' : 'plain'}>
          {wordOf(text.states, state)}
        </Badge>
      ),
    },
    {
      key: 'evidence',
      title: '',
      cell: ({ id }) => <DownloadButton path={`/quality/cases/${id}/evidence`} query={{}} label={text.evidence} />,
    },
    { key: 'acts', title: '', cell: (row) => <Decide path={`/quality/cases/${row.id}`} acts={actsOf(row)} /> },
  ]
  return (
    <Panel flush title={text.cases}>
      <QueryView query={cases} rows={3}>
        {(rows) => (
          <DataTable
            label={text.cases}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            empty={<EmptyState title={text.noCase} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
