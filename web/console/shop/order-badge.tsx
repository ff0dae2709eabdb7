import type { OrderState, SubscriptionState } from '#contract'
import { useText } from '../../kit/language.tsx'
import { Badge } from '../../kit/layout.tsx'
import { shopText } from './text.ts'

export function OrderBadge({ state }: { readonly state: OrderState }) {
  const text = useText(shopText)
  const isBad = state === 'failed' || state === 'rejected'
  return <Badge tone={state === 'completed' ? 'good' : isBad ? 'bad' : 'warn'}>{text.orderStates[state]}</Badge>
}

export function SubscriptionBadge({ state }: { readonly state: SubscriptionState }) {
  const text = useText(shopText)
  const tone = state === 'active' ? 'good' : state === 'terminated' || state === 'cancelled' ? 'plain' : 'warn'
  return <Badge tone={tone}>{text.subscriptionStates[state]}</Badge>
}
