import type { DocumentView } from '#contract'
import { useText } from '../../kit/language.tsx'
import { Badge } from '../../kit/layout.tsx'
import type { Tone } from '../../kit/layout.tsx'
import { financeText } from './text.ts'

const tones: Readonly<Record<DocumentView['state'], Tone>> = {
  new: 'plain',
  validated: 'plain',
  onHold: 'warn',
  sent: 'warn',
  partiallyPaid: 'warn',
  settled: 'good',
}

export function StateBadge({ document }: { readonly document: DocumentView }) {
  const text = useText(financeText)
  return (
    <>
      <Badge tone={tones[document.state]}>{text.states[document.state]}</Badge>
      {document.dunning !== 'none' && <Badge tone="bad">{text.dunning[document.dunning]}</Badge>}
    </>
  )
}

/** Its number, or that it has none yet. */
export function documentName({ number, id }: Pick<DocumentView, 'number' | 'id'>): string {
  return number ?? id
}
