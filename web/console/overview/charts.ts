import type { LivePoint } from '#contract'
import { PICO_PER_YUAN, TOKEN_CLASSES } from '#kernel'
import type { TokenClass } from '#kernel'
import type { ChartOption } from '../../kit/chart-runtime.ts'
import type { Format } from '../../kit/format.ts'
import type { Palette } from '../../kit/theme.ts'

interface Line {
  readonly name: string
  readonly color: string
  readonly kind: 'bar' | 'line'
  readonly stack?: string
  readonly area?: boolean
  /** Where the mark is drawn; null leaves a gap. */
  readonly at: (point: LivePoint) => number | null
  /** What the pointer shows, exact. */
  readonly text: (point: LivePoint) => string
}

export interface ChartNames {
  readonly served: string
  readonly failed: string
  readonly classes: Readonly<Record<TokenClass, string>>
}

/** The marks of each chart. Pixels need floats; the words beside them are made from the exact values. */
export function chartLines(format: Format, palette: Palette, names: ChartNames) {
  const optional = (value: number | null, text: (value: number) => string) => (value === null ? '–' : text(value))
  const line = { kind: 'line' } as const
  return {
    requests: [
      {
        name: names.served,
        color: palette.accent,
        kind: 'bar',
        stack: 'all',
        at: (p) => p.requests - p.failed,
        text: (p) => format.count(p.requests - p.failed),
      },
      {
        name: names.failed,
        color: palette.bad,
        kind: 'bar',
        stack: 'all',
        at: (p) => p.failed,
        text: (p) => format.count(p.failed),
      },
    ],
    tokens: TOKEN_CLASSES.map((name): Line => ({
      name: names.classes[name],
      color: palette.tokens[name],
      kind: 'bar',
      stack: 'all',
      at: (p) => p.tokens[name],
      text: (p) => format.count(p.tokens[name]),
    })),
    cost: [
      {
        ...line,
        name: '¥',
        color: palette.money,
        area: true,
        at: (p) => yuanForDrawing(p.sellPico),
        text: (p) => format.money(p.sellPico),
      },
    ],
    ttft: [
      {
        ...line,
        name: 'p50',
        color: palette.accent,
        at: (p) => p.ttftMsP50,
        text: (p) => optional(p.ttftMsP50, format.duration),
      },
      {
        ...line,
        name: 'p95',
        color: palette.money,
        at: (p) => p.ttftMsP95,
        text: (p) => optional(p.ttftMsP95, format.duration),
      },
    ],
    speed: [
      {
        ...line,
        name: '',
        color: palette.accent,
        area: true,
        at: (p) => p.outputTokensPerSecond,
        text: (p) => optional(p.outputTokensPerSecond, format.decimal),
      },
    ],
  } satisfies Record<string, readonly Line[]>
}

export type ChartName = keyof ReturnType<typeof chartLines>

export function chartOption(
  points: readonly LivePoint[],
  lines: readonly Line[],
  format: Format,
  palette: Palette,
): ChartOption {
  return {
    animation: false,
    grid: { left: 8, right: 10, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    textStyle: { fontFamily: 'inherit', color: palette.muted },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: palette.surface,
      borderColor: palette.line,
      padding: [6, 10],
      textStyle: { color: palette.ink, fontSize: 12 },
      axisPointer: { type: 'line', lineStyle: { color: palette.muted, type: 'solid', width: 1, opacity: 0.5 } },
      formatter: (marks) => {
        const index = (Array.isArray(marks) ? marks[0] : marks)?.dataIndex
        const point = index === undefined ? undefined : points[index]
        return point ? tooltipOf(point, lines, format) : document.createElement('div')
      },
    },
    xAxis: {
      type: 'category',
      data: points.map((point) => format.time(point.minuteMs)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: palette.line } },
      axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      splitNumber: 3,
      minInterval: lines.some((line) => line.kind === 'bar') ? 1 : 0,
      splitLine: { lineStyle: { color: palette.line } },
      axisLabel: { color: palette.muted, fontSize: 11, formatter: (value: number) => axisText(value, format) },
    },
    series: lines.map((line) =>
      line.kind === 'bar'
        ? {
            type: 'bar',
            name: line.name,
            data: points.map(line.at),
            itemStyle: { color: line.color },
            barCategoryGap: '25%',
            ...(line.stack ? { stack: line.stack } : {}),
          }
        : {
            type: 'line',
            name: line.name,
            data: points.map(line.at),
            lineStyle: { color: line.color, width: 1.5 },
            itemStyle: { color: line.color },
            // A minute between two empty ones has no line to lie on: only a dot shows it.
            showSymbol: true,
            symbol: 'circle',
            symbolSize: 3,
            ...(line.area ? { areaStyle: { color: line.color, opacity: 0.12 } } : {}),
          },
    ),
  }
}

function axisText(value: number, format: Format): string {
  return value !== 0 && Math.abs(value) < 1 ? String(Number(value.toPrecision(2))) : format.compact(value)
}

/** Built as elements: names come from data and must never be read as HTML. */
function tooltipOf(point: LivePoint, lines: readonly Line[], format: Format): HTMLElement {
  const box = document.createElement('div')
  const head = box.appendChild(document.createElement('div'))
  head.textContent = format.time(point.minuteMs)
  for (const line of lines) {
    const row = box.appendChild(document.createElement('div'))
    row.style.cssText = 'display:flex;justify-content:space-between;gap:14px'
    const name = row.appendChild(document.createElement('span'))
    const dot = name.appendChild(document.createElement('i'))
    dot.style.cssText = `display:inline-block;width:8px;height:8px;margin-right:6px;background:${line.color}`
    name.append(line.name)
    row.appendChild(document.createElement('b')).textContent = line.text(point)
  }
  return box
}

/** A position on an axis, to micro-yuan; never shown as an amount. */
function yuanForDrawing(picoText: string): number {
  return Number((BigInt(picoText) * 1_000_000n) / PICO_PER_YUAN) / 1_000_000
}
