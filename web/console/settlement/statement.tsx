import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { StatementReply } from '#contract'
import type { DiscrepancyClass, DiscrepancySum } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Facts, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { DecideDialog } from './decide-dialog.tsx'
import { Discrepancies } from './discrepancies.tsx'
import { DiscrepancyBadge, History, StatementBadge, StepButtons } from './parts.tsx'
import { settlementText } from './text.ts'

/** One statement: what it says, what differs by class, each difference, and what was done. */
export function Statement({ id }: { readonly id: string }) {
  const statement = useQuery({
    queryKey: ['settlement', 'statement', id],
    queryFn: ({ signal }) => get(`/settlement/statements/${encodeURIComponent(id)}`, StatementReply, { signal }),
  })
  return (
    <QueryView query={statement} rows={8}>
      {(reply) => <Sheet statement={reply} />}
    </QueryView>
  )
}

function Sheet({ statement }: { readonly statement: StatementReply }) {
  const text = useText(settlementText)
  const format = useFormat()
  const { isOperator } = useScope()
  const { search } = useRoute()
  const steps = useSteps(statement)
  const [kind, setKind] = useState<DiscrepancyClass | null>(null)
  return (
    <>
      <div className="row" style={{ marginBottom: 10, justifyContent: 'space-between', alignItems: 'flex-start' }}>
        <div className="row">
          <b className="wrap">{statement.id}</b>
          <StatementBadge state={statement.state} />
        </div>
        {isOperator && <StepButtons steps={steps} />}
      </div>
      <Panel title={text.statement}>
        <Facts
          facts={[
            [text.supplier, statement.supplier],
            [text.period, statement.period],
            [text.lines, format.count(statement.lines)],
            [text.net, format.money(statement.netPico)],
            [text.tax, statement.taxPico === null ? '–' : format.money(statement.taxPico)],
            [
              text.ours,
              statement.ours === null
                ? '–'
                : text.ofRequests(format.money(statement.ours.amountPico), format.count(statement.ours.requests)),
            ],
            [text.agreement, statement.agreement ?? text.noAgreement],
            [
              text.fileName,
              <span key="file" className="wrap">
                {statement.fileName}
              </span>,
            ],
            [
              text.hash,
              <code key="hash" className="wrap">
                {statement.fileHash}
              </code>,
            ],
            [text.importedBy, `${statement.importedBy} · ${format.fullDateTime(statement.importedAtMs)}`],
            [
              text.run,
              statement.runs.length === 0
                ? '–'
                : statement.runs.map((run) => (
                    <a key={run} className="wrap" href={hrefTo('settlement', run, search)}>
                      {run}{' '}
                    </a>
                  )),
            ],
          ]}
        />
      </Panel>
      <Sums statement={statement} selected={kind} onSelect={setKind} />
      {statement.discrepancies.length > 0 && <Discrepancies key={kind} statement={statement} kind={kind} />}
      <History events={statement.events} />
    </>
  )
}

function useSteps({ id, state }: StatementReply) {
  const text = useText(settlementText)
  const path = `/settlement/statements/${encodeURIComponent(id)}`
  const match = (label: string) => ({ label, path: `${path}/match`, body: {} })
  const agree = { label: text.agree, path: `${path}/agree`, body: {}, isMain: true }
  if (state === 'parsed') return [{ ...match(text.match), isMain: true }]
  if (state === 'matched' || state === 'discrepant' || state === 'disputed') return [match(text.matchAgain), agree]
  if (state === 'agreed' || state === 'settled')
    return [{ label: text.plan, path: '/settlement/runs', body: { statement: id }, isMain: state === 'agreed' }]
  return []
}

function Sums({
  statement,
  selected,
  onSelect,
}: {
  readonly statement: StatementReply
  readonly selected: DiscrepancyClass | null
  readonly onSelect: (kind: DiscrepancyClass | null) => void
}) {
  const text = useText(settlementText)
  const format = useFormat()
  const { isOperator } = useScope()
  const [deciding, setDeciding] = useState<DiscrepancyClass | null>(null)
  const isOpen = (row: DiscrepancySum) => row.state === 'open' || row.state === 'assigned'
  return (
    <Panel
      flush
      title={text.discrepancies}
      aside={
        selected && (
          <Button size="small" onClick={() => onSelect(null)}>
            {text.allClasses}
          </Button>
        )
      }
    >
      <DataTable
        label={text.discrepancies}
        rows={statement.discrepancies}
        rowKey={(row) => `${row.class} ${row.state}`}
        empty={<EmptyState title={text.noDiscrepancies} />}
        columns={[
          {
            key: 'class',
            title: text.class,
            lead: true,
            cell: (row) => (
              <button type="button" className="plain-button link" onClick={() => onSelect(row.class)}>
                {text.classes[row.class]}
              </button>
            ),
          },
          { key: 'state', title: text.state, cell: (row) => <DiscrepancyBadge state={row.state} /> },
          { key: 'count', title: text.count, numeric: true, cell: (row) => format.count(row.count) },
          { key: 'impact', title: text.impact, numeric: true, cell: (row) => format.money(row.impactPico) },
          { key: 'tax', title: text.taxImpact, numeric: true, cell: (row) => format.money(row.taxImpactPico) },
          {
            key: 'decide',
            title: '',
            cell: (row) =>
              isOperator &&
              isOpen(row) && (
                <Button size="small" onClick={() => setDeciding(row.class)}>
                  {text.decideClass}
                </Button>
              ),
          },
        ]}
      />
      {deciding && (
        <DecideDialog statement={statement.id} about={{ class: deciding }} onClose={() => setDeciding(null)} />
      )}
    </Panel>
  )
}
