import type { LaneView } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { words } from '../../kit/words.ts'
import { nocText } from './text.ts'

/** From here on the error budget is used up before its time (Site Reliability Workbook, ch. 5: 14.4 pages in both windows). */
const BURNS = 1

export function LaneTable({ lanes }: { readonly lanes: readonly LaneView[] }) {
  const text = useText(nocText)
  const common = useText(words)
  const format = useFormat()
  const ppm = (value: number | null) => (value === null ? '–' : format.ppm(value))
  const burn = (value: number | null) => (value === null ? '–' : format.decimal(value))
  const columns: readonly Column<LaneView>[] = [
    {
      key: 'service',
      title: common.service,
      lead: true,
      cell: (row) => (
        <>
          {row.service} <span className="muted">{common.tiers[row.tier]}</span>
        </>
      ),
    },
    {
      key: 'demand',
      title: text.demand,
      numeric: true,
      cell: (row) => format.decimal(row.demandPerMinute),
    },
    {
      key: 'shed',
      title: text.shed,
      numeric: true,
      cell: (row) => (
        <span className={row.shedPerMinute > 0 ? 'tone-bad' : undefined}>{format.decimal(row.shedPerMinute)}</span>
      ),
    },
    { key: 'out', title: text.tokensOut, numeric: true, cell: (row) => format.compact(row.outputTokensPerMinute) },
    { key: 'running', title: text.running, numeric: true, cell: (row) => format.count(row.running) },
    { key: 'waiting', title: text.waiting, numeric: true, cell: (row) => format.count(row.waiting) },
    {
      key: 'wait',
      title: text.expectedWait,
      numeric: true,
      cell: (row) => (row.expectedWaitMs === null || row.waiting === 0 ? '–' : format.duration(row.expectedWaitMs)),
    },
    { key: 'target', title: text.target, numeric: true, cell: (row) => ppm(row.targetPpm) },
    { key: 'five', title: text.fiveMinutes, numeric: true, cell: (row) => ppm(row.attainmentPpm.fiveMinutes) },
    { key: 'hour', title: text.hour, numeric: true, cell: (row) => ppm(row.attainmentPpm.hour) },
    {
      key: 'burn',
      title: text.burn,
      numeric: true,
      cell: ({ burnRate }) => (
        <span className={(burnRate.fiveMinutes ?? 0) > BURNS ? 'tone-bad' : undefined}>
          {burn(burnRate.fiveMinutes)} / {burn(burnRate.hour)}
        </span>
      ),
    },
  ]
  return (
    <Panel flush title={text.lanes} aside={<span className="muted">{text.perMinute}</span>}>
      <DataTable
        label={text.lanes}
        columns={columns}
        rows={lanes}
        rowKey={(row) => `${row.service} ${row.tier}`}
        empty={<EmptyState title={text.noLanes} />}
      />
      {lanes.some(({ targetPpm }) => targetPpm !== null) && <p className="cell-note table-note">{text.burnNote}</p>}
    </Panel>
  )
}
