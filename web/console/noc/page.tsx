import { useQuery } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import { Suspense } from 'react'
import { NocReply } from '#contract'
import { get } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, MeterStrip, Page, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { DemandChart } from './demand-chart.tsx'
import { DrainLog } from './drain-log.tsx'
import { LaneTable } from './lane-table.tsx'
import { SupplierTable } from './supplier-table.tsx'
import { nocText } from './text.ts'
import { totalsOf } from './totals.ts'

/** What goes on now, refreshed every two seconds while the page is visible, and taking a supplier out of service. */
export default function NocPage() {
  const text = useText(nocText)
  const format = useFormat()
  const noc = useQuery({
    queryKey: ['noc'],
    queryFn: ({ signal }) => get('/noc', NocReply, { signal }),
    refetchInterval: 2000,
  })
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <span className="live">
          <i />
          {text.live}
          {noc.data && <span>· {format.dateTime(noc.data.atMs).slice(-8)}</span>}
        </span>
      }
    >
      <QueryView query={noc} rows={10}>
        {(reply) => <Now reply={reply} />}
      </QueryView>
    </Page>
  )
}

function Now({ reply }: { readonly reply: NocReply }) {
  const text = useText(nocText)
  const format = useFormat()
  const totals = totalsOf(reply)
  const stale = reply.gateways.filter(({ isStale }) => isStale).map(({ gateway }) => gateway)
  const ppm = (value: number | null) => (value === null ? '–' : format.ppm(value))
  return (
    <>
      {stale.length > 0 && (
        <div className="notice notice-warn" role="status">
          {text.staleGateways(stale.join(', '))}
        </div>
      )}
      {reply.gateways.length === 0 && (
        <div className="panel">
          <EmptyState title={text.nobody}>{text.nobodyMore}</EmptyState>
        </div>
      )}
      <MeterStrip
        label={text.totals}
        meters={[
          { label: text.demand, value: format.decimal(totals.demandPerMinute), note: text.perMinute },
          {
            label: text.shed,
            value: format.decimal(totals.shedPerMinute),
            note: text.shedShare(format.percent(totals.shedPerMinute, totals.demandPerMinute)),
            ...(totals.shedPerMinute > 0 ? { tone: 'bad' as const } : {}),
          },
          {
            label: text.waiting,
            value: format.count(totals.waiting),
            note: text.oldestWait(format.duration(totals.oldestMs)),
          },
          {
            label: text.inFlight,
            value: format.count(totals.inFlight),
            note: text.ofCapacity(format.count(totals.capacity)),
          },
          { label: text.attainment, value: ppm(totals.fiveMinutes), note: text.ofHalfHour(ppm(totals.halfHour)) },
          {
            label: text.gateways,
            value: `${reply.gateways.length - stale.length} / ${reply.gateways.length}`,
            note: text.oldest(format.duration(Math.max(0, ...reply.gateways.map(({ ageMs }) => ageMs)))),
            ...(stale.length > 0 ? { tone: 'bad' as const } : {}),
          },
        ]}
      />
      <Panel title={text.chart}>
        <Suspense fallback={<Skeleton active title={false} paragraph={{ rows: 4 }} />}>
          <DemandChart reply={reply} />
        </Suspense>
      </Panel>
      <LaneTable lanes={reply.lanes} />
      <SupplierTable suppliers={reply.suppliers} />
      <DrainLog drains={reply.drains} />
    </>
  )
}
