import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Select } from 'antd'
import { useState } from 'react'
import { OrderView } from '#contract'
import type { Configuration, SubscriptionView } from '#contract'
import { post } from '../../kit/api.ts'
import { FormDialog, Field } from '../../kit/form-dialog.tsx'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { ConfigurationForm, firstConfiguration } from './configuration-form.tsx'
import { CHANGED_BY_ORDERS, newOrderKey, useOffers } from './queries.ts'
import { shopText } from './text.ts'

/** Changes a subscription within its kind. What is charged and refunded, or that it waits, is shown before it happens. */
export function ChangeDialog({
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
  const offers = useOffers().data ?? []
  const current = offers.find(({ id }) => id === subscription.offer)
  const [offer, setOffer] = useState(subscription.offer)
  const [configuration, setConfiguration] = useState<Configuration>(subscription.configuration)
  const [idempotencyKey] = useState(newOrderKey)
  const path = `/subscriptions/${encodeURIComponent(subscription.id)}/change`
  const wanted = { offer, configuration }
  const preview = useMutation({
    mutationFn: () => post(path, OrderView, { ...wanted, idempotencyKey: newOrderKey(), dryRun: true }),
  })
  const change = useMutation({
    mutationFn: () => post(path, OrderView, { ...wanted, idempotencyKey }),
    onSuccess: async (order) => {
      void message.success(text.orderStates[order.state])
      onClose()
      await Promise.all(CHANGED_BY_ORDERS.map((name) => queries.invalidateQueries({ queryKey: [name] })))
    },
  })
  const choices = offers.filter(
    ({ kind, state, id }) => kind === current?.kind && (state === 'launched' || id === offer),
  )
  const chosen = offers.find(({ id }) => id === offer)
  const reset = () => preview.reset()
  return (
    <FormDialog
      open
      title={`${text.change} · ${subscription.offer}`}
      action={text.change}
      disabled={!preview.isSuccess}
      pending={change.isPending}
      error={change.error}
      onAct={() => change.mutate()}
      onClose={onClose}
    >
      <Field label={text.offer} htmlFor="change-offer">
        <Select
          id="change-offer"
          value={offer}
          options={choices.map(({ id, name }) => ({ value: id, label: name === id ? id : `${name} (${id})` }))}
          onChange={(id: string) => {
            setOffer(id)
            const next = offers.find((one) => one.id === id)
            setConfiguration(
              id === subscription.offer || !next ? subscription.configuration : firstConfiguration(next.offer),
            )
            reset()
          }}
        />
      </Field>
      {chosen && (
        <ConfigurationForm
          offer={chosen.offer}
          value={configuration}
          onChange={(next) => {
            setConfiguration(next)
            reset()
          }}
        />
      )}
      {preview.isError && <ProblemNotice error={preview.error} />}
      {preview.isSuccess ? (
        <div className="notice notice-warn" role="status">
          <Facts
            facts={
              preview.data.state === 'pending'
                ? [[text.begins, text.withNextTerm]]
                : [
                    [text.begins, text.atOnce],
                    [text.toPay, format.money(preview.data.grossPico)],
                    [text.refunded, format.money(preview.data.refundPico)],
                  ]
            }
          />
        </div>
      ) : (
        <Button loading={preview.isPending} onClick={() => preview.mutate()}>
          {text.showCost}
        </Button>
      )}
    </FormDialog>
  )
}
