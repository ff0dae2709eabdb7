import { afterAll, beforeAll, expect, test } from 'vitest'
import { OfferView, OrderView, QuoteView, SubscriptionView } from '#contract'
import { ADMIN_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

let factory: ControlFixture
let acme: string
let globex: string
const ORIGIN = { host: 'localhost', origin: 'http://localhost' }

beforeAll(async () => {
  factory = await controlFixture()
  const tables =
    '{ tables: [{ id: standard, versions: [{ validFrom: 2026-01-01, weights: [{ service: babbler, perToken: { uncachedInput: 1, output: 4 } }] }] }] }'
  await factory.catalogue.apply({ text: tables, fileName: 'tables.yaml', dryRun: false })
  acme = await signedIn('acme')
  globex = await signedIn('globex')
})
afterAll(() => factory[Symbol.asyncDispose]())

async function signedIn(tenant: string): Promise<string> {
  const account = { email: `${tenant}@example.com`, role: 'tenant', tenant } as const
  const { email, password } = await factory.identity.createAccount(account)
  const { token } = await factory.identity.signIn({ email, password, caller: 'test' })
  return `tokenfactory_session=${token}`
}

async function call(
  who: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; reply: unknown }> {
  const headers: Record<string, string> =
    who === 'operator' ? { authorization: `Bearer ${ADMIN_TOKEN}` } : { ...ORIGIN, cookie: who }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const response = await factory.app.request(`http://localhost/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, reply: await response.json() }
}

const OFFER = {
  id: 'pack',
  kind: 'package',
  taxPercent: 6,
  table: 'standard',
  units: '10',
  priceYuan: '2.5',
  valid: { days: 30 },
  refund: 'unused',
}

test('a tenant quotes, orders, sees and cancels for itself, and for nobody else', async () => {
  expect(await call(acme, 'POST', '/offers', OFFER)).toMatchObject({ status: 403 })
  const offer = await call('operator', 'POST', '/offers', OFFER)
  expect(offer.status).toBe(201)
  expect(OfferView.parse(offer.reply)).toMatchObject({ id: 'pack', state: 'launched' })
  expect((await call('operator', 'POST', '/offers', OFFER)).status).toBe(200)
  expect(await call('operator', 'POST', '/offers', { ...OFFER, priceYuan: '2' })).toMatchObject({
    status: 409,
    reply: { code: 'offer_refused', detail: expect.stringContaining('priceYuan') as string },
  })

  expect(await call(acme, 'POST', '/quotes', { offer: 'pack', tenant: 'globex' })).toMatchObject({ status: 403 })
  const quote = await call(acme, 'POST', '/quotes', { offer: 'pack' })
  expect(quote.status).toBe(201)
  const { id: quoteId, grossPico } = QuoteView.parse(quote.reply)
  expect(grossPico).toBe('2500000000000')
  expect(await call(globex, 'GET', `/quotes/${quoteId}`)).toMatchObject({ status: 404 })

  const asked = { quote: quoteId, idempotencyKey: 'first' }
  const made = await call(acme, 'POST', '/orders', asked)
  expect(made.status).toBe(201)
  const order = OrderView.parse(made.reply)
  expect(order).toMatchObject({ tenant: 'acme', state: 'completed', transitions: [{ by: 'acme@example.com' }, {}, {}] })
  expect(OrderView.parse((await call(acme, 'POST', '/orders', asked)).reply).id).toBe(order.id)
  expect(await call(globex, 'GET', `/orders/${order.id}`)).toMatchObject({
    status: 404,
    reply: { code: 'unknown_order' },
  })
  expect(await call(globex, 'GET', '/orders')).toMatchObject({ status: 200, reply: [] })
  expect(await call(globex, 'POST', '/orders', { ...asked, idempotencyKey: 'theirs' })).toMatchObject({ status: 404 })

  const path = `/subscriptions/${order.subscription ?? ''}`
  expect(await call(globex, 'GET', path)).toMatchObject({ status: 404, reply: { code: 'unknown_subscription' } })
  const cancel = { idempotencyKey: 'over', reason: 'enough' }
  expect(await call(globex, 'POST', `${path}/cancel`, cancel)).toMatchObject({ status: 404 })
  const ended = OrderView.parse((await call(acme, 'POST', `${path}/cancel`, cancel)).reply)
  expect(ended).toMatchObject({ state: 'completed', refundPico: '2500000000000' })
  expect(SubscriptionView.parse((await call('operator', 'GET', path)).reply)).toMatchObject({ state: 'terminated' })
})

test('only an operator decides about orders that wait', async () => {
  await call('operator', 'POST', '/offers', { id: 'later', kind: 'postpaid', taxPercent: 6, creditLimitYuan: '5' })
  const order = OrderView.parse(
    (await call(acme, 'POST', '/orders', { offer: 'later', idempotencyKey: 'later' })).reply,
  )
  expect(order.state).toBe('acknowledged')
  const path = `/orders/${order.id}/approve`
  expect(await call(acme, 'POST', path, { reason: 'please' })).toMatchObject({ status: 403 })
  expect(await call('operator', 'POST', path, { reason: 'checked' })).toMatchObject({
    status: 200,
    reply: { state: 'completed' },
  })
})

test.each([
  ['/quotes', {}],
  ['/quotes', { offer: 'pack', configuration: { quantity: 0 } }],
  ['/quotes', { offer: 'pack', configuration: { inputTpm: 5 } }],
  ['/quotes', { offer: 'pack', colour: 'red' }],
  ['/orders', { offer: 'pack' }],
  ['/orders', { idempotencyKey: 'x' }],
  ['/orders', { idempotencyKey: 'x', quote: 'quo_1', offer: 'pack' }],
])('what makes no sense is refused with its place: %s %j', async (path, body) => {
  expect(await call(acme, 'POST', path, body)).toMatchObject({ status: 422 })
})
