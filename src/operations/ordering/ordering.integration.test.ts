import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { balances } from '#ledger'
import { sql } from '#platform/postgres'
import { YUAN, expectCoherent } from '../../../test/charging.ts'
import { BUYER, OPERATOR, openShop } from '../../../test/ordering.ts'
import type { Shop } from '../../../test/ordering.ts'

const DAY = 24 * 3_600_000
const PACKAGE = { kind: 'package', table: 'standard', units: '10', priceYuan: '9.9', valid: { months: 1 } } as const

let shop: Shop
beforeAll(async () => {
  shop = await openShop(['acme', 'poor', 'crowd', 'child', 'again', 'giver', 'limits'])
  await shop.offer({ ...PACKAGE, id: 'pack', refund: 'unused', maxMembers: 2 })
  await shop.offer({ ...PACKAGE, id: 'trial', priceYuan: '0', mostPerTenant: 1 })
})
afterAll(() => shop[Symbol.asyncDispose]())

async function ledgerOf(account: string, from: Shop = shop): Promise<bigint> {
  const [row] = (await balances(from.database, account)).filter((each) => each.account === account)
  return row?.amountPico ?? 0n
}

async function walletOf(tenant: string, from: Shop = shop): Promise<bigint> {
  return BigInt((await from.charging.balance(tenant)).postedPico)
}

