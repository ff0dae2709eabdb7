import type { DrainView } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Panel } from '../../kit/layout.tsx'
import { words } from '../../kit/words.ts'
import { nocText } from './text.ts'

/** Who took suppliers out of service and back, when and why. */
export function DrainLog({ drains }: { readonly drains: readonly DrainView[] }) {
  const text = useText(nocText)
  const common = useText(words)
  const format = useFormat()
  const act = (at: number, by: string, reason: string) => (
    <>
      {format.dateTime(at)} · {by}
      <div className="cell-note">{reason}</div>
    </>
  )
  const columns: readonly Column<DrainView>[] = [
    { key: 'supplier', title: common.supplier, lead: true, cell: (row) => <code>{row.supplier}</code> },
    { key: 'from', title: text.from, cell: (row) => act(row.drainedAtMs, row.drainedBy, row.drainReason) },
    {
      key: 'to',
      title: text.to,
      cell: ({ undrainedAtMs, undrainedBy, undrainReason }) =>
        undrainedAtMs === null ? text.still : act(undrainedAtMs, undrainedBy ?? '–', undrainReason ?? '–'),
    },
  ]
  return (
    <Panel flush title={text.log}>
      <DataTable
        label={text.log}
        columns={columns}
        rows={drains}
        rowKey={(row) => `${row.supplier} ${row.drainedAtMs}`}
        empty={<EmptyState title={text.noLog} />}
      />
    </Panel>
  )
}
