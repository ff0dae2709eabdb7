import type { OrderView } from '#contract'
import { Problem, formatYuan } from '#kernel'
import type { Ordering } from '#ordering'
import type { ExactObject } from '#platform/json'
import type { Wish } from './order-item.ts'
import { ids, money, ref } from './refs.ts'

const REASON = 'ordered by the business support system'
const THE_BSS = { by: 'business support system', isOperator: true } as const

/** What an item adds to its order, and what it cost. */
export interface Outcome {
  readonly attributes: ExactObject
  readonly grossPico: bigint
  readonly netPico: bigint
}

/** Orders one item, once per key, and says what came of it. A refusal is the item's fate, not a failure of the request. */
export async function act(ordering: Ordering, wish: Wish, tenant: string, key: string): Promise<Outcome> {
  try {
    return outcome(await place(ordering, wish, tenant, key))
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const note = [{ author: 'factory', text: `${error.type.code}: ${error.message}` }]
    return { attributes: { state: 'rejected', note }, grossPico: 0n, netPico: 0n }
  }
}

async function place(ordering: Ordering, wish: Wish, tenant: string, idempotencyKey: string): Promise<OrderView> {
  switch (wish.action) {
    case 'add':
      return ordering.order({ tenant, idempotencyKey, offer: wish.offer, configuration: wish.configuration }, THE_BSS)
    case 'modify': {
      const { subscription, offer, configuration } = wish
      return ordering.change({ tenant, idempotencyKey, subscription, offer, configuration }, THE_BSS)
    }
    case 'delete':
      return ordering.cancel(
        { tenant, idempotencyKey, subscription: wish.subscription, when: 'now', reason: REASON },
        THE_BSS,
      )
  }
}

function outcome({ state, subscription, grossPico, netPico, refundPico, failure }: OrderView): Outcome {
  const [gross, net] = [BigInt(grossPico), BigInt(netPico)]
  const product = { api: 'productInventory', resource: 'product', type: 'Product' } as const
  const attributes = {
    state,
    itemTotalPrice: [totalPrice(gross, net)],
    ...(subscription === null ? {} : { product: ref({ ...product, id: ids.subscription(subscription) }) }),
    ...noteOf(failure, refundPico),
  }
  return { attributes, grossPico: gross, netPico: net }
}

function noteOf(failure: OrderView['failure'], refundPico: string): ExactObject {
  const texts = [
    ...(failure ? [`${failure.code}: ${failure.detail}`] : []),
    ...(refundPico === '0' ? [] : [`${formatYuan(BigInt(refundPico))} yuan were refunded.`]),
  ]
  return texts.length > 0 ? { note: texts.map((text) => ({ author: 'factory', text })) } : {}
}

export function totalPrice(gross: bigint, net: bigint): ExactObject {
  return { priceType: 'total', price: { taxIncludedAmount: money(gross), dutyFreeAmount: money(net) } }
}

/** What became of the whole: one state if all items share it, `partial` if only some came about. */
export function overallState(items: readonly ExactObject[]): string {
  const states = new Set(items.map(({ state }) => (typeof state === 'string' ? state : 'acknowledged')))
  const [only] = states
  if (states.size === 1 && only !== undefined) return only
  if (['acknowledged', 'pending', 'held', 'inProgress'].some((open) => states.has(open))) return 'inProgress'
  return states.has('completed') ? 'partial' : 'failed'
}
