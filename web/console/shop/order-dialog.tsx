import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Modal } from 'antd'
import { useState } from 'react'
import { BalanceView, OrderView, QuoteView } from '#contract'
import type { Configuration, OfferView } from '#contract'
import { get, post } from '../../kit/api.ts'
import { useFormat, useText } from '../../kit/language.tsx'
import { Facts } from '../../kit/layout.tsx'
import { ProblemNotice } from '../../kit/problem-notice.tsx'
import { hrefTo, useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { words } from '../../kit/words.ts'
import { ConfigurationForm, firstConfiguration } from './configuration-form.tsx'
import { Entitlements } from './entitlements.tsx'
import { useOfferWords } from './offer-words.tsx'
import { OrderBadge } from './order-badge.tsx'
import { CHANGED_BY_ORDERS, newOrderKey } from './queries.ts'
import { shopText } from './text.ts'

/** Choose, then see the exact price and terms, then pay; and what came of it. */
export function OrderDialog({
  view,
  tenant,
  onClose,
}: {
  readonly view: OfferView
  readonly tenant: string
  readonly onClose: () => void
}) {
  const text = useText(shopText)
  const [configuration, setConfiguration] = useState<Configuration>(() => firstConfiguration(view.offer))
  const quote = useMutation({
    mutationFn: () => post('/quotes', QuoteView, { tenant, offer: view.id, configuration }),
  })
  return (
    <Modal open onCancel={onClose} title={`${text.order} · ${view.name}`} footer={null} destroyOnHidden width={560}>
      {quote.data ? (
        <Quoted view={view} quote={quote.data} onBack={() => quote.reset()} onClose={onClose} />
      ) : (
        <div className="stack">
          <ConfigurationForm offer={view.offer} value={configuration} onChange={setConfiguration} />
          {quote.isError && <ProblemNotice error={quote.error} />}
          <Button type="primary" block loading={quote.isPending} onClick={() => quote.mutate()}>
            {text.getQuote}
          </Button>
        </div>
      )}
    </Modal>
  )
}

function Quoted({
  view,
  quote,
  onBack,
  onClose,
}: {
  readonly view: OfferView
  readonly quote: QuoteView
  readonly onBack: () => void
  readonly onClose: () => void
}) {
  const text = useText(shopText)
  const format = useFormat()
  const { tenantQuery } = useScope()
  const queries = useQueryClient()
  const { facts } = useOfferWords(view.offer)
  const [idempotencyKey] = useState(newOrderKey)
  const balance = useQuery({
    queryKey: ['balance', quote.tenant],
    queryFn: ({ signal }) => get('/balance', BalanceView, { query: { tenant: tenantQuery }, signal }),
  })
  const order = useMutation({
    mutationFn: () => post('/orders', OrderView, { tenant: quote.tenant, idempotencyKey, quote: quote.id }),
    onSuccess: () => Promise.all(CHANGED_BY_ORDERS.map((name) => queries.invalidateQueries({ queryKey: [name] }))),
  })
  if (order.data) return <Outcome order={order.data} quote={quote} onClose={onClose} />
  return (
    <div className="stack">
      <Facts
        facts={[
          [
            text.toPay,
            <b key="gross" className="tone-money" data-testid="quote-gross">
              {format.money(quote.grossPico)}
            </b>,
          ],
          [text.netAndTax(quote.taxPercent), `${format.money(quote.netPico)} + ${format.money(quote.taxPico)}`],
          [text.from, format.fullDateTime(quote.fromMs)],
          [text.to, quote.toMs === null ? text.untilEnded : format.fullDateTime(quote.toMs)],
          [text.brings, <Entitlements key="brings" entitlements={quote.entitlements} />],
          ...(balance.data
            ? ([
                [text.availableNow, format.money(balance.data.availablePico)],
                [
                  text.availableAfter,
                  <Rest key="rest" pico={BigInt(balance.data.availablePico) - BigInt(quote.grossPico)} />,
                ],
              ] as const)
            : []),
          [text.holdsUntil, format.time(quote.expiresAtMs)],
        ]}
      />
      <details>
        <summary>{text.allTerms}</summary>
        <div style={{ marginTop: 8 }}>
          <Facts facts={facts} />
        </div>
      </details>
      {order.isError && <ProblemNotice error={order.error} />}
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button disabled={order.isPending} onClick={onBack}>
          {text.back}
        </Button>
        <Button type="primary" loading={order.isPending} onClick={() => order.mutate()}>
          {text.pay(format.money(quote.grossPico))}
        </Button>
      </div>
    </div>
  )
}

function Rest({ pico }: { readonly pico: bigint }) {
  const format = useFormat()
  return <span className={pico < 0n ? 'tone-bad' : undefined}>{format.money(pico)}</span>
}

function Outcome({
  order,
  quote,
  onClose,
}: {
  readonly order: OrderView
  readonly quote: QuoteView
  readonly onClose: () => void
}) {
  const text = useText(shopText)
  const common = useText(words)
  const format = useFormat()
  const { search } = useRoute()
  return (
    <div className="stack">
      <div className="row">
        <OrderBadge state={order.state} />
        <code className="wrap">{order.id}</code>
      </div>
      {order.failure && (
        <div className="notice notice-bad" role="alert">
          <div>
            <strong>{text.orderFailed}</strong>
            <div className="notice-detail">
              {order.failure.code} · {order.failure.detail}
            </div>
          </div>
        </div>
      )}
      {order.state === 'acknowledged' && <p>{text.waitsForApproval}</p>}
      {order.state === 'completed' && (
        <Facts
          facts={[
            [text.paid, format.money(order.grossPico)],
            [text.brings, <Entitlements key="brings" entitlements={quote.entitlements} />],
            [text.to, quote.toMs === null ? text.untilEnded : format.fullDateTime(quote.toMs)],
          ]}
        />
      )}
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <a href={hrefTo('shop', 'subscriptions', search)}>{text.subscriptions}</a>
        <Button type="primary" onClick={onClose}>
          {common.close}
        </Button>
      </div>
    </div>
  )
}
