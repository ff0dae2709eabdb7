import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACME_REQUEST, ADMIN_TOKEN, INTERNAL_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

let it: ControlFixture
beforeAll(async () => {
  it = await controlFixture()
})
afterAll(() => it[Symbol.asyncDispose]())

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

async function send(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = { authorization: `Bearer ${ADMIN_TOKEN}` },
): Promise<Reply> {
  const reply = await it.app.request(`/tmf-api/${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, text, body: text ? (JSON.parse(text) as unknown) : undefined }
}

const TOPUP = 'prepayBalanceManagement/v4/topupBalance'
const BUCKET = 'prepayBalanceManagement/v4/bucket/wallet:acme'

test('only the operator gets in, by token', async () => {
  for (const headers of [
    { host: 'localhost' },
    { authorization: 'Bearer wrong' },
    { authorization: `Bearer ${INTERNAL_TOKEN}` },
  ]) {
    const refused = await send('GET', 'productCatalogManagement/v4/productOffering', undefined, headers)
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({ '@type': 'Error', code: 'not_signed_in', status: '401' })
  }
  const { password } = await it.identity.createAccount({ email: 'user@acme.example', role: 'tenant', tenant: 'acme' })
  const { token } = await it.identity.signIn({ email: 'user@acme.example', password, caller: 'test' })
  const cookie = { cookie: `tokenfactory_session=${token}`, host: 'localhost' }
  const refused = await send('GET', 'accountManagement/v4/billingAccount', undefined, cookie)
  expect(refused.status).toBe(403)
  expect(refused.body).toMatchObject({ code: 'operators_only' })
})

test('services are specifications, offerings and prices with exact amounts, and nobody changes them here', async () => {
  const { body, headers } = await send(
    'GET',
    'productCatalogManagement/v4/productOffering?fields=name,productSpecification',
  )
  expect(body).toEqual([
    expect.objectContaining({
      id: 'payg:babbler',
      productSpecification: expect.objectContaining({ id: 'service:babbler' }),
    }),
    expect.objectContaining({ id: 'payg:only-globex' }),
  ])
  expect(headers.get('x-total-count')).toBe('2')
  expect(headers.get('x-result-count')).toBe('2')
  const price = await send('GET', 'productCatalogManagement/v4/productOfferingPrice/price:sell-1:standard:output')
  expect(price.text).toContain('"price":{"unit":"CNY","value":8}')
  const patched = await send('PATCH', 'productCatalogManagement/v4/productOffering/payg:babbler', '{"name":"mine"}')
  expect(patched.status).toBe(403)
  expect(patched.body).toMatchObject({ '@type': 'Error', code: 'read_only' })
})

test('a top-up is booked once per id with every digit, and moves nothing when it is refused', async () => {
  const remaining = async () => /"remainingValue":\{"amount":([^,]+),/.exec((await send('GET', BUCKET)).text)?.[1]
  const before = await it.charging.balance('acme')
  const body = '{"id":"pay-1","amount":{"amount":0.000000000001,"units":"CNY"},"bucket":{"id":"wallet:acme"}}'
  const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => send('POST', TOPUP, body)))
  expect(first).toMatchObject({ status: 201, body: { id: 'pay-1', status: 'completed' } })
  expect(first?.headers.get('location')).toBe('/tmf-api/prepayBalanceManagement/v4/topupBalance/pay-1')
  for (const other of others) expect(other.body).toEqual(first?.body)
  expect(first?.text).toContain('0.000000000001')
  expect(BigInt((await it.charging.balance('acme')).postedPico) - BigInt(before.postedPico)).toBe(1n)

  const large = '{"amount":{"amount":16451000000.00,"units":"CNY"},"bucket":{"id":"wallet:acme"}}'
  expect(await send('POST', TOPUP, large)).toMatchObject({ status: 201 })
  const added = BigInt((await it.charging.balance('acme')).postedPico) - BigInt(before.postedPico)
  expect(added).toBe(16_451_000_000n * 10n ** 12n + 1n)
  expect(await remaining()).toMatch(/\.\d*1$/)

  const held = await remaining()
  for (const [wrong, code] of [
    [body.replace('0.000000000001', '2'), 'id_in_use'],
    ['{"amount":{"amount":1,"units":"EUR"},"bucket":{"id":"wallet:acme"}}', 'invalid_body'],
    ['{"amount":{"amount":-1,"units":"CNY"},"bucket":{"id":"wallet:acme"}}', 'invalid_body'],
    ['{"amount":{"amount":0.0000000000001,"units":"CNY"},"bucket":{"id":"wallet:acme"}}', 'invalid_body'],
    ['{"amount":{"amount":1,"units":"CNY"},"bucket":{"id":"wallet:nobody"}}', 'invalid_body'],
    ['{"amount":{"amount":1,"units":"CNY"},"bucket":{"id":"acme"}}', 'invalid_body'],
    ['{"amount":{"amount":"1","units":"CNY"},"bucket":{"id":"wallet:acme"}}', 'invalid_body'],
    ['{"amount":{"amount":1,"units":"CNY"},"bucket":{"id":"wallet:acme"},"status":"completed"}', 'invalid_body'],
  ] as const)
    expect((await send('POST', TOPUP, wrong)).body, wrong).toMatchObject({ code })
  expect(await remaining()).toBe(held)
  expect(await send('DELETE', `${TOPUP}/pay-1`)).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
  expect(await it.charging.verify({ sheetById: (id) => it.catalogue.sheet(id) })).toMatchObject({ ok: true })
})

test('goodwill is a gift, a transfer moves paid money, each once per id', async () => {
  const adjust = '{"id":"adj-1","amount":{"amount":5,"units":"CNY"},"bucket":{"id":"wallet:acme"},"reason":"sorry"}'
  const transfer =
    '{"id":"mv-1","amount":{"amount":0.5,"units":"CNY"},"bucket":{"id":"wallet:acme"},"receiverBucket":{"id":"wallet:globex"}}'
  const balances = async () =>
    Promise.all(['acme', 'globex'].map(async (tenant) => BigInt((await it.charging.balance(tenant)).postedPico)))
  const [acme = 0n, globex = 0n] = await balances()
  for (const [path, body] of [
    ['adjustBalance', adjust],
    ['adjustBalance', adjust],
    ['transferBalance', transfer],
    ['transferBalance', transfer],
  ] as const)
    expect(await send('POST', `prepayBalanceManagement/v4/${path}`, body)).toMatchObject({ status: 201 })
  expect(await balances()).toEqual([acme + 4_500_000_000_000n, globex + 500_000_000_000n])
  expect((await it.charging.balance('acme')).giftPico).toBe('5000000000000')
  const tooMuch = transfer.replace('0.5', '9000000000000').replace('mv-1', 'mv-2')
  expect(await send('POST', 'prepayBalanceManagement/v4/transferBalance', tooMuch)).toMatchObject({
    body: { '@type': 'Error', code: 'insufficient_balance' },
  })
  expect(await send('GET', 'prepayBalanceManagement/v4/transferBalance/mv-2')).toMatchObject({ status: 404 })
  expect(await it.charging.verify({ sheetById: (id) => it.catalogue.sheet(id) })).toMatchObject({ ok: true })
})

test('what is reserved cannot be spent, and comes back by DELETE or by its time, once', async () => {
  const path = 'prepayBalanceManagement/v4/reserveBalance'
  const body = (amount: string, more = '') =>
    `{"amount":{"amount":${amount},"units":"CNY"},"bucket":{"id":"wallet:globex"},"relatedParty":[{"id":"globex"}]${more}}`
  const escrowed = async () => BigInt((await it.charging.balance('globex')).escrowedPico)
  const before = await escrowed()
  const kept = await send('POST', path, body('2.000000000001', ',"id":"rsv-1"'))
  expect(kept).toMatchObject({ status: 201, body: { status: 'reserved', expirationDate: '2026-11-23T04:10:00.000Z' } })
  expect(await send('POST', path, body('2.000000000001', ',"id":"rsv-1"'))).toMatchObject({ status: 201 })
  expect((await escrowed()) - before).toBe(2_000_000_000_001n)
  expect(await send('POST', path, body('1000'))).toMatchObject({ status: 409, body: { code: 'insufficient_balance' } })
  for (const wrong of ['2026-11-23T04:00:00Z', '2027-11-23T04:00:00Z'])
    expect(await send('POST', path, body('1', `,"expirationDate":"${wrong}"`))).toMatchObject({ status: 400 })
  expect((await send('GET', path)).headers.get('x-total-count')).toBe('1')

  await send('POST', path, body('3', ',"id":"rsv-2","expirationDate":"2026-11-24T00:00:00Z"'))
  expect(await send('DELETE', `${path}/rsv-1`)).toMatchObject({ status: 204 })
  expect(await send('DELETE', `${path}/rsv-1`)).toMatchObject({ status: 404 })
  expect((await escrowed()) - before).toBe(3_000_000_000_000n)
  expect(await it.charging.endReservations(Date.parse('2026-11-23T23:59:59Z'))).toEqual({ ended: 0 })
  expect(await it.charging.endReservations(Date.parse('2026-11-24T00:00:00Z'))).toEqual({ ended: 1 })
  expect(await send('DELETE', `${path}/rsv-2`)).toMatchObject({ status: 204 })
  expect(await escrowed()).toBe(before)
  expect(await it.charging.verify({ sheetById: (id) => it.catalogue.sheet(id) })).toMatchObject({ ok: true })
})

test('tenants and suppliers are accounts with their balances', async () => {
  const billing = await send('GET', 'accountManagement/v4/billingAccount?relatedParty.id=globex')
  expect(billing.body).toEqual([expect.objectContaining({ id: 'tenant:globex', name: 'globex', state: 'active' })])
  const settlement = await send('GET', 'accountManagement/v4/settlementAccount/supplier:secret-supplier')
  // Two records of 100 tokens at 1 and 50 at 4 yuan per million.
  expect(settlement.text).toContain(
    '"accountBalance":[{"balanceType":"PayableBalance","amount":{"unit":"CNY","value":0.0006}}]',
  )
})

test('usage is what was rated, to the last digit; what the BSS brings is kept and never rated', async () => {
  const path = 'usageManagement/v4/usage'
  const acme = await send('GET', `${path}?relatedParty.id=acme&usageDate.gte=2026-11-23T03:59:58Z`)
  expect(acme.headers.get('x-total-count')).toBe('1')
  // 100 tokens at 2 and 50 at 8 yuan per million, 6 percent tax inside.
  expect(acme.text).toContain(
    '"taxIncludedRatingAmount":{"unit":"CNY","value":0.0006},"taxExcludedRatingAmount":{"unit":"CNY","value":0.000566037736}',
  )
  expect(acme.body).toEqual([
    expect.objectContaining({ id: ACME_REQUEST, status: 'rated', usageDate: '2026-11-23T03:59:58.000Z' }),
  ])
  expect((await send('GET', `${path}?usageDate.lt=2026-11-23T03:59:58Z`)).body).toEqual([])
  expect((await send('GET', `${path}?description=babbler`)).body).toMatchObject({ code: 'invalid_query' })

  const before = await it.charging.wallets()
  const posted = await send(
    'POST',
    path,
    '{"usageSpecification":{"id":"voice"},"usageDate":"2026-11-23T12:00:00+08:00"}',
  )
  expect(posted).toMatchObject({ status: 201, body: { status: 'received', usageDate: '2026-11-23T04:00:00.000Z' } })
  expect(await it.charging.wallets()).toEqual(before)
  expect((await send('GET', path)).headers.get('x-total-count')).toBe('3')
  expect(await send('PATCH', `${path}/${ACME_REQUEST}`, '{"status":"billed"}')).toMatchObject({ status: 403 })
})

test('a part of a list says so, and fields choose attributes', async () => {
  const path = 'accountManagement/v4/billFormat'
  for (const name of ['a', 'b', 'c']) await send('POST', path, JSON.stringify({ name }))
  const page = await send('GET', `${path}?offset=1&limit=1&fields=name`)
  expect(page.status).toBe(206)
  expect(page.body).toEqual([{ id: expect.any(String), href: expect.any(String), name: 'b' }])
  expect([page.headers.get('x-total-count'), page.headers.get('x-result-count')]).toEqual(['3', '1'])
})

test('hostile requests get a result or an error of the forum, never a failure of ours', async () => {
  const apis = it.tmf.apis.flatMap(({ name, kinds }) =>
    kinds.map(({ type }) => ({
      path: `${name}/v4/${type.name.charAt(0).toLowerCase()}${type.name.slice(1)}`,
      attributes: ['id', 'href', '@type', ...type.attributes.keys()],
    })),
  )
  const nasty = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(
      'wallet:acme',
      '\0',
      '\ud800',
      '__proto__',
      '9'.repeat(400),
      '2026-13-01T00:00:00Z',
      "'; drop table x",
    ),
    fc.record({ id: fc.string({ unit: 'binary' }) }),
    fc.record({ amount: fc.constantFrom(1, 1e30, -1, 1e-13), units: fc.constantFrom('CNY', 'EUR') }),
  )
  const request = fc.constantFrom(...apis).chain(({ path, attributes }) =>
    fc.record({
      path: fc.constant(path),
      method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'),
      id: fc.oneof(fc.constant(''), fc.webPath(), fc.constantFrom('/wallet:acme', '/%2e%2e', '/%ff', '/tenant:acme')),
      query: fc.webQueryParameters(),
      filter: fc.record({ name: fc.constantFrom(...attributes), value: fc.string({ unit: 'binary' }) }),
      body: fc.dictionary(fc.constantFrom(...attributes, 'surplus'), nasty, { maxKeys: 6 }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, id, query, filter, body }) => {
      const search = `${query ? `${query}&` : ''}${new URLSearchParams([[filter.name, filter.value]]).toString()}`
      const { status, text } = await send(
        method,
        `${path}${id}?${Math.abs(query.length) % 2 ? search : ''}`,
        method === 'GET' ? undefined : JSON.stringify(body),
      )
      expect(status, `${method} ${path}${id} ${text}`).toBeLessThan(500)
    }),
    { numRuns: 100 },
  )
  for (const [body, status] of [
    ['{', 400],
    ['[]', 400],
    [`{"name":${'['.repeat(100_000)}`, 400],
    [`{"name":"${'x'.repeat(1_100_000)}"}`, 413],
    ['{"name":"a","name":"b"}', 400],
    ['{"name":"\\u0000"}', 400],
  ] as const)
    expect((await send('POST', 'accountManagement/v4/billFormat', body)).status).toBe(status)
  const media = await send('POST', 'accountManagement/v4/billFormat', '{"name":"x"}', {
    authorization: `Bearer ${ADMIN_TOKEN}`,
    'content-type': 'text/plain',
  })
  expect(media.status).toBe(415)
})
