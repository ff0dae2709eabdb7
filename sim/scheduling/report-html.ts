import type { Comparison, ComparisonRow } from './comparison.ts'
import type { ReliabilityBin } from './measures.ts'
import { curves, escapeText, scatter, stacks } from './plots.ts'
import { estimate } from './statistics.ts'
import { COLUMNS, differences, shown } from './table.ts'

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1200px;color:#1f2937}
table{border-collapse:collapse;font-size:12px}td,th{padding:.25rem .6rem;border-bottom:1px solid #e5e7eb;text-align:right}
td:first-child,th:first-child{text-align:left}figure{display:inline-block;margin:0 1rem 1rem 0;width:560px;vertical-align:top}
figcaption{font-weight:600}svg{width:100%;font:11px system-ui,sans-serif;fill:#374151}.grid{stroke:#e5e7eb}.title{font-weight:600}`

const percent = (digits: number) => (value: number) => `${(100 * value).toFixed(digits)} %`
const seconds = (value: number) => `${(value / 1_000).toFixed(1)} s`

/** One page with everything that was compared: no script, nothing to load. */
export function reportHtml(comparisons: readonly Comparison[], command: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Scheduling, simulated</title><style>${STYLE}</style>
<h1>Scheduling, simulated</h1><p><code>${escapeText(command)}</code></p>
<p>Means over seeds with 95 % intervals (Student’s t). All policies meet the same demand, suppliers, incidents and luck.</p>
${comparisons.map(section).join('')}</html>\n`
}

function section(comparison: Comparison): string {
  const { rows, scenario, workload } = comparison
  return `<h2>${escapeText(workload)}: ${escapeText(scenario)}</h2>${tableHtml(rows)}
<p>${differences(comparison).split('\n').map(escapeText).join('<br>')}</p>
${figure('What it costs, and how much is late or lost', costAgainstMisses(rows))}
${figure('Time to first token', firstTokens(rows))}
${figure('Who served it, by tokens', stacks(rows.map(sharesOf)))}
${figure('Probability of a miss: said and seen', reliability(rows))}`
}

const figure = (caption: string, svg: string) => `<figure><figcaption>${caption}</figcaption>${svg}</figure>`

function tableHtml(rows: readonly ComparisonRow[]): string {
  const head = COLUMNS.map(({ title }) => `<th>${escapeText(title)}</th>`).join('')
  const lines = rows.map(({ policy, estimates }) => {
    const cells = COLUMNS.map(({ show }, i) => `<td>${shown(estimates[i]!, show)}</td>`).join('')
    return `<tr><td>${escapeText(policy.title)}</td>${cells}</tr>`
  })
  return `<table><tr><th>policy</th>${head}</tr>${lines.join('')}</table>`
}

const LEAST_MISSES = 0.0005

function costAgainstMisses(rows: readonly ComparisonRow[]): string {
  const points = rows.map(({ policy, runs }) => {
    const cost = estimate(runs.map(({ costPerMillion }) => costPerMillion))
    const miss = estimate(runs.map(({ goodput }) => 1 - goodput))
    return { name: policy.title, x: cost.mean, xMargin: cost.margin, y: Math.max(LEAST_MISSES, miss.mean), yMargin: 0 }
  })
  const costs = points.map(({ x }) => x)
  return scatter(
    {
      title: '¥ per million tokens',
      from: 0.9 * Math.min(...costs),
      to: 1.1 * Math.max(...costs),
      show: (x) => x.toFixed(2),
    },
    { title: 'not good, of offered', from: LEAST_MISSES, to: 1, isLog: true, show: percent(1) },
    points,
  )
}

function firstTokens(rows: readonly ComparisonRow[]): string {
  const lines = rows.map(({ policy, runs }) => ({
    name: policy.title,
    points: (['ttftP50', 'ttftP95', 'ttftP99'] as const).map(
      (name, i) => [i, Math.max(1, estimate(runs.map((run) => run[name])).mean)] as const,
    ),
  }))
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, ms]) => ms)))
  const least = Math.min(...lines.flatMap(({ points }) => points.map(([, ms]) => ms)))
  const names = ['p50', '', 'p95', '', 'p99']
  return curves(
    { title: 'quantile', from: 0, to: 2, show: (at) => names[Math.round(2 * at)] ?? '' },
    { title: 'seconds', from: least / 1.2, to: 1.2 * most, isLog: true, show: seconds },
    lines,
  )
}

function sharesOf({ policy, runs }: ComparisonRow) {
  const names = Object.keys(runs[0]?.shares ?? {})
  const parts = names.map((name) => [name, estimate(runs.map(({ shares }) => shares[name] ?? 0)).mean])
  return { name: policy.title, parts: Object.fromEntries(parts) as Record<string, number> }
}

const LEAST_SHOWN = 0.001
/** Fewer requests than this say nothing of a rate. */
const LEAST_REQUESTS = 30

function reliability(rows: readonly ComparisonRow[]): string {
  const axis = { from: LEAST_SHOWN, to: 1, isLog: true, show: percent(1) }
  const lines = rows.flatMap(({ policy, runs }) => {
    const points = summed(runs.map(({ reliability }) => reliability))
      .filter(({ requests }) => requests >= LEAST_REQUESTS)
      .map(
        ({ requests, predicted, missed }) =>
          [Math.max(LEAST_SHOWN, predicted / requests), Math.max(LEAST_SHOWN, missed / requests)] as const,
      )
    return points.length === 0 ? [] : [{ name: policy.title, points }]
  })
  return curves({ ...axis, title: 'said' }, { ...axis, title: 'seen' }, lines, true)
}

function summed(runs: readonly (readonly ReliabilityBin[])[]): ReliabilityBin[] {
  return (runs[0] ?? []).map(({ upTo }, bin) => ({
    upTo,
    requests: runs.reduce((sum, bins) => sum + bins[bin]!.requests, 0),
    predicted: runs.reduce((sum, bins) => sum + bins[bin]!.predicted, 0),
    missed: runs.reduce((sum, bins) => sum + bins[bin]!.missed, 0),
  }))
}
