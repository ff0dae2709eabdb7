import type { Ordering } from '#ordering'
import type { Identity } from '#identity'
import type { Offers } from '#catalogue'
import { isObject } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import type { Transaction } from '#platform/postgres'
import type { Api, Kind } from '../engine/kind.ts'
import type { Attributes } from '../engine/resource.ts'
import { invalidBody, readOnly, stateConflict } from '../problems.ts'
import { lockResource, updateResource } from '../store.ts'
import * as types from '../types/order.ts'
import { act, overallState, totalPrice } from './order-act.ts'
import { isOurs, readItem } from './order-item.ts'
import type { Wish } from './order-item.ts'
import { refuse } from './amounts.ts'
import { time } from './refs.ts'

export interface OrderRooms {
  readonly identity: Identity
  readonly offers: Offers
  readonly ordering: Ordering
}

/** TMF622: an item that names an offer or a subscription of ours is ordered; orders of the BSS's own products are kept for it. */
export function orderApi(rooms: OrderRooms): Api {
  return {
    name: 'productOrderingManagement',
    kinds: [orderKind(rooms), { type: types.cancelProductOrder, onCreate: cancel }],
  }
}

function orderKind(rooms: OrderRooms): Kind {
  return {
    type: types.productOrder,
    async onCreate(tx, draft, { nowMs }) {
      if (draft['state'] !== 'acknowledged') refuse('state', 'is set by the server')
      const wishes = wishesOf(draft)
      if (wishes.length > 0) await checkWishes(tx, rooms, draft, wishes)
      return {
        orderDate: time(nowMs),
        productOrderItem: itemsOf(draft).map((item) => ({ ...item, state: 'acknowledged' })),
      }
    },
    async afterCreate({ id, attributes }) {
      // Whatever was interrupted here is taken up again when the BSS repeats its request: ordering knows what it did.
      const tenant = await customerOf(rooms.identity, attributes)
      if (attributes['state'] !== 'acknowledged' || tenant === undefined || wishesOf(attributes).length === 0)
        return undefined
      const items: ExactObject[] = []
      let [gross, net] = [0n, 0n]
      for (const [index, item] of itemsOf(attributes).entries()) {
        const wish = readItem(item, index)
        const outcome = wish && (await act(rooms.ordering, wish, tenant, `tmf622:${id}:${index}`))
        items.push({ ...item, ...outcome?.attributes })
        gross += outcome?.grossPico ?? 0n
        net += outcome?.netPico ?? 0n
      }
      return { productOrderItem: items, state: overallState(items), orderTotalPrice: [totalPrice(gross, net)] }
    },
    async onPatch(_tx, { id, before }) {
      if (wishesOf(before).length > 0) throw readOnly({ type: types.productOrder.name, id })
      return {}
    },
  }
}

const itemsOf = (order: Attributes): ExactObject[] => objectsOf(order['productOrderItem'])

function objectsOf(value: ExactJson | undefined): ExactObject[] {
  return Array.isArray(value) ? (value as readonly ExactJson[]).filter(isObject) : []
}

function wishesOf(order: Attributes): Wish[] {
  return itemsOf(order).flatMap((item, index) => readItem(item, index) ?? [])
}

/** What cannot be ordered at all is refused before anything is kept. */
async function checkWishes(
  tx: Transaction,
  { identity, offers, ordering }: OrderRooms,
  order: Attributes,
  wishes: readonly Wish[],
): Promise<void> {
  const tenant = await customerOf(identity, order)
  if (tenant === undefined)
    throw invalidBody({ issues: [{ path: 'relatedParty', message: 'names no customer of ours' }] })
  for (const wish of wishes) {
    if (wish.action !== 'delete') await offers.byId(tx, wish.offer)
    if (wish.action !== 'add') await ordering.subscriptionById(wish.subscription, tenant)
  }
}

async function customerOf(identity: Identity, { relatedParty }: Attributes): Promise<string | undefined> {
  for (const { id, role } of objectsOf(relatedParty)) {
    if (typeof id !== 'string' || (role !== undefined && role !== 'customer')) continue
    const [tenant] = await identity.tenants(id)
    if (tenant) return tenant.id
  }
  return undefined
}

/** Only what the BSS keeps here for itself can be cancelled here; what was ordered of us is ended by an order that deletes it. */
async function cancel(tx: Transaction, draft: Attributes, { nowMs }: { readonly nowMs: number }): Promise<ExactObject> {
  const { productOrder, cancellationReason } = draft
  const id = isObject(productOrder) && typeof productOrder['id'] === 'string' ? productOrder['id'] : ''
  const order = await lockResource(tx, types.productOrder.name, id)
  if (!order) refuse('productOrder.id', 'no order')
  const { state } = order.attributes
  const next = types.productOrder.states?.next ?? {}
  const from = typeof state === 'string' ? state : ''
  if (itemsOf(order.attributes).some(isOurs) || !next[from]?.includes('cancelled'))
    throw stateConflict({ attribute: 'state', from, to: 'cancelled' })
  const changes = {
    state: 'cancelled',
    cancellationDate: time(nowMs),
    ...(cancellationReason === undefined ? {} : { cancellationReason }),
  }
  await updateResource(tx, types.productOrder.name, {
    id,
    attributes: { ...order.attributes, ...changes },
    atMs: nowMs,
  })
  return { state: 'done', effectiveCancellationDate: time(nowMs) }
}
