import { expect, test } from 'vitest'
import { script } from '#platform/postgres'
import { YUAN, expectCoherent } from '../../../test/charging.ts'
import { BUYER, OPERATOR, openShop } from '../../../test/ordering.ts'

const PLAN = { kind: 'plan', period: { months: 1 }, refund: 'unused' } as const

test('an order that waits for an approval costs what was shown, whatever the offer costs by then', async () => {
  await using own = await openShop(['acme'])
  const { ordering, charging, clock, pay, key } = own
  await pay('acme', 100n * YUAN)
  const plan = { ...PLAN, id: 'club', priceYuan: '30', approval: 'operator' }
  await own.offer({ ...plan, creditLimitYuan: null, grants: [] })
  const quote = await ordering.quote({ tenant: 'acme', offer: 'club', configuration: {} }, BUYER)
  const asked = await ordering.order({ tenant: 'acme', quote: quote.id, idempotencyKey: key() }, BUYER)
  const direct = await ordering.order({ tenant: 'acme', offer: 'club', idempotencyKey: key() }, BUYER)
  expect([asked.state, direct.state]).toEqual(['acknowledged', 'acknowledged'])
  // What nobody may do: the offer's price is changed behind its back.
  await own.database.rows(
    script(`begin; set local session_replication_role = replica;
      update catalogue.offer set content = jsonb_set(content, '{priceYuan}', '"90"') where id = 'club'; commit`),
  )
  clock.advance(3_600_000)
  for (const { id } of [asked, direct])
    expect(await ordering.approve(id, OPERATOR, 'checked')).toMatchObject({
      state: 'completed',
      grossPico: `${30n * YUAN}`,
    })
  await expectCoherent(charging)
})

test('a quote is not ordered by who was suspended since', async () => {
  await using own = await openShop(['acme'])
  const { ordering, identity, database, pay, key } = own
  await pay('acme', 100n * YUAN)
  await own.offer({ ...PLAN, id: 'basic', priceYuan: '30', grants: [{ table: 'standard', units: '3' }] })
  const { id: quote } = await ordering.quote({ tenant: 'acme', offer: 'basic', configuration: {} }, BUYER)
  const suspended = { id: 'acme', displayName: 'acme', status: 'suspended', limits: {} } as const
  await database.transaction((tx) => identity.putTenant(tx, suspended))
  const order = (idempotencyKey: string) => ordering.order({ tenant: 'acme', quote, idempotencyKey }, BUYER)
  await expect(order(key())).rejects.toMatchObject({ type: { code: 'not_for_sale' } })
  await database.transaction((tx) => identity.putTenant(tx, { ...suspended, status: 'active' }))
  expect(await order(key())).toMatchObject({ state: 'completed' })
})

test('a tenant has a hundred quotes open at most', async () => {
  await using own = await openShop(['acme'])
  const { ordering, clock } = own
  await own.offer({ ...PLAN, id: 'basic', priceYuan: '30', grants: [{ table: 'standard', units: '3' }] })
  const ask = () => ordering.quote({ tenant: 'acme', offer: 'basic', configuration: {} }, BUYER)
  const asked = await Promise.allSettled(Array.from({ length: 104 }, ask))
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(100)
  await expect(ask()).rejects.toMatchObject({ type: { code: 'too_many_quotes' } })
  clock.advance(15 * 60_000)
  await expect(ask()).resolves.toMatchObject({ offer: 'basic' })
})

test('credit that was declared and credit that was ordered add up, and neither replaces the other', async () => {
  await using own = await openShop(['acme'])
  const { ordering, charging, catalogue, clock, buy, key } = own
  const limit = async () => BigInt((await charging.balance('acme')).creditLimitPico) / YUAN
  const declare = (yuan: number) =>
    catalogue.apply({
      text: `tenants: [{ id: acme, credit: { limitYuan: ${yuan} } }]`,
      fileName: 'factory.yaml',
      dryRun: false,
    })
  await declare(200)
  await own.offer({ id: 'later', kind: 'postpaid', creditLimitYuan: '500' })
  const { id } = await buy('acme', 'later')
  const { subscription } = await ordering.approve(id, OPERATOR, 'checked')
  expect(await limit()).toBe(700n)
  await declare(50)
  expect(await limit()).toBe(550n)
  clock.advance(1_000)
  const of = { tenant: 'acme', subscription: subscription ?? '', when: 'now', reason: 'over' } as const
  await ordering.cancel({ ...of, idempotencyKey: key() }, BUYER)
  expect(await limit()).toBe(50n)
})
