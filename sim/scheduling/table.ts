import type { Comparison } from './comparison.ts'
import type { Measures } from './measures.ts'
import { pairedDifference } from './statistics.ts'
import type { Estimate } from './statistics.ts'

interface Column {
  readonly title: string
  readonly of: (each: Measures) => number
  readonly show: (value: number) => string
}

const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const seconds = (value: number) => `${(value / 1_000).toFixed(2)} s`
const plain = (digits: number) => (value: number) => value.toFixed(digits)

export const COLUMNS: readonly Column[] = [
  { title: 'good/offered', of: (each) => each.goodput, show: percent },
  { title: '¥/M', of: (each) => each.costPerMillion, show: plain(3) },
  { title: 'unused/M', of: (each) => each.shortfallPerMillion, show: plain(3) },
  { title: 'TTFT p50', of: (each) => each.ttftP50, show: seconds },
  { title: 'p95', of: (each) => each.ttftP95, show: seconds },
  { title: 'p99', of: (each) => each.ttftP99, show: seconds },
  { title: 'TPOT p50', of: (each) => each.tpotP50, show: plain(1) },
  { title: 'p95', of: (each) => each.tpotP95, show: plain(1) },
  { title: 'shed', of: (each) => each.shed, show: percent },
  { title: 'failed', of: (each) => each.failed, show: percent },
  { title: 'extra calls', of: (each) => each.extraCalls, show: percent },
  { title: 'cache', of: (each) => each.hitRate, show: percent },
  { title: 'Jain', of: (each) => each.jain, show: plain(3) },
  { title: 'Brier', of: (each) => each.brier, show: plain(4) },
]

/** With its margin only where there is one to speak of. */
export function shown({ mean, margin }: Estimate, show: (value: number) => string): string {
  if (Number.isNaN(mean)) return '–'
  return Number.isNaN(margin) || show(margin) === show(0) ? show(mean) : `${show(mean)} ±${show(margin)}`
}

/** Lines of text in columns, for a terminal and for documents. */
export function table({ rows }: Comparison): string {
  const cells = [
    ['policy', ...COLUMNS.map(({ title }) => title)],
    ...rows.map(({ policy, estimates }) => [
      policy.title,
      ...COLUMNS.map((column, i) => shown(estimates[i]!, column.show)),
    ]),
  ]
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const lines = cells.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}

/** What the first policy has over each of the others, seed by seed. */
export function differences({ rows }: Comparison): string {
  const [first, ...others] = rows
  if (!first || first.runs.length < 2) return ''
  const points = (value: number) => `${(100 * value).toFixed(2)} points`
  return others
    .map(({ policy, runs }) => {
      const cost = pairedDifference(
        first.runs.map((run, i) => run.costPerMillion / runs[i]!.costPerMillion),
        runs.map(() => 1),
      )
      const good = pairedDifference(
        first.runs.map((run) => run.goodput),
        runs.map((run) => run.goodput),
      )
      return `${first.policy.title} against ${policy.title}: cost ${shown(cost, percent)}, good ${shown(good, points)}`
    })
    .join('\n')
}
