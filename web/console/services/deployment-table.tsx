import type { ServiceView } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useText } from '../../kit/language.tsx'
import { words } from '../../kit/words.ts'
import { servicesText } from './text.ts'

type Row = ServiceView['deployments'][number] & { readonly service: string }

export function DeploymentTable({ services }: { readonly services: readonly ServiceView[] }) {
  const text = useText(servicesText)
  const common = useText(words)
  const rows = services.flatMap((service) =>
    service.deployments
      .toSorted((a, b) => a.priority - b.priority)
      .map((deployment): Row => ({ ...deployment, service: service.id })),
  )
  const columns: readonly Column<Row>[] = [
    { key: 'service', title: common.service, lead: true, cell: (row) => <code>{row.service}</code> },
    { key: 'priority', title: text.priority, numeric: true, cell: (row) => row.priority },
    { key: 'supplier', title: common.supplier, cell: (row) => row.supplier },
    { key: 'model', title: text.model, cell: (row) => <code className="wrap">{row.model}</code> },
  ]
  return (
    <DataTable
      label={text.deployments}
      columns={columns}
      rows={rows}
      rowKey={(row) => `${row.service} ${row.supplier} ${row.model}`}
      empty={null}
    />
  )
}
