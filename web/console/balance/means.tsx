import { useQuery } from '@tanstack/react-query'
import { MeansReply } from '#contract'
import type { CapView, ReservationView } from '#contract'
import { Amount, Share, Until } from '../../kit/amount.tsx'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { LotTable } from './lot-table.tsx'
import { balanceText } from './text.ts'

/** What a tenant may pay with, in the order in which it is used up, and what caps it. */
export function Means({ tenant }: { readonly tenant: string }) {
  const text = useText(balanceText)
  const { tenantQuery } = useScope()
  const means = useQuery({
    queryKey: ['means', tenant],
    queryFn: ({ signal }) => get('/means', MeansReply, { query: { tenant: tenantQuery }, signal }),
    refetchInterval: 5000,
  })
  return (
    <QueryView query={means} rows={6}>
      {({ lots, caps, reservations, sharesWith, sharesOf }) => (
        <>
          <Panel flush title={text.lots} aside={text.lotsLead}>
            <LotTable lots={lots} />
          </Panel>
          {caps.length > 0 && (
            <Panel flush title={text.caps} aside={text.capsLead}>
              <CapTable caps={caps} />
            </Panel>
          )}
          {reservations.length > 0 && (
            <Panel flush title={text.reservations} aside={text.reservationsLead}>
              <ReservationTable reservations={reservations} />
            </Panel>
          )}
          {sharesWith.length + sharesOf.length > 0 && (
            <Panel title={text.shares}>
              {sharesWith.length > 0 && <Names label={text.sharesWith} names={sharesWith} />}
              {sharesOf.length > 0 && <Names label={text.sharesOf} names={sharesOf} />}
            </Panel>
          )}
        </>
      )}
    </QueryView>
  )
}

function Names({ label, names }: { readonly label: string; readonly names: readonly string[] }) {
  return (
    <div className="row">
      <span className="muted">{label}</span>
      {names.map((name) => (
        <code key={name} className="wrap">
          {name}
        </code>
      ))}
    </div>
  )
}

function CapTable({ caps }: { readonly caps: readonly CapView[] }) {
  const text = useText(balanceText)
  const format = useFormat()
  const columns: readonly Column<CapView>[] = [
    {
      key: 'cap',
      title: text.cap,
      lead: true,
      cell: (row) => (
        <>
          {text.capScopes[row.scope]} <code className="wrap">{row.subject}</code>
        </>
      ),
    },
    { key: 'period', title: text.period, cell: (row) => text.periods[row.period] },
    { key: 'limit', title: text.limit, numeric: true, cell: (row) => format.money(row.amount) },
    { key: 'used', title: text.used, numeric: true, cell: (row) => format.money(row.used) },
    { key: 'held', title: text.held, numeric: true, cell: (row) => format.money(row.held) },
    {
      key: 'left',
      title: text.left,
      numeric: true,
      cell: (row) => {
        const left = BigInt(row.amount) - BigInt(row.used) - BigInt(row.held)
        return <b className={left <= 0n ? 'tone-bad' : undefined}>{format.money(left > 0n ? left : 0n)}</b>
      },
    },
    {
      key: 'share',
      title: text.usedShare,
      cell: (row) => <Share part={BigInt(row.used)} whole={BigInt(row.amount)} label={text.usedShare} />,
    },
    { key: 'reset', title: text.resets, cell: (row) => format.dateTime(row.toMs) },
  ]
  return <DataTable label={text.caps} columns={columns} rows={caps} rowKey={(row) => row.id} empty={null} />
}

function ReservationTable({ reservations }: { readonly reservations: readonly ReservationView[] }) {
  const text = useText(balanceText)
  const columns: readonly Column<ReservationView>[] = [
    {
      key: 'reservation',
      title: text.reservation,
      lead: true,
      cell: (row) => (
        <>
          <code className="wrap">{row.id.replace(/^throughput:/, '')}</code>
          <div className="cell-note wrap">{row.services.join(', ')}</div>
        </>
      ),
    },
    {
      key: 'rate',
      title: text.perMinute,
      numeric: true,
      cell: (row) => <Amount amount={row.amount} unit={row.unit} />,
    },
    { key: 'used', title: text.thisMinute, numeric: true, cell: (row) => <Amount amount={row.used} unit={row.unit} /> },
    {
      key: 'share',
      title: text.usedShare,
      cell: (row) => <Share part={BigInt(row.used)} whole={BigInt(row.amount)} label={text.usedShare} />,
    },
    { key: 'window', title: text.window, cell: (row) => (row.window ? clockSpan(row.window) : text.allDay) },
    {
      key: 'overflow',
      title: text.overflow,
      cell: (row) => <Badge tone="plain">{text.overflows[row.overflow]}</Badge>,
    },
    { key: 'until', title: text.expires, cell: (row) => <Until ms={row.validToMs} /> },
  ]
  return (
    <DataTable
      label={text.reservations}
      columns={columns}
      rows={reservations}
      rowKey={(row) => row.id}
      empty={<EmptyState title={text.noLots} />}
    />
  )
}

/** `22:00–06:00` of the day in China. */
function clockSpan({ fromMinute, toMinute }: { readonly fromMinute: number; readonly toMinute: number }): string {
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return `${clock(fromMinute)}–${clock(toMinute)} +08:00`
}
