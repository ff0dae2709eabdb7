import type { Transition } from '#contract'
import { useFormat } from '../../kit/language.tsx'

/** How a state came about, oldest first. */
export function Transitions({ transitions }: { readonly transitions: readonly Transition[] }) {
  const format = useFormat()
  return (
    <div>
      {transitions.map(({ from, to, atMs, by, reason }) => (
        <div key={`${atMs}-${to}`} className="cell-note wrap">
          {format.fullDateTime(atMs)} · {from === null ? to : `${from} → ${to}`} · {by} · {reason}
        </div>
      ))}
    </div>
  )
}
