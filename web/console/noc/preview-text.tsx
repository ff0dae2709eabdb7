import type { DrainPreview } from '#contract'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { words } from '../../kit/words.ts'
import { nocText } from './text.ts'

/** Where the supplier's traffic would go, what that does to the others, and what it costs. */
export function PreviewText({ preview }: { readonly preview: DrainPreview }) {
  const text = useText(nocText)
  const common = useText(words)
  const format = useFormat()
  if (!preview.isKnown) return <p>{text.previewUnknown}</p>
  if (preview.moves.length === 0) return <p>{text.previewNothing}</p>
  const { before, after } = preview.costPerMinutePico
  const change = before === 0 ? null : (after - before) / before
  return (
    <div className="stack">
      <strong>{text.previewMoves}</strong>
      <Facts
        facts={preview.moves.map(({ service, tier, requestsPerMinute, to, lostPerMinute }) => [
          `${service} · ${common.tiers[tier]} · ${format.decimal(requestsPerMinute)}`,
          <span key={`${service} ${tier}`}>
            {to.map((one) => `${one.supplier} ${format.decimal(one.requestsPerMinute)}`).join(', ')}
            {lostPerMinute > 0 && (
              <span className="tone-bad">
                {to.length > 0 ? ', ' : ''}
                {text.nobodyElse} {format.decimal(lostPerMinute)}
              </span>
            )}
          </span>,
        ])}
      />
      <strong>{text.loads}</strong>
      <Facts
        facts={preview.loads.map(({ supplier, before: now, after: then, maxConcurrency }) => [
          supplier,
          text.loadText(format.decimal(now), format.decimal(then), format.count(maxConcurrency)),
        ])}
      />
      {change !== null && (
        <p>{text.costChange(`${change > 0 ? '+' : ''}${format.percent(Math.round(change * 1e6), 1e6)}`)}</p>
      )}
      <p className="cell-note">{text.previewNote}</p>
    </div>
  )
}
