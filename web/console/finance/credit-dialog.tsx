import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Input, Radio } from 'antd'
import { useState } from 'react'
import { DocumentView } from '#contract'
import type { DocumentReply } from '#contract'
import { post } from '../../kit/api.ts'
import { FormDialog, Field } from '../../kit/form-dialog.tsx'
import { freshReference } from '../../kit/fresh-reference.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { documentName } from './document-words.tsx'
import { isFen } from './fen-text.ts'
import { financeText } from './text.ts'

/** A credit note over all that is left of an invoice, or over amounts of single lines. */
export function CreditDialog({
  document,
  onClose,
}: {
  readonly document: DocumentReply
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const format = useFormat()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const [reference] = useState(() => freshReference('credit'))
  const [reason, setReason] = useState('')
  const [isWhole, setIsWhole] = useState(true)
  const [amounts, setAmounts] = useState<Readonly<Record<number, string>>>({})
  const lines = Object.entries(amounts)
    .filter(([, amount]) => amount.trim() !== '')
    .map(([position, amountYuan]) => ({ position: Number(position), amountYuan: amountYuan.trim() }))
  const credit = useMutation({
    mutationFn: () =>
      post(`/invoices/${encodeURIComponent(document.id)}/credit`, DocumentView, {
        reference,
        reason: reason.trim(),
        ...(isWhole ? {} : { lines }),
      }),
    onSuccess: async (note) => {
      void message.success(text.credited(documentName(note), format.yuan(note.gross)))
      onClose()
      await Promise.all(['document', 'documents'].map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  const isComplete =
    reason.trim() !== '' && (isWhole || (lines.length > 0 && lines.every(({ amountYuan }) => isFen(amountYuan))))
  return (
    <FormDialog
      open
      width={640}
      title={`${text.deeds.credit} · ${documentName(document)}`}
      action={text.deeds.credit}
      danger
      disabled={!isComplete}
      pending={credit.isPending}
      error={credit.error}
      onAct={() => credit.mutate()}
      onClose={onClose}
    >
      <p className="muted">{text.creditLead}</p>
      <Radio.Group value={isWhole} onChange={(event) => setIsWhole(event.target.value === true)}>
        <Radio value={true}>{text.creditWhole}</Radio>
        <Radio value={false}>{text.creditLines}</Radio>
      </Radio.Group>
      {!isWhole &&
        document.lines.map((line) => (
          <Field
            key={line.position}
            label={`${line.position}. ${line.description}`}
            htmlFor={`credit-line-${line.position}`}
            note={text.dueOf(format.yuan(line.due))}
          >
            <Input
              id={`credit-line-${line.position}`}
              inputMode="decimal"
              prefix="¥"
              maxLength={20}
              value={amounts[line.position] ?? ''}
              status={amounts[line.position] && !isFen(amounts[line.position] ?? '') ? 'error' : ''}
              onChange={(event) => setAmounts({ ...amounts, [line.position]: event.target.value })}
            />
          </Field>
        ))}
      <ReasonField id="credit-reason" label={text.reason} value={reason} onChange={setReason} />
    </FormDialog>
  )
}
