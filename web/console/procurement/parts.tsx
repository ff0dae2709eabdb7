import type { SupplyTransition } from '#contract'
import { useFormat, useText } from '../../kit/language.tsx'
import { Badge } from '../../kit/layout.tsx'
import type { Tone } from '../../kit/layout.tsx'
import { procurementText } from './text.ts'

export type StateName = keyof typeof procurementText.zh.states

const GOOD: ReadonlySet<string> = new Set([
  'active',
  'inService',
  'running',
  'awarded',
  'contracted',
  'accepted',
  'completed',
])
const BAD: ReadonlySet<string> = new Set(['suspended', 'terminated', 'rejected', 'revoked', 'cancelled'])

function toneOf(state: StateName): Tone {
  if (GOOD.has(state)) return 'good'
  return BAD.has(state) ? 'bad' : 'plain'
}

export function StateBadge({ state }: { readonly state: StateName }) {
  const text = useText(procurementText)
  return <Badge tone={toneOf(state)}>{text.states[state]}</Badge>
}

/** Shares as one bar, in the order of their size. */
export function ShareBar({
  shares,
}: {
  readonly shares: ReadonlyArray<{ readonly supplier: string; readonly ppm: number }>
}) {
  const format = useFormat()
  if (shares.length === 0) return <>–</>
  return (
    <div>
      {shares.map(({ supplier, ppm }) => (
        <div key={supplier} className="row" style={{ gap: 8 }}>
          <meter min={0} max={1_000_000} value={ppm} aria-label={supplier} style={{ width: 90 }} />
          <span>
            {supplier} {format.percent(ppm, 1_000_000)}
          </span>
        </div>
      ))}
    </div>
  )
}

/** How a state came about, oldest first. */
export function History({ moves }: { readonly moves: readonly SupplyTransition[] }) {
  const format = useFormat()
  const text = useText(procurementText)
  const nameOf = (state: string): string => (text.states as Readonly<Record<string, string>>)[state] ?? state
  return (
    <div>
      {moves.map(({ from, to, atMs, by, reason }) => (
        <div key={`${atMs}-${to}`} className="cell-note wrap">
          {format.fullDateTime(atMs)} · {from === null ? nameOf(to) : `${nameOf(from)} → ${nameOf(to)}`} · {by} ·{' '}
          {reason}
        </div>
      ))}
    </div>
  )
}