describe('quote, order, entitlement', () => {
  test('what was quoted is what is charged, and what is bought is there at once', async () => {
    const { ordering, charging, pay, key } = shop
    await pay('acme', 100n * YUAN)
    const quote = await ordering.quote({ tenant: 'acme', offer: 'pack', configuration: { quantity: 2 } }, BUYER)
    expect(quote).toMatchObject({ grossPico: `${(198n * YUAN) / 10n}`, taxPercent: 6, order: null })
    expect(BigInt(quote.netPico) + BigInt(quote.taxPico)).toBe(BigInt(quote.grossPico))
    const order = await ordering.order({ tenant: 'acme', quote: quote.id, idempotencyKey: key() }, BUYER)
    expect(order).toMatchObject({
      state: 'completed',
      grossPico: quote.grossPico,
      netPico: quote.netPico,
      quote: quote.id,
    })
    expect(order.transitions.map(({ to }) => to)).toEqual(['acknowledged', 'inProgress', 'completed'])
    expect(order.transitions.every(({ by, reason }) => by === BUYER.by && reason.length > 0)).toBe(true)
    const subscription = await ordering.subscriptionById(order.subscription ?? '', 'acme')
    expect(subscription).toMatchObject({ state: 'active', endsAtMs: quote.toMs, entitlements: quote.entitlements })
    expect(subscription.transitions.map(({ to }) => to)).toEqual(['created', 'pendingActive', 'active'])
    expect(await walletOf('acme')).toBe((802n * YUAN) / 10n)
    expect(await ledgerOf('2010:acme')).toBe(-BigInt(quote.netPico))
    expect(await ledgerOf('8010:acme/standard')).toBe(-20_000_000n)
    expect(await ordering.quoteById(quote.id, 'acme')).toMatchObject({ order: order.id })
    await expect(
      ordering.order({ tenant: 'acme', quote: quote.id, idempotencyKey: key() }, BUYER),
    ).rejects.toMatchObject({
      type: { code: 'quote_used' },
    })
    await expectCoherent(charging)
  })

  test('a price holds for fifteen minutes and no longer, also of an offer that is no longer sold', async () => {
    await using own = await openShop()
    const { ordering, clock, pay, key } = own
    await own.offer({ ...PACKAGE, id: 'old' })
    await pay('acme', 100n * YUAN)
    const first = await ordering.quote({ tenant: 'acme', offer: 'old', configuration: {} }, BUYER)
    const second = await ordering.quote({ tenant: 'acme', offer: 'old', configuration: {} }, BUYER)
    await own.offer({ ...PACKAGE, id: 'old', state: 'retired' })
    await expect(own.buy('acme', 'old')).rejects.toMatchObject({ type: { code: 'not_for_sale' } })
    clock.advance(15 * 60_000 - 1)
    expect(await ordering.order({ tenant: 'acme', quote: first.id, idempotencyKey: key() }, BUYER)).toMatchObject({
      state: 'completed',
    })
    clock.advance(1)
    await expect(
      ordering.order({ tenant: 'acme', quote: second.id, idempotencyKey: key() }, BUYER),
    ).rejects.toMatchObject({
      type: { code: 'quote_expired' },
    })
    await expect(
      ordering.order({ tenant: 'globex', quote: second.id, idempotencyKey: key() }, BUYER),
    ).rejects.toMatchObject({ type: { code: 'unknown_quote' } })
  })

  test('without the money an order fails, and nothing of it has happened', async () => {
    const { ordering, charging, pay, buy } = shop
    await pay('poor', 5n * YUAN)
    const order = await buy('poor', 'pack')
    expect(order).toMatchObject({
      state: 'failed',
      subscription: null,
      grossPico: '0',
      failure: { code: 'insufficient_balance' },
    })
    expect(order.transitions.map(({ to }) => to)).toEqual(['acknowledged', 'inProgress', 'failed'])
    expect(await ordering.subscriptions({ tenant: 'poor', limit: 10 })).toEqual([])
    expect(await walletOf('poor')).toBe(5n * YUAN)
    expect([await ledgerOf('2010:poor'), await ledgerOf('8010:poor/standard')]).toEqual([0n, 0n])
    await expectCoherent(charging)
  })

  test('the same key is one order, however often and however concurrently it is sent', async () => {
    const { ordering, pay } = shop
    await pay('again', 100n * YUAN)
    const send = (configuration = {}) =>
      ordering.order({ tenant: 'again', offer: 'pack', configuration, idempotencyKey: 'once' }, BUYER)
    const orders = await Promise.all([send(), send(), send(), send(), send()])
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1)
    expect(await walletOf('again')).toBe((901n * YUAN) / 10n)
    await expect(send({ quantity: 2 })).rejects.toMatchObject({ type: { code: 'order_key_reused' } })
  })

  test('orders that race for one wallet never spend more than it holds', async () => {
    const { charging, pay, buy } = shop
    await pay('crowd', 50n * YUAN)
    const orders = await Promise.all(Array.from({ length: 16 }, () => buy('crowd', 'pack')))
    expect(orders.filter(({ state }) => state === 'completed')).toHaveLength(5)
    expect(orders.filter(({ state }) => state === 'failed')).toHaveLength(11)
    expect(await walletOf('crowd')).toBe(YUAN / 2n)
    await expectCoherent(charging)
  })

  test('a gift is given as often as the offer says, also to who asks many times at once', async () => {
    const { ordering, charging, key } = shop
    const ask = () => ordering.order({ tenant: 'giver', offer: 'trial', idempotencyKey: key() }, BUYER)
    const results = await Promise.allSettled([ask(), ask(), ask(), ask()])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await ledgerOf('2010:giver')).toBe(0n)
    expect(await ledgerOf('8010:giver/standard')).toBe(-10_000_000n)
    await expectCoherent(charging)
  })

  test('who gives credit is an operator: a tenant’s order waits for one', async () => {
    const { ordering, charging, buy } = shop
    await shop.offer({ id: 'later', kind: 'postpaid', creditLimitYuan: '500' })
    const asked = await buy('limits', 'later')
    expect(asked).toMatchObject({ state: 'acknowledged', subscription: null })
    expect(await charging.balance('limits')).toMatchObject({ creditLimitPico: '0' })
    const rejected = await ordering.reject(asked.id, OPERATOR, 'not yet')
    expect(rejected).toMatchObject({ state: 'rejected', failure: { detail: 'not yet' } })
    await expect(ordering.approve(asked.id, OPERATOR, 'too late')).rejects.toMatchObject({
      type: { code: 'illegal_transition' },
    })
    const again = await buy('limits', 'later')
    expect(await ordering.approve(again.id, OPERATOR, 'checked')).toMatchObject({ state: 'completed' })
    expect(await charging.balance('limits')).toMatchObject({ creditLimitPico: `${500n * YUAN}` })
    const order = await buy('limits', 'pack')
    expect(order).toMatchObject({ state: 'completed' })
    expect(await ledgerOf('1110:limits')).toBe((99n * YUAN) / 10n)
    await expectCoherent(charging)
  })
})

