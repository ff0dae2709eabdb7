import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Input, Select } from 'antd'
import { useState } from 'react'
import { PaymentView } from '#contract'
import type { DocumentView } from '#contract'
import { post } from '../../kit/api.ts'
import { FormDialog, Field } from '../../kit/form-dialog.tsx'
import { freshReference } from '../../kit/fresh-reference.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { useScope, useTenants } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { documentName } from './document-words.tsx'
import { isFen, openAmount } from './fen-text.ts'
import { financeText } from './text.ts'

/** Money that arrived, for one document or for whatever is due first; what is left goes into the wallet. */
export function PaymentDialog({
  document,
  onClose,
}: {
  readonly document: DocumentView | null
  readonly onClose: () => void
}) {
  const text = useText(financeText)
  const common = useText(words)
  const format = useFormat()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const scope = useScope()
  const tenants = useTenants()
  const [tenant, setTenant] = useState<string | null>(document?.tenant ?? scope.tenant)
  const [amountYuan, setAmount] = useState(document ? openAmount(document) : '')
  const [reference, setReference] = useState(() => freshReference('payment'))
  const pay = useMutation({
    mutationFn: () =>
      post('/payments', PaymentView, {
        reference: reference.trim(),
        tenant,
        amountYuan: amountYuan.trim(),
        ...(document ? { document: document.id } : {}),
      }),
    onSuccess: async (payment) => {
      void message.success(text.paid(format.yuan(payment.amount), format.yuan(payment.rest)))
      onClose()
      await Promise.all(
        ['document', 'documents', 'payments', 'balance', 'ledger', 'tenants'].map((name) =>
          queries.invalidateQueries({ queryKey: [name] }),
        ),
      )
    },
  })
  const isComplete = tenant !== null && isFen(amountYuan) && reference.trim() !== ''
  return (
    <FormDialog
      open
      title={document ? `${text.recordPayment} · ${documentName(document)}` : text.recordPayment}
      action={isComplete ? text.recordAmount(format.yuan(amountYuan.trim())) : text.recordPayment}
      disabled={!isComplete}
      pending={pay.isPending}
      error={pay.error}
      onAct={() => pay.mutate()}
      onClose={onClose}
    >
      <Field label={common.tenant} htmlFor="payment-tenant">
        <Select
          id="payment-tenant"
          value={tenant}
          disabled={document !== null}
          showSearch={{ optionFilterProp: 'label' }}
          options={(tenants.data ?? []).map(({ id, displayName }) => ({ value: id, label: `${displayName} (${id})` }))}
          onChange={setTenant}
        />
      </Field>
      <Field label={text.amountYuan} htmlFor="payment-amount" note={document ? undefined : text.paymentOrder}>
        <Input
          id="payment-amount"
          inputMode="decimal"
          prefix="¥"
          maxLength={20}
          autoComplete="off"
          value={amountYuan}
          status={amountYuan !== '' && !isFen(amountYuan) ? 'error' : ''}
          onChange={(event) => setAmount(event.target.value)}
        />
      </Field>
      <Field label={text.reference} htmlFor="payment-reference" note={text.referenceOnce}>
        <Input
          id="payment-reference"
          maxLength={120}
          autoComplete="off"
          value={reference}
          onChange={(event) => setReference(event.target.value)}
        />
      </Field>
    </FormDialog>
  )
}
