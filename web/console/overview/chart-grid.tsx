import { Skeleton } from 'antd'
import { Suspense, useMemo } from 'react'
import type { LivePoint } from '#contract'
import { Chart } from '../../kit/chart.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { palettes, useScheme } from '../../kit/theme.ts'
import { words } from '../../kit/words.ts'
import { chartLines, chartOption } from './charts.ts'
import type { ChartName } from './charts.ts'
import type { LiveTotals } from './live-totals.ts'
import { overviewText } from './text.ts'

const ORDER: readonly ChartName[] = ['requests', 'tokens', 'cost', 'ttft', 'speed']

export function ChartGrid({ points, totals }: { readonly points: readonly LivePoint[]; readonly totals: LiveTotals }) {
  const text = useText(overviewText)
  const common = useText(words)
  const format = useFormat()
  const palette = palettes[useScheme()]
  const charts = useMemo(() => {
    const names = { served: text.charts.served, failed: text.charts.failed, classes: common.tokenClasses }
    const lines = chartLines(format, palette, names)
    return ORDER.map((name) => ({
      name,
      lines: lines[name],
      option: chartOption(points, lines[name], format, palette),
    }))
  }, [points, format, palette, text, common])
  const summaries: Readonly<Record<ChartName, string>> = {
    requests: format.count(totals.requests),
    tokens: format.count(totals.allTokens),
    cost: format.money(totals.sellPico),
    ttft: '–',
    speed: '–',
  }
  return (
    <div className="charts">
      {charts.map(({ name, lines, option }) => (
        <div key={name} className={name === 'tokens' ? 'wide' : undefined}>
          <Panel
            title={text.charts[name]}
            aside={
              lines.length > 1 && (
                <span className="legend">
                  {lines.map((line) => (
                    <span key={line.name}>
                      <i style={{ background: line.color }} />
                      {line.name}
                    </span>
                  ))}
                </span>
              )
            }
          >
            <Suspense fallback={<Skeleton active title={false} paragraph={{ rows: 4 }} />}>
              <Chart option={option} group="live" summary={text.charts.summary(text.charts[name], summaries[name])} />
            </Suspense>
          </Panel>
        </div>
      ))}
    </div>
  )
}
