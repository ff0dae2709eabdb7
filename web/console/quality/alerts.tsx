import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { AlertView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { words } from '../../kit/words.ts'
import { qualityText, wordOf } from './text.ts'

export function Alerts() {
  const text = useText(qualityText)
  const common = useText(words)
  const format = useFormat()
  const alerts = useQuery({
    queryKey: ['quality', 'alerts'],
    queryFn: ({ signal }) => get('/quality/alerts', z.array(AlertView), { signal }),
    refetchInterval: 30_000,
  })
  const columns: readonly Column<AlertView>[] = [
    { key: 'party', title: text.party, lead: true, cell: (row) => `${row.party} (${text[row.leg]})` },
    { key: 'service', title: text.service, cell: (row) => `${row.service} · ${row.tier}` },
    { key: 'measure', title: text.measure, cell: (row) => wordOf(text.measures, row.measure) },
    { key: 'rule', title: text.rule, cell: (row) => row.rule },
    { key: 'burn', title: text.burn, numeric: true, cell: (row) => `${format.decimal(row.burn)}×` },
    { key: 'opened', title: text.opened, cell: (row) => format.fullDateTime(row.openedAtMs) },
    {
      key: 'state',
      title: common.status,
      cell: ({ closedAtMs }) =>
        closedAtMs === null ? (
          <Badge tone="bad">{text.burning}</Badge>
        ) : (
          `${text.ended} ${format.fullDateTime(closedAtMs)}`
        ),
    },
  ]
  return (
    <Panel flush title={text.alerts}>
      <QueryView query={alerts} rows={4}>
        {(rows) => (
          <DataTable
            label={text.alerts}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            empty={<EmptyState title={text.noAlert} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
