import { expect, test } from 'vitest'
import { YUAN, expectCoherent } from '../../../test/charging.ts'
import { BUYER, OPERATOR, openShop } from '../../../test/ordering.ts'
import type { Shop } from '../../../test/ordering.ts'

const DAY = 24 * 3_600_000
const PLAN = { kind: 'plan', period: { months: 1 }, refund: 'unused' } as const

async function walletOf({ charging }: Shop, tenant = 'acme') {
  const { postedPico, creditLimitPico } = await charging.balance(tenant)
  return { posted: BigInt(postedPico), credit: BigInt(creditLimitPico) }
}

test('credit goes with the plan that brought it, whether one changes at once or with the next term', async () => {
  for (const [price, wait] of [
    ['90', 0],
    ['10', 29 * DAY],
  ] as const) {
    await using own = await openShop()
    const { ordering, charging, clock, pay, buy, key } = own
    await own.offer({ ...PLAN, id: 'credit', priceYuan: '30', creditLimitYuan: '500' })
    await own.offer({ ...PLAN, id: 'plain', priceYuan: price })
    await pay('acme', 200n * YUAN)
    const asked = await buy('acme', 'credit')
    const { subscription } = await ordering.approve(asked.id, OPERATOR, 'checked')
    expect(await walletOf(own)).toMatchObject({ credit: 500n * YUAN })
    await ordering.change(
      { tenant: 'acme', subscription: subscription ?? '', offer: 'plain', idempotencyKey: key() },
      BUYER,
    )
    clock.advance(wait)
    await ordering.runDue()
    expect(await ordering.subscriptionById(subscription ?? '')).toMatchObject({ offer: 'plain' })
    expect(await walletOf(own)).toMatchObject({ credit: 0n })
    await expectCoherent(charging)
  }
})

test('whoever changes twice within a term pays each plan for its own days', async () => {
  await using own = await openShop()
  const { ordering, clock, charging, pay, buy, key } = own
  for (const [id, priceYuan, units] of [
    ['one', '30', '3'],
    ['two', '60', '9'],
    ['three', '90', '30'],
  ] as const)
    await own.offer({ ...PLAN, id, priceYuan, grants: [{ table: 'standard', units }] })
  await pay('acme', 1000n * YUAN)
  const { subscription } = await buy('acme', 'one')
  const of = { tenant: 'acme', subscription: subscription ?? '' }
  clock.advance(10 * DAY)
  await ordering.change({ ...of, offer: 'two', idempotencyKey: key() }, BUYER)
  clock.advance(10 * DAY)
  const last = await ordering.change({ ...of, offer: 'three', idempotencyKey: key() }, BUYER)
  expect(last).toMatchObject({ refundPico: `${20n * YUAN}`, grossPico: `${30n * YUAN}` })
  expect(await walletOf(own)).toMatchObject({ posted: 940n * YUAN })
  expect(await ordering.subscriptionById(of.subscription)).toMatchObject({ entitlements: [{ amount: '10000000' }] })
  await expectCoherent(charging)
})

test('a change is no way around an approval or around how often one may have an offer', async () => {
  await using own = await openShop()
  const { ordering, pay, buy, key } = own
  await own.offer({ ...PLAN, id: 'open', priceYuan: '30' })
  await own.offer({ ...PLAN, id: 'chosen', priceYuan: '60', approval: 'operator' })
  await own.offer({ ...PLAN, id: 'welcome', priceYuan: '90', mostPerTenant: 1 })
  await pay('acme', 1000n * YUAN)
  const first = await buy('acme', 'open')
  const change = async (subscription: string | null, offer: string, actor = BUYER) =>
    ordering.change({ tenant: 'acme', subscription: subscription ?? '', offer, idempotencyKey: key() }, actor)
  await expect(change(first.subscription, 'chosen')).rejects.toMatchObject({ type: { code: 'cannot_change' } })
  expect(await change(first.subscription, 'welcome')).toMatchObject({ state: 'completed' })
  const second = await buy('acme', 'open')
  await expect(change(second.subscription, 'welcome')).rejects.toMatchObject({ type: { code: 'not_for_sale' } })
  expect(await change(second.subscription, 'chosen', OPERATOR)).toMatchObject({ state: 'completed' })
})

test('another change that waits takes the place of the one before', async () => {
  await using own = await openShop()
  const { ordering, pay, buy, key } = own
  for (const [id, priceYuan] of [
    ['one', '30'],
    ['two', '60'],
    ['three', '90'],
  ] as const)
    await own.offer({ ...PLAN, id, priceYuan })
  await pay('acme', 1000n * YUAN)
  const { subscription } = await buy('acme', 'three')
  const of = { tenant: 'acme', subscription: subscription ?? '' }
  const first = await ordering.change({ ...of, offer: 'two', idempotencyKey: key() }, BUYER)
  const second = await ordering.change({ ...of, offer: 'one', idempotencyKey: key() }, BUYER)
  expect(second).toMatchObject({ state: 'pending' })
  expect(await ordering.orderById(first.id)).toMatchObject({ state: 'cancelled' })
})

test('what would be over already is not sold by a quote either', async () => {
  await using own = await openShop()
  const { ordering, clock, charging, pay, key } = own
  const until = new Date(clock.nowMs() + 5 * 60_000).toISOString()
  await own.offer({ kind: 'package', id: 'short', table: 'standard', units: '10', priceYuan: '9.9', valid: { until } })
  await pay('acme', 100n * YUAN)
  const quote = await ordering.quote({ tenant: 'acme', offer: 'short', configuration: {} }, BUYER)
  clock.advance(6 * 60_000)
  await expect(ordering.order({ tenant: 'acme', quote: quote.id, idempotencyKey: key() }, BUYER)).rejects.toMatchObject(
    {
      type: { code: 'not_for_sale' },
    },
  )
  expect(await walletOf(own)).toMatchObject({ posted: 100n * YUAN })
  await expectCoherent(charging)
})
