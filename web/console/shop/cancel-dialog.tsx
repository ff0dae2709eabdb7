import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Radio, Skeleton } from 'antd'
import { useState } from 'react'
import { OrderView } from '#contract'
import type { SubscriptionView } from '#contract'
import { post } from '../../kit/api.ts'
import { FormDialog } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { ReasonField } from '../../kit/reason-field.tsx'
import { CHANGED_BY_ORDERS, newOrderKey } from './queries.ts'
import { shopText } from './text.ts'

/** Ends a subscription: what would be refunded is asked of the books themselves before anything happens. */
export function CancelDialog({
  subscription,
  onClose,
}: {
  readonly subscription: SubscriptionView
  readonly onClose: () => void
}) {
  const text = useText(shopText)
  const format = useFormat()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const [when, setWhen] = useState<'now' | 'end'>(subscription.endsAtMs === null ? 'now' : 'end')
  const [reason, setReason] = useState('')
  const [idempotencyKey] = useState(newOrderKey)
  const path = `/subscriptions/${encodeURIComponent(subscription.id)}/cancel`
  const preview = useQuery({
    queryKey: ['cancel-preview', subscription.id, when],
    queryFn: () => post(path, OrderView, { idempotencyKey: newOrderKey(), when, reason: 'preview', dryRun: true }),
    gcTime: 0,
  })
  const cancel = useMutation({
    mutationFn: () => post(path, OrderView, { idempotencyKey, when, reason: reason.trim() }),
    onSuccess: async (order) => {
      void message.success(text.ended(format.money(order.refundPico)))
      onClose()
      await Promise.all(CHANGED_BY_ORDERS.map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  return (
    <FormDialog
      open
      title={`${text.end} · ${subscription.offer}`}
      action={when === 'now' ? text.endNow : text.endLater}
      danger
      disabled={reason.trim() === '' || !preview.isSuccess}
      pending={cancel.isPending}
      error={cancel.error}
      onAct={() => cancel.mutate()}
      onClose={onClose}
    >
      <Radio.Group value={when} onChange={(event) => setWhen(event.target.value === 'now' ? 'now' : 'end')}>
        {subscription.endsAtMs !== null && (
          <Radio value="end">{text.atEnd(format.fullDateTime(subscription.endsAtMs))}</Radio>
        )}
        <Radio value="now">{text.atOnce}</Radio>
      </Radio.Group>
      {preview.isPending && <Skeleton active title={false} paragraph={{ rows: 1 }} />}
      {preview.isError && <ProblemNotice error={preview.error} />}
      {preview.isSuccess && (
        <div className={when === 'now' ? 'notice notice-warn' : 'notice notice-good'} role="status">
          <div>
            {text.refunded} <b data-testid="refund">{format.money(preview.data.refundPico)}</b>
            {when === 'now' && <div>{text.losesTheRest}</div>}
          </div>
        </div>
      )}
      <ReasonField id="cancel-reason" label={text.reason} value={reason} onChange={setReason} />
    </FormDialog>
  )
}
