import { useQuery } from '@tanstack/react-query'
import { Button, Segmented } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { LivePoint } from '#contract'
import { get } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, MeterStrip, Page } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { ChartGrid } from './chart-grid.tsx'
import { inputAndOutput, liveTotals } from './live-totals.ts'
import { overviewText } from './text.ts'
import { UsageBreakdown } from './usage-breakdown.tsx'

const WINDOWS_MINUTES = [15, 60, 360] as const

/** What happens now: minute by minute, refreshed every three seconds while the page is visible. */
export default function OverviewPage() {
  const text = useText(overviewText)
  const format = useFormat()
  const { tenantQuery } = useScope()
  const [minutes, setMinutes] = useState<number>(60)
  const [paused, setPaused] = useState(false)
  const live = useQuery({
    queryKey: ['live', tenantQuery, minutes],
    queryFn: ({ signal }) =>
      get('/usage/live', z.array(LivePoint), { query: { minutes, tenant: tenantQuery }, signal }),
    refetchInterval: paused ? false : 3000,
    placeholderData: (previous, previousQuery) => (previousQuery?.queryKey[1] === tenantQuery ? previous : undefined),
  })
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <>
          <span className={paused ? 'live paused' : 'live'}>
            <i />
            {paused ? text.paused : text.live}
            {live.dataUpdatedAt > 0 && <span>· {text.updated(format.dateTime(live.dataUpdatedAt).slice(-8))}</span>}
          </span>
          <Button onClick={() => setPaused(!paused)}>{paused ? text.resume : text.pause}</Button>
          <Segmented
            aria-label={text.window}
            value={minutes}
            onChange={setMinutes}
            options={WINDOWS_MINUTES.map((value) => ({ value, label: text.minutes(value) }))}
          />
          <TenantSelect />
        </>
      }
    >
      <QueryView query={live} rows={8}>
        {(points) => <Live points={points} />}
      </QueryView>
      <UsageBreakdown paused={paused} />
    </Page>
  )
}

function Live({ points }: { readonly points: readonly LivePoint[] }) {
  const text = useText(overviewText)
  const format = useFormat()
  const totals = liveTotals(points)
  const { input, output } = inputAndOutput(totals.tokens)
  const { latest } = totals
  const speed = latest?.outputTokensPerSecond ?? null
  return (
    <>
      <MeterStrip
        label={text.totals}
        meters={[
          {
            label: text.requests,
            value: format.count(totals.requests),
            note: text.perMinute(format.decimal(totals.requests / Math.max(points.length, 1))),
          },
          {
            label: text.failed,
            value: format.count(totals.failed),
            note: text.failedShare(format.percent(totals.failed, totals.requests)),
            ...(totals.failed > 0 ? { tone: 'bad' as const } : {}),
          },
          {
            label: text.tokens,
            value: format.count(totals.allTokens),
            note: text.split(format.compact(input), format.compact(output)),
          },
          { label: text.cost, value: format.money(totals.sellPico), note: text.costNote, tone: 'money' },
          {
            label: text.ttft,
            value: durationOf(latest?.ttftMsP50),
            note: latest ? text.ttftNote(durationOf(latest.ttftMsP95)) : '',
          },
          { label: text.speed, value: speed === null ? '–' : format.decimal(speed), note: `${text.speedUnit}` },
        ]}
      />
      {totals.requests === 0 ? (
        <div className="panel">
          <EmptyState title={text.quiet}>{text.quietMore}</EmptyState>
        </div>
      ) : (
        <ChartGrid points={points} totals={totals} />
      )}
    </>
  )

  function durationOf(ms: number | null | undefined): string {
    return ms === null || ms === undefined ? '–' : format.duration(ms)
  }
}