describe('the end of what was bought', () => {
  test('a package that was not used is refunded as a whole, and its deferred revenue is gone', async () => {
    const { ordering, charging, pay, buy, key } = shop
    await pay('child', 20n * YUAN)
    const { subscription } = await buy('child', 'pack')
    const request = { tenant: 'child', subscription: subscription ?? '', when: 'now', reason: 'too much' } as const
    const order = await ordering.cancel({ ...request, idempotencyKey: key() }, BUYER)
    expect(order).toMatchObject({ state: 'completed', action: 'delete', refundPico: `${(99n * YUAN) / 10n}` })
    expect(await walletOf('child')).toBe(20n * YUAN)
    expect([await ledgerOf('2010:child'), await ledgerOf('8010:child/standard')]).toEqual([0n, 0n])
    expect(await ordering.subscriptionById(subscription ?? '')).toMatchObject({ state: 'terminated' })
    await expect(ordering.cancel({ ...request, idempotencyKey: key() }, BUYER)).rejects.toMatchObject({
      type: { code: 'cannot_change' },
    })
    await expectCoherent(charging)
  })

  test('a family shares while one subscription says so', async () => {
    const { ordering, database, pay, buy, key } = shop
    const shares = () =>
      database.rows<{ member: string }>(
        sql`select member from charging.share where owner = 'acme' and (until_ms is null or until_ms > ${shop.clock.nowMs()}::bigint) order by member`,
      )
    await pay('acme', 20n * YUAN)
    const { subscription } = await buy('acme', 'pack')
    const of = { tenant: 'acme', subscription: subscription ?? '' }
    await ordering.addMember({ ...of, member: 'child' }, OPERATOR)
    // What a tenant says is an invitation: nobody pays for another one without its consent.
    const invite = () => ordering.addMember({ ...of, member: 'poor' }, BUYER)
    for (let repeat = 0; repeat < 2; repeat++)
      expect(await invite()).toMatchObject({ members: ['child'], invited: ['poor'] })
    expect(await shares()).toEqual([{ member: 'child' }])
    await expect(ordering.addMember({ ...of, member: 'crowd' }, BUYER)).rejects.toMatchObject({
      type: { code: 'cannot_change' },
    })
    const invitation = { subscription: of.subscription, member: 'poor' }
    expect(await ordering.invitations('poor')).toMatchObject([{ owner: 'acme', offer: 'pack' }])
    await expect(ordering.acceptInvitation({ ...invitation, member: 'crowd' })).rejects.toMatchObject({
      type: { code: 'not_invited' },
    })
    await ordering.leave(invitation)
    await expect(ordering.acceptInvitation(invitation)).rejects.toMatchObject({ type: { code: 'not_invited' } })
    await invite()
    await ordering.acceptInvitation(invitation)
    expect(await ordering.invitations('poor')).toEqual([])
    expect(await ordering.subscriptionById(of.subscription)).toMatchObject({ members: ['child', 'poor'], invited: [] })
    expect(await shares()).toEqual([{ member: 'child' }, { member: 'poor' }])
    await ordering.removeMember({ ...of, member: 'poor' })
    expect(await shares()).toEqual([{ member: 'child' }])
    shop.clock.advance(1)
    await ordering.cancel({ ...of, when: 'now', reason: 'over', idempotencyKey: key() }, BUYER)
    shop.clock.advance(1)
    expect(await shares()).toEqual([])
  })
})

const PLAN = { kind: 'plan', period: { months: 1 }, refund: 'unused' } as const

