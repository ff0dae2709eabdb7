import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { DocumentView } from '#contract'
import type { DocumentReply } from '#contract'
import { post } from '../../kit/api.ts'
import { FormDialog } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { CreditDialog } from './credit-dialog.tsx'
import { documentName } from './document-words.tsx'
import { PaymentDialog } from './payment-dialog.tsx'
import { financeText } from './text.ts'

type Deed = 'issue' | 'hold' | 'payment' | 'credit'

/** What an operator may do with a document in its state; each asks before it acts. */
export function DocumentActions({ document }: { readonly document: DocumentReply }) {
  const text = useText(financeText)
  const [deed, setDeed] = useState<Deed | null>(null)
  const { state, kind } = document
  const isDraft = state === 'new' || state === 'validated' || state === 'onHold'
  const isOpen = state === 'sent' || state === 'partiallyPaid'
  const deeds: readonly Deed[] = [
    ...(isDraft ? (['issue'] as const) : []),
    ...(state === 'validated' || state === 'new' ? (['hold'] as const) : []),
    ...(isOpen && kind === 'invoice' ? (['payment'] as const) : []),
    ...(kind === 'invoice' && !isDraft ? (['credit'] as const) : []),
  ]
  return (
    <div className="row">
      {deeds.map((one) => (
        <Button key={one} size="small" onClick={() => setDeed(one)}>
          {text.deeds[one]}
        </Button>
      ))}
      {(deed === 'issue' || deed === 'hold') && (
        <DecisionDialog document={document} deed={deed} onClose={() => setDeed(null)} />
      )}
      {deed === 'payment' && <PaymentDialog document={document} onClose={() => setDeed(null)} />}
      {deed === 'credit' && <CreditDialog document={document} onClose={() => setDeed(null)} />}
    </div>
  )
}

function DecisionDialog({
  document,
  deed,
  onClose,
}: {
  readonly document: DocumentReply
  readonly deed: 'issue' | 'hold'
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const format = useFormat()
  const queries = useQueryClient()
  const decide = useMutation({
    mutationFn: () => post(`/invoices/${encodeURIComponent(document.id)}/${deed}`, DocumentView, {}),
    onSuccess: async () => {
      onClose()
      await Promise.all(['document', 'documents'].map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  return (
    <FormDialog
      open
      title={`${text.deeds[deed]} · ${documentName(document)}`}
      action={text.deeds[deed]}
      pending={decide.isPending}
      error={decide.error}
      onAct={() => decide.mutate()}
      onClose={onClose}
    >
      <p>{deed === 'issue' ? text.issueAsk(format.yuan(document.gross)) : text.holdAsk}</p>
    </FormDialog>
  )
}
