import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { IndicatorView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { qualityText } from './text.ts'

/** What was seen in the last day, from both sides of every request. */
export function Levels() {
  const text = useText(qualityText)
  const format = useFormat()
  const levels = useQuery({
    queryKey: ['quality', 'indicators'],
    queryFn: ({ signal }) => get('/quality/indicators', z.array(IndicatorView), { signal }),
    refetchInterval: 60_000,
  })
  const share = (good: number, valid: number) =>
    valid === 0 ? '–' : format.ppm(Math.floor((good * 1_000_000) / valid))
  const columns: readonly Column<IndicatorView>[] = [
    { key: 'party', title: text.party, lead: true, cell: (row) => row.party },
    { key: 'leg', title: text.side, cell: (row) => text[row.leg] },
    { key: 'service', title: text.service, cell: (row) => row.service },
    { key: 'tier', title: text.tier, cell: (row) => row.tier },
    { key: 'requests', title: text.requests, numeric: true, cell: (row) => format.count(row.requests - row.excused) },
    {
      key: 'available',
      title: text.available,
      numeric: true,
      cell: (row) => share(row.requests - row.failed, row.requests - row.excused),
    },
    { key: 'ttft', title: text.ttft, numeric: true, cell: (row) => share(row.ttftGood, row.ttftValid) },
    { key: 'tpot', title: text.tpot, numeric: true, cell: (row) => share(row.tpotGood, row.tpotValid) },
    { key: 'excused', title: text.excused, numeric: true, cell: (row) => format.count(row.excused) },
    { key: 'excluded', title: text.excluded, numeric: true, cell: (row) => format.count(row.excluded) },
  ]
  return (
    <Panel flush title={text.lastDay}>
      <QueryView query={levels} rows={5}>
        {(rows) => (
          <DataTable
            label={text.levels}
            columns={columns}
            rows={rows}
            rowKey={(row) => [row.leg, row.party, row.service, row.tier].join(' ')}
            empty={<EmptyState title={text.noRequests} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
