import type { Sample } from './sections.ts'
import { median } from './measure.ts'

/** All rounds of one contestant. */
export interface Result {
  readonly name: string
  readonly samples: readonly Sample[]
}

type Measure = keyof Sample

function middle(result: Result | undefined, measure: Measure): number | undefined {
  const values = (result?.samples ?? []).flatMap((sample) => sample[measure] ?? [])
  return values.length === 0 ? undefined : median(values)
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

interface Column {
  readonly title: string
  readonly show: (result: Result, yardstick: Result | undefined, direct: Result | undefined) => string
}

const plain = (title: string, measure: Measure): Column => ({
  title,
  show: (result) => {
    const value = middle(result, measure)
    return value === undefined ? '–' : digits(value)
  },
})

/** How cheap it is next to the yardstick: above 1 is cheaper. */
const ratio = (title: string, measure: Measure): Column => ({
  title,
  show: (result, yardstick) => {
    const [own, other] = [middle(result, measure), middle(yardstick, measure)]
    return own === undefined || other === undefined || own === 0 ? '–' : (other / own).toFixed(2)
  },
})

const added = (title: string, measure: Measure): Column => ({
  title,
  show: (result, _yardstick, direct) => {
    const [own, other] = [middle(result, measure), middle(direct, measure)]
    return own === undefined || other === undefined || result === direct ? '–' : (own - other).toFixed(2)
  },
})

const COLUMNS: readonly Column[] = [
  plain('requests/s', 'requestsPerSecond'),
  plain('µs CPU/request', 'cpuPerRequest'),
  ratio('ratio', 'cpuPerRequest'),
  plain('µs behind/request', 'cpuBehindPerRequest'),
  plain('SSE events/s', 'eventsPerSecond'),
  plain('µs CPU/event', 'cpuPerEvent'),
  ratio('ratio', 'cpuPerEvent'),
  added('+p50 ms', 'p50Ms'),
  added('+p99 ms', 'p99Ms'),
  plain('KiB/stream', 'kibPerStream'),
  plain('growth MiB', 'growthMib'),
  plain('two workers ×', 'twoWorkersFactor'),
]

/** One Markdown table of medians; columns that nobody filled are left out. `missing` names who could not take part. */
export function table(results: readonly Result[], missing: readonly string[]): string {
  const direct = results.find((result) => result.name === 'direct')
  const yardstick = results.find((result) => result.name.startsWith('nginx'))
  const rows = results.map((result) => COLUMNS.map((column) => column.show(result, yardstick, direct)))
  const used = COLUMNS.map((_, i) => rows.some((row) => row[i] !== '–'))
  const line = (name: string, cells: readonly string[]): string =>
    `| ${[name, ...cells.filter((_, i) => used[i])].join(' | ')} |`
  return [
    line(
      '',
      COLUMNS.map((column) => column.title),
    ),
    `|---|${COLUMNS.filter((_, i) => used[i])
      .map(() => '--:')
      .join('|')}|`,
    ...results.map((result, i) => line(result.name, rows[i] ?? [])),
    ...missing.map((name) =>
      line(
        `${name}: not available here`,
        COLUMNS.map(() => '–'),
      ),
    ),
  ].join('\n')
}
