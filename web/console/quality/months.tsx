import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { CreditView, SlaReportView } from '#contract'
import { addMonths, chinaDate } from '#kernel'
import { get, post } from '../../kit/api.ts'
import { Id } from '../../kit/copy.tsx'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { DownloadButton } from '../../kit/download-button.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { Decide } from './decide.tsx'
import { qualityText, wordOf } from './text.ts'

/** The month before this one, in China. */
function lastMonth(): string {
  return chinaDate(addMonths(Date.now(), -1)).slice(0, 7)
}

export function Months() {
  const text = useText(qualityText)
  const { isOperator } = useScope()
  const queries = useQueryClient()
  const [period, setPeriod] = useState(lastMonth)
  const isMonth = /^\d{4}-\d{2}$/.test(period)
  const compute = useMutation({
    mutationFn: () => post('/quality/reports/run', z.array(SlaReportView), { period }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['quality'] }),
  })
  return (
    <div className="stack">
      <div className="row">
        <Input
          aria-label={text.period}
          value={period}
          placeholder="2026-11"
          style={{ width: 120 }}
          onChange={(event) => setPeriod(event.target.value.trim())}
        />
        {isOperator && (
          <Button disabled={!isMonth} loading={compute.isPending} onClick={() => compute.mutate()}>
            {text.compute}
          </Button>
        )}
      </div>
      {compute.error && <ProblemNotice error={compute.error} />}
      {isMonth && <Reports period={period} />}
      {isMonth && <Credits period={period} />}
    </div>
  )
}

type Line = SlaReportView['lines'][number]
type Row = { readonly report: SlaReportView; readonly line: Line; readonly measure: Line['measures'][number] }

function Reports({ period }: { readonly period: string }) {
  const text = useText(qualityText)
  const format = useFormat()
  const reports = useQuery({
    queryKey: ['quality', 'reports', period],
    queryFn: ({ signal }) => get('/quality/reports', z.array(SlaReportView), { signal, query: { period } }),
  })
  const columns: readonly Column<Row>[] = [
    { key: 'party', title: text.party, lead: true, cell: ({ report }) => `${report.party} (${text[report.leg]})` },
    { key: 'service', title: text.service, cell: ({ line }) => `${line.service} · ${line.tier}` },
    {
      key: 'measure',
      title: text.measure,
      cell: ({ measure }) =>
        `${wordOf(text.measures, measure.measure)}${measure.limitMs === null ? '' : ` ≤ ${measure.limitMs} ms`}`,
    },
    {
      key: 'valid',
      title: text.requests,
      numeric: true,
      cell: ({ measure }) => `${format.count(measure.good)} / ${format.count(measure.valid)}`,
    },
    { key: 'attained', title: text.attained, numeric: true, cell: ({ measure }) => format.ppm(measure.attainmentPpm) },
    { key: 'target', title: text.target, numeric: true, cell: ({ measure }) => format.ppm(measure.targetPpm) },
    {
      key: 'result',
      title: '',
      cell: ({ measure }) => (
        <Badge tone={measure.isMissed ? 'bad' : 'good'}>{measure.isMissed ? text.missed : text.kept}</Badge>
      ),
    },
    {
      key: 'csv',
      title: '',
      cell: ({ report: { leg, party } }) => (
        <DownloadButton path="/quality/reports/csv" query={{ period, leg, party }} label={text.csv} />
      ),
    },
  ]
  return (
    <Panel flush title={text.reports}>
      <QueryView query={reports} rows={3}>
        {(rows) => (
          <DataTable
            label={text.reports}
            columns={columns}
            rows={rows.flatMap((report) =>
              report.lines.flatMap((line) => line.measures.map((measure) => ({ report, line, measure }))),
            )}
            rowKey={({ report, line, measure }) =>
              [report.leg, report.party, line.service, line.tier, measure.measure].join(' ')
            }
            empty={<EmptyState title={text.noReport} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}

function Credits({ period }: { readonly period: string }) {
  const text = useText(qualityText)
  const common = useText(words)
  const format = useFormat()
  const { isOperator } = useScope()
  const credits = useQuery({
    queryKey: ['quality', 'credits', period],
    queryFn: ({ signal }) => get('/quality/credits', z.array(CreditView), { signal, query: { period } }),
  })
  const actsOf = ({ state }: CreditView): readonly string[] => {
    if (state === 'computed') return isOperator ? ['approved', 'waived'] : ['contested']
    return state === 'contested' && isOperator ? ['approved', 'waived'] : []
  }
  const columns: readonly Column<CreditView>[] = [
    { key: 'id', title: text.credits, lead: true, cell: ({ id }) => <Id id={id} short /> },
    { key: 'party', title: text.party, cell: (row) => `${row.party} (${text[row.leg]})` },
    { key: 'service', title: text.service, cell: (row) => `${row.service} · ${row.tier}` },
    { key: 'part', title: text.part, numeric: true, cell: (row) => format.ppm(row.ppm) },
    { key: 'net', title: text.net, numeric: true, cell: (row) => format.money(row.netPico) },
    { key: 'tax', title: text.tax, numeric: true, cell: (row) => format.money(row.taxPico) },
    {
      key: 'state',
      title: common.status,
      cell: ({ state }) => (
        <Badge tone={state === 'applied' || state === 'approved' ? 'good' : state === 'contested' ? 'warn' : 'plain'}>
          {wordOf(text.states, state)}
        </Badge>
      ),
    },
    { key: 'acts', title: '', cell: (row) => <Decide path={`/quality/credits/${row.id}`} acts={actsOf(row)} /> },
  ]
  return (
    <Panel flush title={text.credits}>
      <QueryView query={credits} rows={3}>
        {(rows) => (
          <DataTable
            label={text.credits}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            empty={<EmptyState title={text.noCredit} />}
          />
        )}
      </QueryView>
    </Panel>
  )
}
