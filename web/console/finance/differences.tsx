import { useState } from 'react'
import type { ReconcileReply } from '#contract'
import { Id } from '../../kit/copy.tsx'
import { useText } from '../../kit/language.tsx'
import { ExplainDrawer } from '../explain/explain-drawer.tsx'
import { financeText } from './text.ts'

/** What does not agree, in red, with the requests behind it; each opens as what is known about it. */
export function Differences({ differences }: { readonly differences: ReconcileReply['differences'] }) {
  const text = useText(financeText)
  const [request, setRequest] = useState<string | null>(null)
  return (
    <div className="stack">
      {differences.map((one, index) => (
        <div key={`${index}-${one.stage}`}>
          <p className="tone-bad">
            <b>{text.stages[one.stage]}</b> · {text.expectedFound(one.expected, one.found)}
          </p>
          {one.posting !== null && (
            <p className="cell-note wrap">
              {text.posting} <Id id={one.posting} />
            </p>
          )}
          <div className="tags">
            {one.requests.map((id) => (
              <button key={id} type="button" className="plain-button link" onClick={() => setRequest(id)}>
                <Id id={id} short />
              </button>
            ))}
          </div>
        </div>
      ))}
      <ExplainDrawer id={request} onClose={() => setRequest(null)} />
    </div>
  )
}
