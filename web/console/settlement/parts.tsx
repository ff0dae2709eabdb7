import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import * as z from 'zod'
import type { DiscrepancyState, RunState, SettlementEvent, SupplierPeriodView } from '#contract'
import { post } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, Panel } from '../../kit/layout.tsx'
import type { Tone } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { words } from '../../kit/words.ts'
import { settlementText } from './text.ts'

const STATEMENT_TONES: Readonly<Partial<Record<SupplierPeriodView['state'], Tone>>> = {
  missing: 'bad',
  discrepant: 'bad',
  disputed: 'warn',
  expected: 'warn',
  matched: 'good',
  settled: 'good',
}

export function StatementBadge({ state }: { readonly state: SupplierPeriodView['state'] }) {
  const text = useText(settlementText)
  return <Badge tone={STATEMENT_TONES[state] ?? 'plain'}>{text.states[state]}</Badge>
}

export function RunBadge({ state }: { readonly state: RunState }) {
  const text = useText(settlementText)
  const tone = state === 'failed' ? 'bad' : state === 'paid' || state === 'closed' ? 'good' : 'plain'
  return <Badge tone={tone}>{text.runStates[state]}</Badge>
}

export function DiscrepancyBadge({ state }: { readonly state: DiscrepancyState }) {
  const text = useText(settlementText)
  const tone = state === 'open' ? 'bad' : state === 'disputed' || state === 'assigned' ? 'warn' : 'plain'
  return <Badge tone={tone}>{text.discrepancyStates[state]}</Badge>
}

/** A button that does one thing to a statement or settlement, and says below why it was refused. */
export function StepButtons({
  steps,
}: {
  readonly steps: readonly {
    readonly label: string
    readonly path: string
    readonly body: object
    readonly isMain?: boolean
  }[]
}) {
  const queries = useQueryClient()
  const act = useMutation({
    mutationFn: ({ path, body }: { path: string; body: object }) => post(path, z.unknown(), body),
    onSettled: () => queries.invalidateQueries({ queryKey: ['settlement'] }),
  })
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row" style={{ flexWrap: 'wrap', justifyContent: 'flex-end' }}>
        {steps.map(({ label, path, body, isMain }) => (
          <Button
            key={path}
            type={isMain === true ? 'primary' : 'default'}
            loading={act.isPending && act.variables.path === path}
            disabled={act.isPending}
            onClick={() => act.mutate({ path, body })}
          >
            {label}
          </Button>
        ))}
      </div>
      {act.isError && <ProblemNotice error={act.error} />}
    </div>
  )
}

export function History({ events }: { readonly events: readonly SettlementEvent[] }) {
  const text = useText(settlementText)
  const common = useText(words)
  const format = useFormat()
  const known: Readonly<Record<string, string>> = { ...text.runStates, ...text.states }
  return (
    <Panel flush title={text.history}>
      <DataTable
        label={text.history}
        rows={events.map((event, index) => ({ ...event, index }))}
        rowKey={(row) => `${row.index}`}
        empty={null}
        columns={[
          { key: 'at', title: common.time, lead: true, cell: (row) => format.fullDateTime(row.atMs) },
          { key: 'who', title: text.who, cell: (row) => <span className="wrap">{row.by}</span> },
          {
            key: 'what',
            title: text.what,
            cell: (row) =>
              `${known[row.becomes] ?? row.becomes}${row.number === null ? '' : ` × ${format.count(row.number)}`}`,
          },
          { key: 'note', title: text.note, cell: (row) => <span className="wrap">{row.note ?? '–'}</span> },
        ]}
      />
    </Panel>
  )
}
