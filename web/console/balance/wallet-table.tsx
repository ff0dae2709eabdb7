import type { TenantView } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, navigate, useRoute } from '../../kit/router.ts'
import { useTenants } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { balanceText } from './text.ts'

/** All wallets of the installation; choosing one narrows the page to it. */
export function WalletTable() {
  const text = useText(balanceText)
  const common = useText(words)
  const format = useFormat()
  const tenants = useTenants()
  const { search } = useRoute()
  const href = (tenant: string) => hrefTo('balance', null, search, { tenant })
  const columns: readonly Column<TenantView>[] = [
    { key: 'tenant', title: common.tenant, lead: true, cell: (row) => <a href={href(row.id)}>{row.displayName}</a> },
    { key: 'id', title: common.id, cell: (row) => <code>{row.id}</code> },
    {
      key: 'status',
      title: common.status,
      cell: (row) =>
        row.status === 'active' ? (
          <Badge tone="good">{text.active}</Badge>
        ) : (
          <Badge tone="bad">{text[row.status]}</Badge>
        ),
    },
    {
      key: 'available',
      title: text.available,
      numeric: true,
      cell: (row) => <b>{format.fineMoney(BigInt(row.postedPico) - BigInt(row.escrowedPico))}</b>,
    },
    { key: 'posted', title: text.posted, numeric: true, cell: (row) => format.fineMoney(row.postedPico) },
    { key: 'escrowed', title: text.escrowed, numeric: true, cell: (row) => format.fineMoney(row.escrowedPico) },
  ]
  return (
    <Panel flush title={text.wallets}>
      <QueryView query={tenants} rows={3}>
        {(rows) => (
          <DataTable
            label={text.wallets}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            onRowClick={(row) => navigate(href(row.id))}
            empty={<EmptyState title={text.noTenants}>{text.noTenantsMore}</EmptyState>}
          />
        )}
      </QueryView>
    </Panel>
  )
}
