/** Numbers of one metric in a form that survives a thread boundary and can be summed. */
export interface MetricSnapshot {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending; the last, unbounded one is implied. */
  readonly bounds: readonly number[]
  readonly series: readonly { readonly labels: readonly string[]; readonly values: readonly number[] }[]
}

/** A counter or gauge with its labels bound: adding is one array operation. */
export interface Cell {
  add(amount: number): void
  set(value: number): void
}

export interface Histogram {
  observe(value: number): void
}

export interface Family<Child> {
  /** The child for these label values, made on first use. Keep it: looking it up costs more than using it. */
  with(...labels: readonly string[]): Child
}

export interface Registry {
  counter(name: string, help: string, labelNames?: readonly string[]): Family<Cell>
  gauge(name: string, help: string, labelNames?: readonly string[]): Family<Cell>
  histogram(name: string, help: string, bounds: readonly number[], labelNames?: readonly string[]): Family<Histogram>
  snapshot(): MetricSnapshot[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
/** Label values come from names that people give; beyond this many series per metric the rest is counted together. */
const MAX_SERIES = 2_000
const OVERFLOW = 'other'

interface Series {
  readonly labels: readonly string[]
  readonly values: number[]
}

export function createRegistry(): Registry {
  const metrics: (Omit<MetricSnapshot, 'series'> & { readonly series: Map<string, Series> })[] = []

  const family = <Child>(
    head: Omit<MetricSnapshot, 'series'>,
    width: number,
    child: (values: number[]) => Child,
  ): Family<Child> => {
    if (!NAME.test(head.name) || metrics.some(({ name }) => name === head.name))
      throw new Error(`metric name ${head.name} is malformed or taken`)
    const series = new Map<string, Series>()
    const children = new Map<string, Child>()
    metrics.push({ ...head, series })
    return {
      with(...labels) {
        if (labels.length !== head.labelNames.length)
          throw new Error(`${head.name} takes ${head.labelNames.length} labels`)
        const key = labels.join('\u0000')
        const known = children.get(key)
        if (known) return known
        if (children.size >= MAX_SERIES && labels.some((label) => label !== OVERFLOW))
          return this.with(...labels.map(() => OVERFLOW))
        const values = Array.from({ length: width }, () => 0)
        series.set(key, { labels, values })
        const made = child(values)
        children.set(key, made)
        return made
      },
    }
  }

  return {
    counter: (name, help, labelNames = []) => family({ name, help, kind: 'counter', labelNames, bounds: [] }, 1, cell),
    gauge: (name, help, labelNames = []) => family({ name, help, kind: 'gauge', labelNames, bounds: [] }, 1, cell),
    // Values: one count per bucket, then the unbounded bucket, then the sum.
    histogram: (name, help, bounds, labelNames = []) =>
      family({ name, help, kind: 'histogram', labelNames, bounds }, bounds.length + 2, (values) =>
        histogram(bounds, values),
      ),
    snapshot: () =>
      metrics.map(({ series, ...head }) => ({
        ...head,
        series: [...series.values()].map(({ labels, values }) => ({ labels, values: [...values] })),
      })),
  }
}

function cell(values: number[]): Cell {
  return {
    add(amount) {
      values[0] = (values[0] ?? 0) + amount
    },
    set(value) {
      values[0] = value
    },
  }
}

function histogram(bounds: readonly number[], values: number[]): Histogram {
  const last = bounds.length + 1
  return {
    observe(value) {
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++
      values[bucket] = (values[bucket] ?? 0) + 1
      values[last] = (values[last] ?? 0) + value
    },
  }
}
