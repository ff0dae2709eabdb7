import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { AcceptanceView } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { DownloadButton } from '../../kit/download-button.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { words } from '../../kit/words.ts'
import { qualityText } from './text.ts'

/** Reports of acceptance runs. They are run from the command line, where one watches them. */
export function Acceptances() {
  const text = useText(qualityText)
  const common = useText(words)
  const format = useFormat()
  const reports = useQuery({
    queryKey: ['quality', 'acceptances'],
    queryFn: ({ signal }) => get('/quality/acceptances', z.array(AcceptanceView), { signal }),
  })
  const columns: readonly Column<AcceptanceView>[] = [
    { key: 'id', title: text.report, lead: true, cell: ({ id }) => <Id id={id} short /> },
    { key: 'order', title: text.order, cell: ({ callOff }) => <Id id={callOff} short /> },
    { key: 'supplier', title: text.supplier, cell: (row) => row.supplier },
    { key: 'model', title: text.model, cell: (row) => row.model },
    { key: 'ended', title: text.ended, cell: (row) => format.fullDateTime(row.endedAtMs) },
    {
      key: 'result',
      title: common.status,
      cell: ({ passed }) => <Badge tone={passed ? 'good' : 'bad'}>{passed ? text.passed : text.failed}</Badge>,
    },
    {
      key: 'files',
      title: '',
      cell: ({ id }) => (
        <div className="row">
          <DownloadButton path={`/quality/acceptances/${id}/html`} query={{}} label={text.page} />
          <DownloadButton path={`/quality/acceptances/${id}`} query={{}} label={text.signedJson} />
        </div>
      ),
    },
  ]
  return (
    <Panel flush title={text.acceptances}>
      <QueryView query={reports} rows={4}>
        {(rows) => (
          <DataTable
            label={text.acceptances}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            empty={<EmptyState title={text.noAcceptance} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