describe('plans', () => {
  const plans = async () => {
    const own = await openShop()
    await own.offer({ ...PLAN, id: 'basic', priceYuan: '30', grants: [{ table: 'standard', units: '3' }] })
    await own.offer({ ...PLAN, id: 'pro', priceYuan: '60', grants: [{ table: 'standard', units: '9' }] })
    return own
  }

  test('a plan renews the day before it ends, and ends after four attempts without money', async () => {
    await using own = await plans()
    const { ordering, clock, charging, pay, buy } = own
    await pay('acme', 70n * YUAN)
    const { subscription } = await buy('acme', 'basic')
    const days = async (count: number) => {
      const sums = { renewed: 0, failed: 0, ended: 0 }
      for (let hour = 0; hour < count * 6; hour++) {
        clock.advance(4 * 3_600_000)
        const round = await ordering.runDue()
        sums.renewed += round.renewed
        sums.failed += round.failed
        sums.ended += round.ended
      }
      return sums
    }
    expect(await days(31)).toEqual({ renewed: 1, failed: 0, ended: 0 })
    expect(await ordering.subscriptionById(subscription ?? '')).toMatchObject({
      endsAtMs: Date.parse('2027-01-25T10:00:00+08:00'),
      terms: [{ seq: 1 }, { seq: 2, fromMs: Date.parse('2026-12-25T10:00:00+08:00') }],
    })
    expect(await walletOf('acme', own)).toBe(10n * YUAN)
    expect(await days(31)).toEqual({ renewed: 0, failed: 4, ended: 1 })
    const view = await ordering.subscriptionById(subscription ?? '')
    expect(view).toMatchObject({ state: 'terminated', endsAtMs: Date.parse('2027-01-25T10:00:00+08:00') })
    expect(view.transitions.map(({ to }) => to).slice(-2)).toEqual(['pendingTerminate', 'terminated'])
    const attempts = (await ordering.orders({ tenant: 'acme', limit: 50 })).filter(({ state }) => state === 'failed')
    expect(attempts).toHaveLength(4)
    expect(await walletOf('acme', own)).toBe(10n * YUAN)
    await expectCoherent(charging)
  })

  test('jobs of several processes at once renew once', async () => {
    await using own = await plans()
    const { ordering, clock, pay, buy } = own
    await pay('acme', 200n * YUAN)
    const { subscription } = await buy('acme', 'basic')
    clock.advance(29 * DAY)
    await Promise.all([ordering.runDue(), ordering.runDue(), ordering.runDue()])
    expect(await walletOf('acme', own)).toBe(140n * YUAN)
    expect((await ordering.subscriptionById(subscription ?? '')).terms).toHaveLength(2)
  })

  test('an upgrade begins at once: unused days are refunded, the rest of the term is charged, to the pico', async () => {
    await using own = await plans()
    const { ordering, clock, charging, pay, buy, key } = own
    await pay('acme', 100n * YUAN)
    const { subscription } = await buy('acme', 'basic')
    clock.advance(9 * DAY + 1)
    const of = { tenant: 'acme', subscription: subscription ?? '' }
    const order = await ordering.change({ ...of, offer: 'pro', idempotencyKey: key() }, BUYER)
    // Ten of thirty days are begun: 20 of 30 are refunded, 40 of 60 are charged.
    expect(order).toMatchObject({ state: 'completed', refundPico: `${20n * YUAN}`, grossPico: `${40n * YUAN}` })
    expect(await walletOf('acme', own)).toBe(50n * YUAN)
    const view = await ordering.subscriptionById(of.subscription)
    expect(view).toMatchObject({
      offer: 'pro',
      endsAtMs: Date.parse('2026-12-25T10:00:00+08:00'),
      entitlements: [{ amount: '6000000' }],
    })
    expect(await ledgerOf('8010:acme/standard', own)).toBe(-6_000_000n)
    await expectCoherent(charging)
  })

  test('a downgrade waits for the next term, and can be taken back until then', async () => {
    await using own = await plans()
    const { ordering, clock, charging, pay, buy, key } = own
    await pay('acme', 200n * YUAN)
    const { subscription } = await buy('acme', 'pro')
    const of = { tenant: 'acme', subscription: subscription ?? '' }
    const first = await ordering.change({ ...of, offer: 'basic', idempotencyKey: key() }, BUYER)
    expect(first).toMatchObject({ state: 'pending', grossPico: '0' })
    expect(await ordering.cancelOrder(first.id, BUYER, 'changed my mind', 'acme')).toMatchObject({ state: 'cancelled' })
    const second = await ordering.change({ ...of, offer: 'basic', idempotencyKey: key() }, BUYER)
    expect(await ordering.subscriptionById(of.subscription)).toMatchObject({ offer: 'pro', next: { offer: 'basic' } })
    clock.advance(29 * DAY)
    expect(await ordering.runDue()).toMatchObject({ renewed: 1 })
    expect(await ordering.orderById(second.id)).toMatchObject({ state: 'completed' })
    expect(await ordering.subscriptionById(of.subscription)).toMatchObject({ offer: 'basic', next: null })
    expect(await walletOf('acme', own)).toBe(110n * YUAN)
    await expectCoherent(charging)
  })

  test('cancelled, what has not begun is refunded: days of this term, all of one that was paid ahead', async () => {
    await using own = await plans()
    const { ordering, clock, charging, pay, buy, key } = own
    await pay('acme', 100n * YUAN)
    const { subscription } = await buy('acme', 'basic')
    clock.advance(29 * DAY)
    await ordering.runDue()
    expect(await walletOf('acme', own)).toBe(40n * YUAN)
    const request = { tenant: 'acme', subscription: subscription ?? '', when: 'now', reason: 'enough' } as const
    const rehearsed = await ordering.cancel({ ...request, idempotencyKey: key(), dryRun: true }, BUYER)
    expect(rehearsed).toMatchObject({ state: 'completed', refundPico: `${31n * YUAN}` })
    expect(await walletOf('acme', own)).toBe(40n * YUAN)
    await expect(ordering.orderById(rehearsed.id)).rejects.toMatchObject({ type: { code: 'unknown_order' } })
    const order = await ordering.cancel({ ...request, idempotencyKey: key() }, BUYER)
    expect(order).toMatchObject({ state: 'completed', refundPico: `${31n * YUAN}` })
    expect(await walletOf('acme', own)).toBe(71n * YUAN)
    expect(await ledgerOf('8010:acme/standard', own)).toBe(0n)
    await expectCoherent(charging)
  })
})

