import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import * as z from 'zod'
import { AgreementView, CallOffView } from '#contract'
import { get } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { UnfoldButton } from '../../kit/unfold-button.tsx'
import { words } from '../../kit/words.ts'
import { ActButtons } from './act-dialog.tsx'
import type { Act, Deed } from './act-dialog.tsx'
import { History, StateBadge } from './parts.tsx'
import { procurementText } from './text.ts'

const NEXT_OF_AGREEMENT: Readonly<Partial<Record<AgreementView['state'], readonly Act[]>>> = {
  draft: ['submit', 'terminate'],
  inApproval: ['sign', 'terminate'],
  active: ['suspend', 'terminate'],
  suspended: ['resume', 'terminate'],
}

export function AgreementTable() {
  const text = useText(procurementText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const [unfolded, setUnfolded] = useState<string | null>(null)
  const agreements = useQuery({
    queryKey: ['supply', 'agreements'],
    queryFn: ({ signal }) => get('/supply/agreements', z.array(AgreementView), { signal }),
  })
  const deedsOf = ({ id, state }: AgreementView): readonly Deed[] =>
    isOperator
      ? (NEXT_OF_AGREEMENT[state] ?? []).map((act) => ({
          act,
          path: `/supply/agreements/${id}/${act}`,
          hasReason: true,
        }))
      : []
  const columns: readonly Column<AgreementView>[] = [
    {
      key: 'id',
      title: text.agreements,
      lead: true,
      cell: ({ id }) => (
        <UnfoldButton isOpen={unfolded === id} onToggle={() => setUnfolded(unfolded === id ? null : id)}>
          <Id id={id} short />
        </UnfoldButton>
      ),
    },
    { key: 'supplier', title: common.supplier, cell: (row) => `${row.nameZh} (${row.supplier})` },
    { key: 'package', title: text.package, cell: (row) => row.package },
    { key: 'state', title: common.status, cell: (row) => <StateBadge state={row.state} /> },
    { key: 'share', title: text.share, numeric: true, cell: (row) => format.percent(row.sharePpm, 1_000_000) },
    { key: 'ceiling', title: text.ceiling, numeric: true, cell: (row) => format.money(row.ceilingPico) },
    { key: 'called', title: text.called, numeric: true, cell: (row) => format.money(row.calledPico) },
    {
      key: 'validity',
      title: text.validity,
      cell: (row) => `${format.date(row.validFromMs)} – ${format.date(row.validToMs)}`,
    },
    { key: 'acts', title: '', cell: (row) => <ActButtons deeds={deedsOf(row)} /> },
  ]
  return (
    <Panel flush title={text.agreements}>
      <QueryView query={agreements} rows={5}>
        {(rows) => (
          <DataTable
            label={text.agreements}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noAgreement} />}
            detail={(row) => (unfolded === row.id ? <History moves={row.history} /> : null)}
          />
        )}
      </QueryView>
    </Panel>
  )
}

/** What either side may do next; what two people must decide is refused to the one who proposed it. */
function deedsOf(row: CallOffView, isOperator: boolean, label: string): readonly Deed[] {
  const at = `/supply/call-offs/${row.id}`
  const step = (act: Act): Deed => ({ act, path: `${at}/${act}`, hasReason: true })
  const isStopped = row.stops.some(({ toMs }) => toMs === null)
  const clock: readonly Deed[] = !isOperator
    ? []
    : [isStopped ? { act: 'resume-clock', path: `${at}/resume-clock`, hasReason: false } : step('stop-clock')]
  const byBuyer = (...acts: readonly Act[]): readonly Deed[] => (isOperator ? acts.map(step) : [])
  switch (row.state) {
    case 'draft':
      return isOperator
        ? [{ act: 'issue', path: `/supply/call-offs/${row.batch}/issue`, hasReason: true }, step('terminate')]
        : []
    case 'issued':
      return [step('acknowledge'), ...clock, ...byBuyer('terminate')]
    case 'acknowledged':
      return [step('start-delivery'), ...clock, ...byBuyer('terminate')]
    case 'inDelivery': {
      const most = row.units - row.deliveredUnits
      return [
        { act: 'deliveries', path: `${at}/deliveries`, units: { label, most }, hasReason: false },
        ...clock,
        ...byBuyer('terminate'),
      ]
    }
    case 'delivered':
      return byBuyer('reject')
    case 'inService':
      return byBuyer('revoke')
    default:
      return []
  }
}

export function CallOffTable() {
  const text = useText(procurementText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const [unfolded, setUnfolded] = useState<string | null>(null)
  const orders = useQuery({
    queryKey: ['supply', 'call-offs'],
    queryFn: ({ signal }) => get('/supply/call-offs', z.array(CallOffView), { signal }),
    refetchInterval: 30_000,
  })
  const columns: readonly Column<CallOffView>[] = [
    {
      key: 'id',
      title: text.callOffs,
      lead: true,
      cell: ({ id }) => (
        <UnfoldButton isOpen={unfolded === id} onToggle={() => setUnfolded(unfolded === id ? null : id)}>
          <Id id={id} short />
        </UnfoldButton>
      ),
    },
    { key: 'supplier', title: common.supplier, cell: (row) => row.supplier },
    { key: 'state', title: common.status, cell: (row) => <StateBadge state={row.state} /> },
    {
      key: 'units',
      title: text.units,
      numeric: true,
      cell: (row) => `${format.count(row.deliveredUnits)} / ${format.count(row.units)}`,
    },
    { key: 'amount', title: text.amount, numeric: true, cell: (row) => format.money(row.amount.netPico) },
    { key: 'due', title: text.due, cell: (row) => <Due row={row} /> },
    {
      key: 'lot',
      title: text.lot,
      cell: ({ lot }) =>
        lot === null ? (
          '–'
        ) : (
          <>
            <StateBadge state={lot.state} /> {format.date(lot.fromMs)} – {format.date(lot.toMs)}
          </>
        ),
    },
    { key: 'acts', title: '', cell: (row) => <ActButtons deeds={deedsOf(row, isOperator, text.deliverUnits)} /> },
  ]
  return (
    <Panel flush title={text.callOffs}>
      <QueryView query={orders} rows={5}>
        {(rows) => (
          <DataTable
            label={text.callOffs}
            columns={columns}
            rows={rows}
            rowKey={(row) => row.id}
            empty={<EmptyState title={text.noCallOff} />}
            detail={(row) => (unfolded === row.id ? <History moves={row.history} /> : null)}
          />
        )}
      </QueryView>
    </Panel>
  )
}

function Due({ row }: { readonly row: CallOffView }) {
  const text = useText(procurementText)
  const format = useFormat()
  if (row.dueAtMs === null) return <>–</>
  return (
    <>
      {format.fullDateTime(row.dueAtMs)}
      {row.stops.some(({ toMs }) => toMs === null) && <Badge tone="warn">{text.stopped}</Badge>}
      {row.lateDays > 0 && (
        <div className="cell-note tone-bad">{text.late(row.lateDays, format.money(row.latenessPico))}</div>
      )}
    </>
  )
}
