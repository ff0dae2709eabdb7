import { useQuery } from '@tanstack/react-query'
import * as z from 'zod'
import { PackageView, ProjectView } from '#contract'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { EmptyState, Facts, MeterStrip, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { hrefTo } from '../../kit/router.ts'
import { words } from '../../kit/words.ts'
import { ActButtons } from './act-dialog.tsx'
import type { Deed } from './act-dialog.tsx'
import { History, ShareBar, StateBadge } from './parts.tsx'
import { procurementText } from './text.ts'

const NO_SEARCH = new URLSearchParams()
type PackageHead = ProjectView['packages'][number]

export function Projects() {
  const text = useText(procurementText)
  const projects = useQuery({
    queryKey: ['supply', 'projects'],
    queryFn: ({ signal }) => get('/supply/projects', z.array(ProjectView), { signal }),
  })
  return (
    <QueryView query={projects} rows={5}>
      {(rows) =>
        rows.length === 0 ? (
          <EmptyState title={text.noProject} />
        ) : (
          rows.map((row) => <Project key={row.id} project={row} />)
        )
      }
    </QueryView>
  )
}

function Project({ project }: { readonly project: ProjectView }) {
  const text = useText(procurementText)
  const common = useText(words)
  const format = useFormat()
  const { estimate, packages } = project
  const begun = packages.filter(({ state }) => state !== 'pending').length
  const called = packages.reduce((sum, { calledPico }) => sum + BigInt(calledPico), 0n)
  const columns: readonly Column<PackageHead>[] = [
    {
      key: 'id',
      title: text.package,
      lead: true,
      cell: (row) => <a href={hrefTo('procurement', `package/${row.id}`, NO_SEARCH)}>{row.name}</a>,
    },
    { key: 'state', title: common.status, cell: (row) => <StateBadge state={row.state} /> },
    { key: 'ceiling', title: text.ceiling, numeric: true, cell: (row) => format.money(row.ceiling.netPico) },
    { key: 'called', title: text.called, numeric: true, cell: (row) => format.money(row.calledPico) },
    { key: 'shares', title: text.shares, cell: (row) => <ShareBar shares={row.shares} /> },
  ]
  return (
    <Panel flush title={`${project.name} · ${project.buyer}`} aside={<StateBadge state={project.state} />}>
      <MeterStrip
        label={project.name}
        meters={[
          {
            label: text.estimate,
            value: format.money(estimate.netPico),
            note: `${text.withTax(estimate.taxPercent)} ${format.money(estimate.grossPico)}`,
            tone: 'money',
          },
          { label: text.opened, value: `${begun} / ${packages.length}` },
          {
            label: text.called,
            value: format.money(called),
            note: format.percent(Number(called / 1_000_000n), Number(BigInt(estimate.netPico) / 1_000_000n)),
          },
        ]}
      />
      <DataTable label={text.projects} columns={columns} rows={packages} rowKey={(row) => row.id} empty={null} />
      <div className="panel-body">
        <History moves={project.history} />
      </div>
    </Panel>
  )
}

/** A package by its id, `project/pN`. */
export function Package({ id }: { readonly id: string }) {
  const text = useText(procurementText)
  const path = `/supply/projects/${id.split('/').map(encodeURIComponent).join('/packages/')}`
  const found = useQuery({
    queryKey: ['supply', 'package', id],
    queryFn: ({ signal }) => get(path, PackageView, { signal }),
  })
  return (
    <>
      <p>
        <a href={hrefTo('procurement', 'projects', NO_SEARCH)}>{text.back}</a>
      </p>
      <QueryView query={found} rows={6}>
        {(view) => <PackageDetail view={view} path={path} />}
      </QueryView>
    </>
  )
}

function PackageDetail({ view, path }: { readonly view: PackageView; readonly path: string }) {
  const text = useText(procurementText)
  const common = useText(words)
  const format = useFormat()
  const { terms } = view
  const { unit } = terms
  const bidColumns: readonly Column<PackageView['bids'][number]>[] = [
    { key: 'supplier', title: common.supplier, lead: true, cell: (row) => `${row.nameZh} (${row.supplier})` },
    { key: 'price', title: text.price, numeric: true, cell: (row) => format.money(row.pricePico) },
    {
      key: 'points',
      title: text.points,
      numeric: true,
      cell: (row) => (row.total === null ? '–' : format.decimal(row.total / 1000)),
    },
    {
      key: 'document',
      title: text.document,
      cell: (row) => <code className="muted wrap">{row.documentHash.slice(0, 16)}</code>,
    },
  ]
  return (
    <>
      <Panel title={`${view.name} · ${view.id}`} aside={<ActButtons deeds={deedsOf(view, path, text.orderUnits)} />}>
        <div className="stack">
          <Facts
            facts={[
              [common.status, <StateBadge key="state" state={view.state} />],
              [
                text.ceiling,
                `${format.money(view.ceiling.netPico)} (${text.withTax(view.ceiling.taxPercent)} ${format.money(view.ceiling.grossPico)})`,
              ],
              [text.called, format.money(view.calledPico)],
              [
                text.unit,
                `${unit.displayName} · ${format.count(unit.inputTokensPerMinute)} + ${format.count(unit.outputTokensPerMinute)} token/min · TTFT ≤ ${unit.ttft.atMostMs} ms · TPOT ≤ ${unit.tpot.atMostMs} ms · ${unit.region}`,
              ],
              [
                text.unitPrice,
                `${format.money(terms.unitPricePico)} · ${text.delivery(terms.deliveryDays)} · ${text.service(terms.serviceMonths)}`,
              ],
              ...(view.objectionsUntilMs === null
                ? []
                : ([[text.objectionsUntil, format.fullDateTime(view.objectionsUntilMs)]] as const)),
            ]}
          />
          <ShareBar shares={view.shares} />
        </div>
      </Panel>
      <Panel flush title={text.bids}>
        <DataTable
          label={text.bids}
          columns={bidColumns}
          rows={view.bids}
          rowKey={(row) => row.supplier}
          empty={<EmptyState title={text.noBid} />}
        />
      </Panel>
      {view.objections.length > 0 && (
        <Panel title={text.objections}>
          {view.objections.map(({ seq, raisedBy, text: said, decision, reason }) => (
            <p key={seq} className="wrap">
              {seq}. {raisedBy}: {said} {decision && `→ ${decision}, ${reason ?? ''}`}
            </p>
          ))}
        </Panel>
      )}
      <Panel title={text.history}>
        <History moves={view.history} />
      </Panel>
    </>
  )
}

/** Bids, scores and shares come from files and the command line; what is decided here is one deed with its reason. */
function deedsOf({ id, state }: PackageView, path: string, label: string): readonly Deed[] {
  if (state === 'pending') return [{ act: 'open', path: `${path}/open`, hasReason: true }]
  if (state === 'published') return [{ act: 'award', path: `${path}/award`, hasReason: true }]
  if (state === 'awarded' || state === 'contracted')
    return [{ act: 'propose', path: '/supply/call-offs', body: { package: id }, units: { label }, hasReason: true }]
  return []
}
