import { useMemo } from 'react'
import type { NocReply } from '#contract'
import { Chart } from '../../kit/chart.tsx'
import type { ChartOption } from '../../kit/chart-runtime.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { palettes, useScheme } from '../../kit/theme.ts'
import { nocText } from './text.ts'

const SHOWN = 30
const MINUTE_MS = 60_000

/** Served and turned away, minute by minute; minutes of which nothing is known are empty. */
export function DemandChart({ reply }: { readonly reply: NocReply }) {
  const text = useText(nocText)
  const format = useFormat()
  const palette = palettes[useScheme()]
  const { atMs: nowMs, minutes: known } = reply
  const minutes = useMemo(() => wholeHalfHour(nowMs, known), [nowMs, known])
  const option = useMemo((): ChartOption => {
    const axis = { color: palette.muted, fontSize: 11 }
    const bars = (name: string, color: string, data: readonly number[]) => ({
      type: 'bar' as const,
      stack: 'all',
      barMaxWidth: 26,
      name,
      itemStyle: { color },
      data: [...data],
    })
    return {
      animation: false,
      grid: { left: 8, right: 10, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      textStyle: { fontFamily: 'inherit', color: palette.muted },
      tooltip: {
        trigger: 'axis',
        confine: true,
        backgroundColor: palette.surface,
        borderColor: palette.line,
        textStyle: { color: palette.ink, fontSize: 12 },
      },
      xAxis: {
        type: 'category',
        data: minutes.map(({ atMs }) => format.time(atMs)),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: palette.line } },
        axisLabel: { ...axis, hideOverlap: true },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        splitNumber: 3,
        splitLine: { lineStyle: { color: palette.line } },
        axisLabel: axis,
      },
      series: [
        bars(
          text.served,
          palette.accent,
          minutes.map(({ requests }) => requests),
        ),
        bars(
          text.shed,
          palette.bad,
          minutes.map(({ shed }) => shed),
        ),
      ],
    }
  }, [minutes, format, palette, text])
  const total = (of: (minute: Bar) => number) => format.count(minutes.reduce((sum, minute) => sum + of(minute), 0))
  return (
    <Chart
      option={option}
      group="noc"
      summary={text.summary(
        total((minute) => minute.requests),
        total((minute) => minute.shed),
      )}
    />
  )
}

interface Bar {
  readonly atMs: number
  readonly requests: number
  readonly shed: number
}

function wholeHalfHour(nowMs: number, known: NocReply['minutes']): readonly Bar[] {
  const last = Math.floor(nowMs / MINUTE_MS)
  return Array.from({ length: SHOWN }, (_, i) => {
    const atMs = (last - SHOWN + 1 + i) * MINUTE_MS
    return known.find((minute) => minute.atMs === atMs) ?? { atMs, requests: 0, shed: 0 }
  })
}
