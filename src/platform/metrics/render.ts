import type { MetricSnapshot } from './registry.ts'

/** Sums the numbers of several threads, series by series. */
export function mergeMetrics(snapshots: readonly (readonly MetricSnapshot[])[]): MetricSnapshot[] {
  const merged = new Map<string, MetricSnapshot>()
  for (const metric of snapshots.flat()) {
    const known = merged.get(metric.name)
    merged.set(metric.name, known ? { ...known, series: mergeSeries(known.series, metric.series) } : metric)
  }
  return [...merged.values()]
}

function mergeSeries(a: MetricSnapshot['series'], b: MetricSnapshot['series']): MetricSnapshot['series'] {
  const sums = new Map(a.map((series) => [series.labels.join('\u0000'), series]))
  for (const series of b) {
    const key = series.labels.join('\u0000')
    const known = sums.get(key)
    sums.set(
      key,
      known
        ? { labels: known.labels, values: known.values.map((value, i) => value + (series.values[i] ?? 0)) }
        : series,
    )
  }
  return [...sums.values()]
}

/** Prometheus text, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export function renderMetrics(metrics: readonly MetricSnapshot[]): string {
  return metrics.map(renderMetric).join('')
}

function renderMetric(metric: MetricSnapshot): string {
  const { name, help, kind, labelNames, bounds, series } = metric
  const lines = [`# HELP ${name} ${escape(help, false)}`, `# TYPE ${name} ${kind}`]
  for (const { labels, values } of series) {
    const pairs = labelNames.map((label, i) => `${label}="${escape(labels[i] ?? '', true)}"`)
    if (kind !== 'histogram') {
      lines.push(`${name}${braces(pairs)} ${values[0] ?? 0}`)
      continue
    }
    let count = 0
    for (let i = 0; i <= bounds.length; i++) {
      count += values[i] ?? 0
      lines.push(`${name}_bucket${braces([...pairs, `le="${bounds[i] ?? '+Inf'}"`])} ${count}`)
    }
    lines.push(
      `${name}_sum${braces(pairs)} ${values[bounds.length + 1] ?? 0}`,
      `${name}_count${braces(pairs)} ${count}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function braces(pairs: readonly string[]): string {
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}

function escape(text: string, quotes: boolean): string {
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return quotes ? plain.replaceAll('"', '\\"') : plain
}
