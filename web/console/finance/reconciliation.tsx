import { useMutation } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { ReconcileReply } from '#contract'
import { DAY_MS, chinaDate } from '#kernel'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { words } from '../../kit/words.ts'
import { Differences } from './differences.tsx'
import { financeText } from './text.ts'

const WEEK_DAYS = 7

interface Row {
  readonly day: string
  readonly service: ReconcileReply['services'][number]
  readonly differences: ReconcileReply['differences']
}

/** Produced = rated = posted = billed, by day and service, recomputed when asked. */
export function Reconciliation() {
  const text = useText(financeText)
  const [nowMs] = useState(() => Date.now())
  const [day, setDay] = useState<string>(chinaDate(nowMs - DAY_MS))
  const [replies, setReplies] = useState<readonly ReconcileReply[]>([])
  const keep = (reply: ReconcileReply) =>
    setReplies((before) =>
      [reply, ...before.filter((one) => one.day !== reply.day)].toSorted((a, b) => (a.day < b.day ? 1 : -1)),
    )
  const run = useMutation({
    mutationFn: async (days: readonly string[]) => {
      for (const one of days) keep(await post('/reconcile', ReconcileReply, { day: one }))
    },
  })
  const week = Array.from({ length: WEEK_DAYS }, (_, index) => chinaDate(nowMs - index * DAY_MS))
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day)
  return (
    <>
      <div className="filters" style={{ marginBottom: 14 }}>
        <Input
          type="date"
          aria-label={text.day}
          value={day}
          max={chinaDate(nowMs)}
          style={{ width: 160 }}
          onChange={(event) => setDay(event.target.value)}
        />
        <Button type="primary" loading={run.isPending} disabled={!isDay} onClick={() => run.mutate([day])}>
          {text.reconcile}
        </Button>
        <Button disabled={run.isPending} onClick={() => run.mutate(week)}>
          {text.lastWeek}
        </Button>
        <span className="muted">{text.chinaDays}</span>
      </div>
      {run.isError && <ProblemNotice error={run.error} />}
      {replies.length === 0 && !run.isError && (
        <Panel>
          <EmptyState title={run.isPending ? text.reconciling : text.notReconciled}>{text.reconcileMore}</EmptyState>
        </Panel>
      )}
      {replies.length > 0 && <Result replies={replies} />}
    </>
  )
}

function Result({ replies }: { readonly replies: readonly ReconcileReply[] }) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const bad = replies.filter(({ ok }) => !ok)
  const rows = replies.flatMap(({ day, services, differences }) =>
    services.map((service): Row => ({
      day,
      service,
      differences: differences.filter((one) => one.service === service.service),
    })),
  )
  const silent = replies.filter(({ services }) => services.length === 0).map(({ day }) => day)
  // What belongs to no service of the table is told below it, never left out.
  const elsewhere = replies.flatMap(({ services, differences }) =>
    differences.filter((one) => !services.some(({ service }) => service === one.service)),
  )
  const columns: readonly Column<Row>[] = [
    {
      key: 'service',
      title: `${text.day} · ${common.service}`,
      lead: true,
      cell: (row) => (
        <>
          {row.day} · <span className="wrap">{row.service.service}</span>
        </>
      ),
    },
    { key: 'requests', title: text.requests, numeric: true, cell: (row) => format.count(row.service.requests) },
    {
      key: 'produced',
      title: text.producedTokens,
      numeric: true,
      cell: (row) => format.count(BigInt(row.service.producedTokens)),
    },
    { key: 'rated', title: text.rated, numeric: true, cell: (row) => format.money(row.service.ratedPico) },
    { key: 'posted', title: text.posted, numeric: true, cell: (row) => format.money(row.service.postedPico) },
    {
      key: 'postedDifference',
      title: text.postedDifference,
      numeric: true,
      cell: (row) => <Proof pico={BigInt(row.service.ratedPico) - BigInt(row.service.postedPico)} />,
    },
    { key: 'gift', title: text.gifts, numeric: true, cell: (row) => format.money(row.service.giftPico) },
    { key: 'billed', title: text.billed, numeric: true, cell: (row) => format.money(row.service.billedPico) },
    {
      key: 'toBeBilled',
      title: text.toBeBilled,
      numeric: true,
      cell: (row) => format.money(row.service.toBeBilledPico),
    },
    {
      key: 'billedDifference',
      title: text.billedDifference,
      numeric: true,
      cell: ({ service: { postedPico, giftPico, billedPico, toBeBilledPico } }) => (
        <Proof pico={BigInt(postedPico) - BigInt(giftPico) - BigInt(billedPico) - BigInt(toBeBilledPico)} />
      ),
    },
    { key: 'cost', title: text.cost, numeric: true, cell: (row) => format.money(row.service.costPico) },
    {
      key: 'verdict',
      title: text.verdict,
      cell: (row) =>
        row.differences.length === 0 ? (
          <Badge tone="good">{text.proven}</Badge>
        ) : (
          <Badge tone="bad">{text.unproven(format.count(row.differences.length))}</Badge>
        ),
    },
  ]
  return (
    <>
      <div
        className={bad.length === 0 ? 'notice notice-good' : 'notice notice-bad'}
        role="status"
        style={{ marginBottom: 14 }}
      >
        <div>
          <strong>{bad.length === 0 ? text.allProven : text.someUnproven}</strong>{' '}
          {bad.length === 0 ? text.allProvenMore(format.count(replies.length)) : bad.map(({ day }) => day).join(', ')}
        </div>
      </div>
      {rows.length > 0 && (
        <Panel flush title={text.views.reconciliation} aside={text.equation}>
          <DataTable
            label={text.views.reconciliation}
            columns={columns}
            rows={rows}
            rowKey={(row) => `${row.day} ${row.service.service}`}
            empty={null}
            detail={(row) => (row.differences.length > 0 ? <Differences differences={row.differences} /> : null)}
          />
        </Panel>
      )}
      {elsewhere.length > 0 && (
        <Panel title={text.elsewhere}>
          <Differences differences={elsewhere} />
        </Panel>
      )}
      {silent.length > 0 && <p className="muted">{text.noUsageOn(silent.join(', '))}</p>}
    </>
  )
}

function Proof({ pico }: { readonly pico: bigint }) {
  const format = useFormat()
  return pico === 0n ? (
    <span className="equal">{format.money(0n)}</span>
  ) : (
    <b className="tone-bad">{format.money(pico)}</b>
  )
}
