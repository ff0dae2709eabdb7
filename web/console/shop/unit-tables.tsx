import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import * as z from 'zod'
import { ConversionTable } from '#contract'
import { TOKEN_CLASSES } from '#kernel'
import { get } from '../../kit/api.ts'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge, EmptyState, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { shopText } from './text.ts'

type Version = ConversionTable['versions'][number]
type Weight = Version['weights'][number]

const TOKENS = 1_000n

/** What 1,000 tokens of each class of each service debit from packages of a unit: published, dated, exact. */
export function UnitTables() {
  const text = useText(shopText)
  const format = useFormat()
  const { tenantQuery } = useScope()
  const [nowMs] = useState(() => Date.now())
  const tables = useQuery({
    queryKey: ['tables', tenantQuery],
    queryFn: ({ signal }) => get('/tables', z.array(ConversionTable), { query: { tenant: tenantQuery }, signal }),
  })
  return (
    <QueryView query={tables} rows={6}>
      {(rows) =>
        rows.length === 0 ? (
          <Panel>
            <EmptyState title={text.noTables} />
          </Panel>
        ) : (
          <>
            <p className="muted" style={{ marginBottom: 12 }}>
              {text.unitsLead}
            </p>
            {rows.flatMap((table) =>
              table.versions.map((version) => (
                <Panel
                  key={version.id}
                  flush
                  title={
                    table.displayName === table.id ? <code>{table.id}</code> : `${table.displayName} (${table.id})`
                  }
                  aside={
                    <>
                      {version.validFromMs > nowMs ? (
                        <Badge tone="warn">{text.announced}</Badge>
                      ) : (
                        <Badge tone="good">{text.inForce}</Badge>
                      )}
                      <span>
                        {format.fullDateTime(version.validFromMs)} –{' '}
                        {version.validToMs === null ? text.untilFurther : format.fullDateTime(version.validToMs)}
                      </span>
                    </>
                  }
                >
                  <WeightTable version={version} />
                </Panel>
              )),
            )}
          </>
        )
      }
    </QueryView>
  )
}

function WeightTable({ version }: { readonly version: Version }) {
  const text = useText(shopText)
  const common = useText(words)
  const format = useFormat()
  const columns: readonly Column<Weight>[] = [
    {
      key: 'service',
      title: text.thousandTokensOf,
      lead: true,
      cell: (row) => <code className="wrap">{row.service}</code>,
    },
    ...TOKEN_CLASSES.map((name): Column<Weight> => ({
      key: name,
      title: common.tokenClasses[name],
      numeric: true,
      cell: (row) => text.debitUnits(format.units(BigInt(row.weights[name]) * TOKENS)),
    })),
  ]
  return (
    <DataTable
      label={text.units}
      columns={columns}
      rows={version.weights}
      rowKey={(row) => row.service}
      empty={<EmptyState title={text.noWeights} />}
    />
  )
}
