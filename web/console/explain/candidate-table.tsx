import type { Candidate, UsageRecord } from '#contract'
import { DataTable } from '../../kit/data-table.tsx'
import type { Column } from '../../kit/data-table.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge } from '../../kit/layout.tsx'
import { words } from '../../kit/words.ts'
import { explainText } from './text.ts'

const TERMS = ['price', 'commitment', 'network', 'affinity', 'miss', 'total'] as const
const PICO_PER_MICRO = 1e6

/** Who was considered, and each term of the score where there was something to weigh. */
export function CandidateTable({ record }: { readonly record: UsageRecord }) {
  const text = useText(explainText)
  const common = useText(words)
  const format = useFormat()
  const { candidates, attempts } = record
  const first = attempts[0]
  const isScored = candidates.some(({ score }) => score !== undefined)
  const terms = TERMS.map((name): Column<Candidate> => ({
    key: name,
    title: text.scoreTerms[name],
    numeric: true,
    cell: ({ score }) => (score ? format.decimal(score[name] / PICO_PER_MICRO) : '–'),
  }))
  const columns: readonly Column<Candidate>[] = [
    {
      key: 'supplier',
      title: common.supplier,
      lead: true,
      cell: (row) => (
        <>
          {row.supplier} <code className="muted wrap">{row.model}</code>
        </>
      ),
    },
    {
      key: 'verdict',
      title: text.verdict,
      cell: (row) =>
        row.supplier === first?.supplier && row.model === first.model ? (
          <Badge tone="good">{text.chosen}</Badge>
        ) : (
          <Badge tone={row.verdict === 'eligible' ? 'plain' : 'warn'}>{text.verdicts[row.verdict]}</Badge>
        ),
    },
    ...(isScored ? terms.slice(0, -1) : []),
    ...(isScored
      ? [
          {
            key: 'missProbability',
            title: text.missProbability,
            numeric: true,
            cell: ({ score }: Candidate) =>
              score ? format.percent(Math.round(score.missProbability * 1e6), 1e6) : '–',
          },
        ]
      : []),
    ...(isScored ? terms.slice(-1) : []),
  ]
  return (
    <>
      <DataTable
        label={text.candidates}
        columns={columns}
        rows={candidates}
        rowKey={(row) => `${row.supplier} ${row.model}`}
        empty={null}
      />
      {isScored && <p className="cell-note">{text.scoreNote}</p>}
    </>
  )
}
