import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, FILE, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

let it: ControlFixture
beforeAll(async () => {
  it = await controlFixture()
  await it.catalogue.apply({ text: FILE + TABLE, fileName: 'f.yaml', dryRun: false })
  const pack = {
    id: 'pack-1',
    name: 'Pack',
    kind: 'package',
    taxPercent: 6,
    table: 'std',
    units: '1000',
    priceYuan: '2.12',
    valid: { days: 30 },
    refund: 'unused',
  }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_TOKEN}` }
  const declared = await it.app.request('/api/v1/offers', { method: 'POST', headers, body: JSON.stringify(pack) })
  if (!declared.ok) throw new Error(await declared.text())
})
afterAll(() => it[Symbol.asyncDispose]())

const TABLE = `tables:
  - { id: std, versions: [{ validFrom: 2026-01-01, weights: [{ service: babbler, perToken: { uncachedInput: 1, output: 4 } }] }] }
`
const ORDER = 'productOrderingManagement/v4/productOrder'

async function send(method: string, path: string, body?: unknown) {
  const reply = await it.app.request(`/tmf-api/${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, text, body: text ? (JSON.parse(text) as Record<string, unknown>) : {} }
}

const item = (more: object) => ({ id: '1', action: 'add', productOffering: { id: 'offer:pack-1' }, ...more })
const acme = { relatedParty: [{ id: 'acme', role: 'customer', '@referredType': 'Organization' }] }

test('an offer is an offering with its price, tax included', async () => {
  const offering = await send('GET', 'productCatalogManagement/v4/productOffering/offer:pack-1')
  expect(offering.body).toMatchObject({ name: 'Pack', lifecycleStatus: 'Launched', isSellable: true })
  const price = await send('GET', 'productCatalogManagement/v4/productOfferingPrice/price:offer:pack-1:package')
  expect(price.text).toContain('"price":{"unit":"CNY","value":2.12}')
})

test('an order of an offer is ordered, once per id, and becomes a product that an order can end', async () => {
  const before = BigInt((await it.charging.balance('acme')).postedPico)
  const order = { id: 'po-1', ...acme, productOrderItem: [item({ quantity: 2 })] }
  const [first, second] = [await send('POST', ORDER, order), await send('POST', ORDER, order)]
  expect(first).toMatchObject({ status: 201, body: { state: 'completed' } })
  expect(second.body).toEqual(first.body)
  expect(first.text).toContain('"taxIncludedAmount":{"unit":"CNY","value":4.24}')
  expect(first.text).toContain('"dutyFreeAmount":{"unit":"CNY","value":4}')
  const paid = await it.charging.balance('acme')
  expect(before - BigInt(paid.postedPico)).toBe(4_240_000_000_000n)
  expect(paid.tokens).toMatchObject([{ table: 'std', available: '2000000000' }])
  const bucket = await send('GET', `prepayBalanceManagement/v4/bucket/${encodeURIComponent('tokens:acme/std')}`)
  expect(bucket.text).toContain('"remainingValue":{"amount":2000,"units":"std"}')

  const products = await send('GET', 'productInventory/v4/product?relatedParty.id=acme')
  const [product] = products.body as unknown as { id: string }[]
  expect(product).toMatchObject({ name: 'Pack', status: 'active', productOffering: { id: 'offer:pack-1' } })
  const end = { ...acme, productOrderItem: [{ id: '1', action: 'delete', product: { id: product?.id } }] }
  expect(await send('POST', ORDER, end)).toMatchObject({ status: 201, body: { state: 'completed' } })
  expect((await it.charging.balance('acme')).postedPico).toBe(`${before}`)
  expect((await send('GET', `productInventory/v4/product/${product?.id ?? ''}`)).body['status']).toBe('terminated')
  expect((await it.charging.verify()).checks.filter((check) => !check.ok)).toEqual([])
})

test('what cannot be ordered is refused or says why, and moves nothing', async () => {
  const before = await it.charging.wallets()
  for (const [more, status] of [
    [{ productOrderItem: [item({ productOffering: { id: 'offer:none' } })], ...acme }, 404],
    [{ productOrderItem: [item({})], relatedParty: [{ id: 'nobody' }] }, 400],
    [{ productOrderItem: [item({})] }, 400],
    [{ productOrderItem: [item({ productOffering: { id: 'payg:babbler' } })], ...acme }, 400],
    [{ productOrderItem: [item({ action: 'noChange' })], ...acme }, 400],
    [{ productOrderItem: [item({ quantity: 1.5 })], ...acme }, 400],
    [{ productOrderItem: [item({ action: 'delete', product: { id: 'sub:none' } })], ...acme }, 404],
    [{ productOrderItem: [item({})], ...acme, state: 'completed' }, 400],
  ] as const)
    expect((await send('POST', ORDER, more)).status, JSON.stringify(more)).toBe(status)
  const dear = await send('POST', ORDER, {
    ...acme,
    productOrderItem: [
      item({ quantity: 900 }),
      item({ id: '2', product: { productCharacteristic: [{ name: 'units', value: 3 }] } }),
    ],
  })
  expect(dear).toMatchObject({ status: 201, body: { state: 'failed' } })
  expect(dear.text).toContain('insufficient_balance')
  expect(dear.text).toContain('invalid_configuration')
  expect(await it.charging.wallets()).toEqual(before)
  expect(await send('PATCH', `${ORDER}/${String(dear.body['id'])}`, { description: 'x' })).toMatchObject({
    status: 403,
  })
})

test('orders of products of the BSS are kept, moved along their states and cancelled', async () => {
  const { body } = await send('POST', ORDER, {
    productOrderItem: [{ id: '1', action: 'add' }],
    relatedParty: [{ id: 'x' }],
  })
  const path = `${ORDER}/${String(body['id'])}`
  expect(body).toMatchObject({ state: 'acknowledged', orderDate: '2026-11-23T04:00:00.000Z' })
  expect(await send('PATCH', path, { state: 'completed' })).toMatchObject({
    status: 409,
    body: { code: 'state_conflict' },
  })
  expect(await send('PATCH', path, { state: 'pending' })).toMatchObject({ status: 200, body: { state: 'pending' } })
  const cancel = { productOrder: { id: body['id'] }, cancellationReason: 'changed my mind' }
  const CANCEL = 'productOrderingManagement/v4/cancelProductOrder'
  expect(await send('POST', CANCEL, cancel)).toMatchObject({ status: 201, body: { state: 'done' } })
  expect((await send('GET', path)).body).toMatchObject({ state: 'cancelled', cancellationReason: 'changed my mind' })
  expect(await send('POST', CANCEL, cancel)).toMatchObject({ status: 409 })
})