describe('arrears', () => {
  test('a tenant that owes is restricted, then suspended, and works again when it has paid', async () => {
    await using own = await openShop()
    const { ordering, clock, database, identity, pay, buy } = own
    await own.offer({ ...PLAN, id: 'basic', priceYuan: '30', period: { days: 90 } })
    await pay('acme', 30n * YUAN)
    const { subscription } = await buy('acme', 'basic')
    const status = async () => (await identity.tenants('acme'))[0]?.status
    const debt = { tenant: 'acme', kind: 'invoice', reference: 'INV-1', by: 'billing' } as const
    await database.transaction((tx) => ordering.arrears.setOverdue(tx, { ...debt, sinceMs: clock.nowMs() }))
    const before = await identity.revision(database)
    expect(await status()).toBe('active')
    clock.advance(7 * DAY)
    await ordering.runDue()
    expect(await status()).toBe('restricted')
    expect(await identity.revision(database)).toBeGreaterThan(before)
    // What the file declares is one thing, what is owed another.
    await database.transaction((tx) =>
      identity.putTenant(tx, { id: 'acme', displayName: 'Acme', status: 'active', limits: {} }),
    )
    expect(await status()).toBe('restricted')
    clock.advance(14 * DAY)
    await ordering.runDue()
    expect(await status()).toBe('suspended')
    expect(await ordering.subscriptionById(subscription ?? '')).toMatchObject({ state: 'suspended' })
    await database.transaction((tx) => ordering.arrears.clear(tx, debt))
    expect(await status()).toBe('active')
    expect(await ordering.subscriptionById(subscription ?? '')).toMatchObject({ state: 'active' })
    const [view] = await ordering.arrears.list('acme')
    expect(view?.transitions.map(({ to }) => to)).toEqual(['clear', 'grace', 'restricted', 'suspended', 'clear'])
  })
})
