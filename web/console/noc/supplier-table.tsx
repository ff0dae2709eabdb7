import { Button } from 'antd'
import { useState } from 'react'
import type { EndpointRow, SupplierLoadView } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { words } from '../../kit/words.ts'
import { DrainDialog } from './drain-dialog.tsx'
import { nocText } from './text.ts'
import { UndrainDialog } from './undrain-dialog.tsx'

const MICRO = 1e6

export function SupplierTable({ suppliers }: { readonly suppliers: readonly SupplierLoadView[] }) {
  const text = useText(nocText)
  const common = useText(words)
  const format = useFormat()
  const [draining, setDraining] = useState<string | null>(null)
  const [undraining, setUndraining] = useState<string | null>(null)
  const columns: readonly Column<SupplierLoadView>[] = [
    {
      key: 'supplier',
      title: common.supplier,
      lead: true,
      cell: (row) => (
        <>
          {row.displayName} <code className="muted">{row.supplier}</code>
        </>
      ),
    },
    { key: 'state', title: text.state, cell: (row) => <State row={row} /> },
    {
      key: 'inFlight',
      title: text.inFlight,
      numeric: true,
      cell: (row) => `${format.count(row.inFlight)} / ${format.count(row.maxConcurrency)}`,
    },
    { key: 'learned', title: text.learned, numeric: true, cell: (row) => learnedOf(row.endpoints, format.count) },
    { key: 'demand', title: text.demand, numeric: true, cell: (row) => format.decimal(row.requestsPerMinute) },
    { key: 'out', title: text.tokensOut, numeric: true, cell: (row) => format.compact(row.outputTokensPerMinute) },
    { key: 'share', title: text.share, numeric: true, cell: (row) => format.percent(row.sharePpm, MICRO) },
    {
      key: 'five',
      title: text.attainment,
      numeric: true,
      cell: ({ attainmentPpm: { fiveMinutes } }) => (fiveMinutes === null ? '–' : format.ppm(fiveMinutes)),
    },
    {
      key: 'act',
      title: '',
      cell: (row) =>
        row.drain ? (
          <Button size="small" onClick={() => setUndraining(row.supplier)}>
            {text.undrain}
          </Button>
        ) : (
          <Button size="small" danger onClick={() => setDraining(row.supplier)}>
            {text.drain}
          </Button>
        ),
    },
  ]
  return (
    <Panel flush title={text.suppliers} aside={<span className="muted">{text.perMinute}</span>}>
      <DataTable
        label={text.suppliers}
        columns={columns}
        rows={suppliers}
        rowKey={(row) => row.supplier}
        detail={(row) => (row.endpoints.length + row.shares.length === 0 ? null : <Details row={row} />)}
        empty={<EmptyState title={common.none} />}
      />
      {draining !== null && <DrainDialog supplier={draining} onClose={() => setDraining(null)} />}
      {undraining !== null && <UndrainDialog supplier={undraining} onClose={() => setUndraining(null)} />}
    </Panel>
  )
}

function State({ row: { drain, hasCredentials, endpoints } }: { readonly row: SupplierLoadView }) {
  const text = useText(nocText)
  const format = useFormat()
  if (drain)
    return (
      <>
        <Badge tone="warn">{text.drained}</Badge>
        <div className="cell-note">
          {text.drainedBy(drain.drainedBy, format.dateTime(drain.drainedAtMs), drain.drainReason)}
        </div>
      </>
    )
  if (!hasCredentials) return <Badge tone="bad">{text.noCredentials}</Badge>
  const worst = endpoints.find(({ isMisconfigured, breaker }) => isMisconfigured || breaker !== 'closed')
  if (!worst) return <Badge tone="good">{text.inService}</Badge>
  return <Badge tone="bad">{worst.isMisconfigured ? text.misconfigured : text.breakers[worst.breaker]}</Badge>
}

/** One line per model, then one per contract. */
function Details({ row }: { readonly row: SupplierLoadView }) {
  const text = useText(nocText)
  const format = useFormat()
  return (
    <div className="stack" style={{ gap: 4 }}>
      {row.endpoints.map((endpoint) => (
        <div key={endpoint.model} className="row cell-note">
          <code className="wrap">{endpoint.model}</code>
          <Badge tone={endpoint.breaker === 'closed' && !endpoint.isMisconfigured ? 'plain' : 'bad'}>
            {endpoint.isMisconfigured ? text.misconfigured : text.breakers[endpoint.breaker]}
          </Badge>
          <span>
            {text.inFlight} {format.count(endpoint.inFlight)}
          </span>
          {endpoint.errorRate !== undefined && (
            <span>
              {text.errorRate} {format.percent(Math.round(endpoint.errorRate * MICRO), MICRO)}
            </span>
          )}
          {endpoint.ttftMs !== null && (
            <span>
              {text.firstToken} {format.duration(endpoint.ttftMs)}
            </span>
          )}
        </div>
      ))}
      {row.shares.map((share) => (
        <div key={share.commitment} className="row cell-note">
          <span>{text.shares}</span>
          <code className="wrap">{share.commitment}</code>
          <span>{format.compact(share.deliveredTokens)}</span>
          {share.relief !== 0 && <span>{text.relief(format.percent(Math.round(share.relief * MICRO), MICRO))}</span>}
        </div>
      ))}
    </div>
  )
}

/** The tightest of its models' limits that were learned. */
function learnedOf(endpoints: readonly EndpointRow[], count: (value: number) => string): string {
  const limits = endpoints.flatMap(({ limit }) => limit ?? [])
  return limits.length === 0 ? '–' : count(Math.round(Math.min(...limits)))
}
