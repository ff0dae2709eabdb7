import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '#kernel'
import { sql } from '#platform/postgres'
import { YUAN, expectCoherent } from '../../../test/charging.ts'
import { BUYER, OPERATOR, openShop } from '../../../test/ordering.ts'
import type { Shop } from '../../../test/ordering.ts'
import { ORDER_EDGES, SUBSCRIPTION_EDGES } from './model/states.ts'

const DAY = 24 * 3_600_000

/** What may happen to a tenant's orders, in any order and number. `pick` says to which of them. */
const happening = fc.record({
  what: fc.constantFrom(
    'pay',
    'buy',
    'change',
    'cancel',
    'end',
    'take back',
    'approve',
    'reject',
    'owe',
    'settle',
    'wait',
    'jobs',
  ),
  offer: fc.constantFrom('small', 'large', 'pack', 'credit'),
  pick: fc.nat(7),
  days: fc.nat(40),
})

async function happen(
  shop: Shop,
  { what, offer, pick, days }: typeof happening extends fc.Arbitrary<infer T> ? T : never,
) {
  const { ordering, clock, database, pay, buy, key } = shop
  const orders = await ordering.orders({ tenant: 'acme', limit: 50 })
  const order = orders[pick % Math.max(1, orders.length)]?.id ?? 'none'
  const bought = await ordering.subscriptions({ tenant: 'acme', limit: 50 })
  const subscription = bought[pick % Math.max(1, bought.length)]?.id ?? 'none'
  const of = { tenant: 'acme', subscription, idempotencyKey: key(), reason: 'chance' }
  const debt = { tenant: 'acme', kind: 'invoice', reference: `INV-${pick}`, by: 'billing' } as const
  switch (what) {
    case 'pay':
      return pay('acme', BigInt(1 + days) * YUAN)
    case 'buy':
      return buy('acme', offer)
    case 'change':
      return ordering.change({ ...of, offer }, BUYER)
    case 'cancel':
      return ordering.cancel({ ...of, when: 'now' }, pick % 2 === 0 ? BUYER : OPERATOR)
    case 'end':
      return ordering.cancel({ ...of, when: 'end' }, BUYER)
    case 'take back':
      return ordering.cancelOrder(order, BUYER, 'chance', 'acme')
    case 'approve':
      return ordering.approve(order, OPERATOR, 'chance')
    case 'reject':
      return ordering.reject(order, OPERATOR, 'chance')
    case 'owe':
      return database.transaction((tx) => ordering.arrears.setOverdue(tx, { ...debt, sinceMs: clock.nowMs() }))
    case 'settle':
      return database.transaction((tx) => ordering.arrears.clear(tx, debt))
    case 'wait':
      return clock.advance(days * DAY + pick)
    default:
      return ordering.runDue()
  }
}

// Invariant I15: random sequences of events reach only legal states, and every change is on the record.
test('whatever happens, states follow their maps, every step is on the record, and the books agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 8, maxLength: 24 }), async (events) => {
      await using shop = await openShop()
      const plan = { kind: 'plan', period: { months: 1 }, refund: 'unused' }
      await shop.offer({ ...plan, id: 'small', priceYuan: '7.77', grants: [{ table: 'standard', units: '3' }] })
      await shop.offer({ ...plan, id: 'large', priceYuan: '19.99', grants: [{ table: 'standard', units: '9' }] })
      await shop.offer({
        id: 'pack',
        kind: 'package',
        table: 'standard',
        units: '10',
        priceYuan: '9.9',
        valid: { days: 30 },
      })
      await shop.offer({ id: 'credit', kind: 'postpaid', creditLimitYuan: '25' })
      await shop.pay('acme', 50n * YUAN)
      for (const event of events) {
        try {
          await happen(shop, event)
        } catch (error) {
          if (!(error instanceof Problem)) throw error
        }
      }
      await expectLegal(shop)
      await expectCoherent(shop.charging)
    }),
    { numRuns: 6, endOnFailure: true },
  )
}, 120_000)

async function expectLegal({ database }: Shop): Promise<void> {
  const rows = await database.rows<{ subject: string; id: string; from: string | null; to: string }>(
    sql`select subject, id, from_state as "from", to_state as "to" from ordering.transition order by subject, id, seq`,
  )
  const last = new Map<string, string>()
  const maps: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
    order: ORDER_EDGES,
    subscription: SUBSCRIPTION_EDGES,
  }
  for (const { subject, id, from, to } of rows) {
    expect(from).toBe(last.get(`${subject} ${id}`) ?? null)
    if (from !== null && maps[subject]) expect(maps[subject][from]).toContain(to)
    last.set(`${subject} ${id}`, to)
  }
  const states = await database.rows<{ key: string; state: string }>(sql`
    select 'order ' || id as key, state from ordering.product_order
     union all select 'subscription ' || id, state from ordering.subscription
     union all select 'arrears ' || tenant, state from ordering.arrears
  `)
  for (const { key, state } of states) expect(last.get(key)).toBe(state)
}
