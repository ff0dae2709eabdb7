import { use, useEffect, useRef } from 'react'
import type { ChartOption, ChartRuntime } from './chart-runtime.ts'

let runtime: Promise<ChartRuntime> | undefined

/** The drawing library is a third of all code, so it is fetched when the first chart appears and never before. */
function loadRuntime(): Promise<ChartRuntime> {
  runtime ??= import('./chart-runtime.ts').then((module) => module.chartRuntime)
  return runtime
}

/** Charts of one `group` share the pointer. `summary` is what a screen reader hears instead of the picture. */
export function Chart({
  option,
  summary,
  group,
  height = 168,
}: {
  readonly option: ChartOption
  readonly summary: string
  readonly group: string
  readonly height?: number
}) {
  const { init, connect } = use(loadRuntime())
  const holder = useRef<HTMLDivElement>(null)
  const chart = useRef<ReturnType<typeof init>>(null)

  useEffect(() => {
    const element = holder.current
    if (!element) return
    const drawn = init(element)
    drawn.group = group
    connect(group)
    chart.current = drawn
    const observer = new ResizeObserver(() => drawn.resize())
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.dispose()
      chart.current = null
    }
  }, [init, connect, group])

  useEffect(() => {
    chart.current?.setOption(option, { replaceMerge: ['series'] })
  }, [option])

  return <div ref={holder} role="img" aria-label={summary} style={{ height }} />
}
