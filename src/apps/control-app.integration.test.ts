import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  BalanceView,
  ExplainReply,
  KeyView,
  LivePoint,
  NewKey,
  PlaygroundKeyReply,
  PostingView,
  RequestRow,
  ServiceView,
  SessionReply,
  Snapshot,
  SupplierView,
  TenantView,
  UsageRow,
  VerifyProgress,
  VerifyReply,
} from '#contract'
import {
  ACME_REQUEST,
  ADMIN_TOKEN,
  FILE,
  GLOBEX_REQUEST,
  INTERNAL_TOKEN,
  controlFixture,
  recordOf,
} from '../../test/control.ts'
import { consoleOpenApi } from './control-openapi.ts'
import type { ControlFixture } from '../../test/control.ts'

let it: ControlFixture
let cookie: string

const AS_OPERATOR = { authorization: `Bearer ${ADMIN_TOKEN}` }
const asTenant = () => ({ cookie, host: '127.0.0.1:8081' })
const JSON_TYPE = { 'content-type': 'application/json' }

beforeAll(async () => {
  it = await controlFixture()
  const { email, password } = await it.identity.createAccount({
    email: 'user@acme.example',
    role: 'tenant',
    tenant: 'acme',
  })
  const reply = await call('POST', '/api/v1/session', { host: 'localhost:8081', ...JSON_TYPE }, { email, password })
  cookie = reply.headers.get('set-cookie')?.split(';')[0] ?? ''
})
afterAll(() => it[Symbol.asyncDispose]())

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await it.app.request(path, { method, headers, ...(body === undefined ? {} : { body: text }) })
  const answer = await reply.text()
  const isJson = /\bjson/.test(reply.headers.get('content-type') ?? '')
  return {
    status: reply.status,
    headers: reply.headers,
    text: answer,
    json: (isJson ? JSON.parse(answer) : undefined) as unknown,
  }
}

async function code(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<string> {
  const reply = await call(method, path, headers, body)
  return `${reply.status} ${(reply.json as { code?: string } | undefined)?.code ?? ''}`.trim()
}

/** Every read, with what it must look like and whether a tenant's user may ask at all. */
const READS: readonly (readonly [string, z.ZodType, boolean])[] = [
  ['/session', SessionReply, true],
  ['/suppliers', z.array(SupplierView).min(1), false],
  ['/services', z.array(ServiceView).min(1), true],
  ['/tenants', z.array(TenantView).min(1), true],
  ['/keys', z.array(KeyView).min(1), true],
  ['/balance?tenant=acme', BalanceView, true],
  ['/ledger', z.array(PostingView).min(1), true],
  ['/usage', z.array(UsageRow).min(1), true],
  ['/usage?by=tenant', z.array(UsageRow).min(1), true],
  ['/usage?by=key', z.array(UsageRow).min(1), true],
  ['/usage?by=hour', z.array(UsageRow).min(1), true],
  ['/usage?by=supplier', z.array(UsageRow).min(1), false],
  ['/usage/live?minutes=5', z.array(LivePoint).length(5), true],
  ['/requests', z.array(RequestRow).min(1), true],
  [`/requests/${ACME_REQUEST}`, ExplainReply, true],
]

describe.each(READS)('GET %s', (path, schema, isForTenants) => {
  test('answers an operator in the form of the contract', async () => {
    const { status, json } = await call('GET', `/api/v1${path}`, AS_OPERATOR)
    expect(status).toBe(200)
    schema.parse(json)
  })

  test('answers nobody who is not signed in', async () => {
    expect(await code('GET', `/api/v1${path}`, { host: 'localhost' })).toBe('401 not_signed_in')
    expect(await code('GET', `/api/v1${path}`, { authorization: 'Bearer wrong' })).toBe('401 not_signed_in')
    expect(await code('GET', `/api/v1${path}`, { cookie: 'tokenfactory_session=wrong', host: 'localhost' })).toBe(
      '401 not_signed_in',
    )
  })

  test(`${isForTenants ? 'answers' : 'refuses'} a tenant's user, and tells nothing of suppliers, costs or other tenants`, async () => {
    const { status, json, text } = await call('GET', `/api/v1${path}`, asTenant())
    expect(status).toBe(isForTenants ? 200 : 403)
    if (isForTenants) schema.parse(json)
    expect(text).not.toMatch(/secret|globex|"buyPico":"[1-9]|2110|5000:|5040/)
  })
})

test("asking for another tenant's rows is refused the same way whether the tenant exists or not", async () => {
  for (const path of ['/services', '/tenants', '/keys', '/balance', '/ledger', '/usage', '/usage/live', '/requests']) {
    expect(await code('GET', `/api/v1${path}?tenant=globex`, asTenant())).toBe('403 operators_only')
    expect(await code('GET', `/api/v1${path}?tenant=ghost`, asTenant())).toBe('403 operators_only')
  }
})

test('a request of another tenant looks exactly like one that never was', async () => {
  const never = GLOBEX_REQUEST.replace(/2$/, '9')
  const [other, none] = await Promise.all(
    [GLOBEX_REQUEST, never].map((id) => call('GET', `/api/v1/requests/${id}`, asTenant())),
  )
  expect(other?.status).toBe(404)
  expect(other?.text.replaceAll(GLOBEX_REQUEST, '')).toBe(none?.text.replaceAll(never, ''))
})

test('an operator sees both sides of a shared posting, a tenant its own wallet alone', async () => {
  const own = z.array(PostingView).parse((await call('GET', '/api/v1/ledger', asTenant())).json)
  expect(new Set(own.flatMap(({ entries }) => entries.map(({ account }) => account)))).toEqual(new Set(['2000:acme']))
  const all = z.array(PostingView).parse((await call('GET', '/api/v1/ledger', AS_OPERATOR)).json)
  const accounts = all.flatMap(({ entries }) => entries.map(({ account }) => account))
  expect(accounts).toEqual(expect.arrayContaining(['2000:acme', '2000:globex', '5000:secret-supplier']))
})

test('an operator has to say whose balance is meant, and an unknown tenant has none', async () => {
  expect(await code('GET', '/api/v1/balance', AS_OPERATOR)).toBe('422 invalid_request')
  expect(await code('GET', '/api/v1/balance?tenant=ghost', AS_OPERATOR)).toBe('404 unknown_tenant')
})

const OPERATOR_WRITES: readonly (readonly [string, unknown])[] = [
  ['/apply', { document: FILE }],
  ['/topups', { tenant: 'acme', amountYuan: '1', reference: 'mine' }],
  ['/verify', undefined],
  ['/users', { email: 'x@acme.example', tenant: 'acme' }],
]

test.each(OPERATOR_WRITES)("POST %s is refused to a tenant's user and to nobody in particular", async (path, body) => {
  expect(await code('POST', `/api/v1${path}`, { ...asTenant(), ...JSON_TYPE }, body)).toBe('403 operators_only')
  expect(await code('POST', `/api/v1${path}`, JSON_TYPE, body)).toMatch(/^40[13] /)
})

test('a top-up is booked once per reference; another amount under it is refused', async () => {
  const body = { tenant: 'globex', amountYuan: '0.5', reference: 'pay-x' }
  const first = BalanceView.parse((await call('POST', '/api/v1/topups', { ...AS_OPERATOR, ...JSON_TYPE }, body)).json)
  const second = BalanceView.parse((await call('POST', '/api/v1/topups', { ...AS_OPERATOR, ...JSON_TYPE }, body)).json)
  expect(second).toEqual(first)
  const headers = { ...AS_OPERATOR, ...JSON_TYPE }
  expect(await code('POST', '/api/v1/topups', headers, { ...body, amountYuan: '0.6' })).toBe('409 topup_reused')
  expect(await code('POST', '/api/v1/topups', headers, { ...body, tenant: 'ghost' })).toBe('404 unknown_tenant')
  for (const amountYuan of ['0', '-1', 'x', '1e3', '0.0000000000001'])
    expect(await code('POST', '/api/v1/topups', headers, { ...body, amountYuan })).toBe('422 invalid_request')
})

test("a tenant's user makes and revokes keys of the own tenant only", async () => {
  const headers = { ...asTenant(), ...JSON_TYPE }
  expect(await code('POST', '/api/v1/keys', headers, { tenant: 'globex', name: 'x' })).toBe('403 operators_only')
  const made = NewKey.parse((await call('POST', '/api/v1/keys', headers, { tenant: 'acme', name: 'x' })).json)
  expect(await code('POST', '/api/v1/keys/globex-key/revoke', headers)).toBe('404 unknown_key')
  const revoked = KeyView.parse((await call('POST', `/api/v1/keys/${made.id}/revoke`, headers)).json)
  expect(revoked.status).toBe('revoked')
  expect((await call('GET', '/api/v1/keys', AS_OPERATOR)).text).not.toContain(made.secret)
})

test('a playground key is for the own tenant and names the services it may use', async () => {
  const headers = { ...asTenant(), ...JSON_TYPE }
  expect(await code('POST', '/api/v1/playground/key', headers, { tenant: 'globex' })).toBe('403 operators_only')
  const own = PlaygroundKeyReply.parse((await call('POST', '/api/v1/playground/key', headers, { tenant: 'acme' })).json)
  expect(own.services).toEqual(['babbler'])
})

test('the books are proven with every record rated again', async () => {
  const good = VerifyReply.parse((await call('POST', '/api/v1/verify', AS_OPERATOR)).json)
  expect(good.checks.flatMap(({ disagreements }) => disagreements)).toEqual([])
  expect(good.ok).toBe(true)
  expect(good.checks.find(({ name }) => name.includes('rated'))?.seen).toBeGreaterThan(1)
})

test('whoever accepts lines is told how far the proof is, and then its outcome', async () => {
  const { text } = await call('POST', '/api/v1/verify', { ...AS_OPERATOR, accept: 'application/x-ndjson' })
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  const { reply } = z.object({ reply: VerifyReply }).parse(lines.pop())
  expect(reply.ok).toBe(true)
  const told = z
    .array(z.object({ progress: VerifyProgress }))
    .parse(lines)
    .map(({ progress }) => progress)
  expect(told.map(({ step }) => step)).toEqual(told.map(({ step }) => step).toSorted((a, b) => a - b))
  expect(told.at(-1)?.step).toBe(told.at(-1)?.steps)
  expect(told[0]).toMatchObject({ step: 1, what: 'usage records' })
})

const WRONG: readonly (readonly [string, string, Record<string, string>, unknown, string])[] = [
  ['a body that is no JSON', '/keys', JSON_TYPE, '{', '422 invalid_request'],
  ['an unknown field', '/keys', JSON_TYPE, { tenant: 'acme', name: 'x', admin: true }, '422 invalid_request'],
  [
    'a limit of zero',
    '/keys',
    JSON_TYPE,
    { tenant: 'acme', name: 'x', limits: { maxConcurrency: 0 } },
    '422 invalid_request',
  ],
  [
    'an expiry after the end of time',
    '/keys',
    JSON_TYPE,
    { tenant: 'acme', name: 'x', expiresAtMs: 9e15 },
    '422 invalid_request',
  ],
  ['a form instead of JSON', '/keys', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', '415 not_json'],
  ['no type at all', '/keys', {}, '{}', '415 not_json'],
  ['a body that is too large', '/keys', JSON_TYPE, { tenant: 'acme', name: 'x'.repeat(20_000) }, '413 body_too_large'],
  ['a path that does not exist', '/nothing', JSON_TYPE, {}, '404 unknown_path'],
]

test.each(WRONG)('%s is a typed refusal', async (_, path, headers, body, expected) => {
  expect(await code('POST', `/api/v1${path}`, { ...AS_OPERATOR, ...headers }, body)).toBe(expected)
})

test('the longest range that can be asked for is answered', async () => {
  const { status } = await call('GET', `/api/v1/usage?fromMs=0&toMs=${Number.MAX_SAFE_INTEGER}`, AS_OPERATOR)
  expect(status).toBe(200)
})

test.each(['limit=0', 'limit=501', 'limit=x', 'tenant=NOT', 'before='])('GET /ledger?%s is refused', async (search) => {
  expect(await code('GET', `/api/v1/ledger?${search}`, AS_OPERATOR)).toBe('422 invalid_request')
})

const FOREIGN: readonly Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://127.0.0.1:9999' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
]

test.each(FOREIGN)('a change that comes from another page is refused: %o', async (headers) => {
  const body = { tenant: 'acme', name: 'forged' }
  expect(await code('POST', '/api/v1/keys', { ...asTenant(), ...JSON_TYPE, ...headers }, body)).toBe(
    '403 foreign_request',
  )
  expect(await code('POST', '/api/v1/session', { ...asTenant(), ...JSON_TYPE, ...headers }, body)).toBe(
    '403 foreign_request',
  )
  expect(await code('DELETE', '/api/v1/session', { ...asTenant(), ...headers })).toBe('403 foreign_request')
})

test('a name that is not ours is refused even for reading, and names that are ours are served', async () => {
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8081', 'x', ''])
    expect(await code('GET', '/api/v1/session', { ...asTenant(), host })).toBe('403 foreign_request')
  for (const host of ['localhost:8081', '127.0.0.1:8081', '[::1]:8081', '192.168.1.5', 'console.example'])
    expect((await call('GET', '/api/v1/session', { ...asTenant(), host })).status).toBe(200)
  const headers = { ...asTenant(), ...JSON_TYPE, origin: 'http://127.0.0.1:8081', 'sec-fetch-site': 'same-origin' }
  expect((await call('POST', '/api/v1/playground/key', headers, { tenant: 'acme' })).status).toBe(201)
})

test('a wrong password is a refusal that does not tell whether the address exists', async () => {
  const attempt = async (email: string) => {
    const { status, json } = await call(
      'POST',
      '/api/v1/session',
      { host: 'localhost', ...JSON_TYPE },
      { email, password: 'wrong' },
    )
    return { status, json }
  }
  expect(await attempt('user@acme.example')).toEqual(await attempt('nobody@acme.example'))
})

test('signing in answers who it is and sets a cookie that scripts and other sites cannot use', async () => {
  const { email, password } = await it.identity.createAccount({
    email: 'new@acme.example',
    role: 'tenant',
    tenant: 'acme',
  })
  const signIn = (origin: string) =>
    call('POST', '/api/v1/session', { host: '127.0.0.1:8081', origin, ...JSON_TYPE }, { email, password })
  const { json, headers } = await signIn('http://127.0.0.1:8081')
  expect(SessionReply.parse(json)).toEqual({ email, role: 'tenant', tenant: 'acme', supplier: null })
  const header = headers.get('set-cookie') ?? ''
  for (const part of ['; HttpOnly', '; SameSite=Strict', '; Path=/', '; Max-Age=43200']) expect(header).toContain(part)
  expect(header).not.toContain('Secure')
  expect((await signIn('https://127.0.0.1:8081')).headers.get('set-cookie')).toContain('; Secure')
})

test('signing out ends the session on the server too', async () => {
  const { email, password } = await it.identity.createAccount({
    email: 'leaver@acme.example',
    role: 'tenant',
    tenant: 'acme',
  })
  const signedIn = await call('POST', '/api/v1/session', { host: 'localhost', ...JSON_TYPE }, { email, password })
  const own = { cookie: signedIn.headers.get('set-cookie')?.split(';')[0] ?? '', host: 'localhost' }
  expect((await call('GET', '/api/v1/session', own)).status).toBe(200)
  const out = await call('DELETE', '/api/v1/session', own)
  expect(out.status).toBe(204)
  expect(out.headers.get('set-cookie')).toMatch(/Max-Age=0/)
  expect((await call('GET', '/api/v1/session', own)).status).toBe(401)
})

describe('what gateways ask for', () => {
  const AS_GATEWAY = { authorization: `Bearer ${INTERNAL_TOKEN}` }

  test('is open to the internal token alone', async () => {
    const others: readonly Record<string, string>[] = [{}, AS_OPERATOR, asTenant(), { authorization: 'Bearer ' }]
    for (const headers of others) {
      expect(await code('GET', '/internal/v1/snapshot', headers)).toBe('401 not_signed_in')
      expect(await code('POST', '/internal/v1/usage', { ...headers, ...JSON_TYPE }, {})).toBe('401 not_signed_in')
    }
    expect(await code('GET', '/api/v1/tenants', AS_GATEWAY)).toBe('401 not_signed_in')
  })

  test('the snapshot comes at once when it is newer, and when it changes otherwise', async () => {
    const first = Snapshot.parse((await call('GET', '/internal/v1/snapshot?after=0', AS_GATEWAY)).json)
    const waiting = call('GET', `/internal/v1/snapshot?after=${first.version}`, AS_GATEWAY)
    await call('POST', '/api/v1/keys', { ...AS_OPERATOR, ...JSON_TYPE }, { tenant: 'acme', name: 'new' })
    expect(Snapshot.parse((await waiting).json).version).toBe(first.version + 1)
  })

  test('usage is taken once, however often it is sent', async () => {
    const record = recordOf(ACME_REQUEST.replace(/1$/, '5'), 'acme', it.acmeSlice)
    const send = () =>
      call('POST', '/internal/v1/usage', { ...AS_GATEWAY, ...JSON_TYPE }, { gateway: 'gw-0', records: [record] })
    expect((await send()).json).toEqual({ accepted: 1, duplicates: 0, quarantined: [] })
    expect((await send()).json).toEqual({ accepted: 0, duplicates: 1, quarantined: [] })
  })

  test('a path that does not exist is a typed refusal', async () => {
    expect(await code('GET', '/internal/v1/nothing', AS_GATEWAY)).toBe('404 unknown_path')
    expect(await code('POST', '/internal/v1/slices/grant', { ...AS_GATEWAY, ...JSON_TYPE }, { gateway: 'gw-0' })).toBe(
      '400 invalid_request',
    )
  })
})

test('every answer carries the headers that keep other sites out', async () => {
  for (const path of ['/', '/healthz', '/api/v1/session', '/internal/v1/snapshot', '/api/v1/nothing']) {
    const { headers } = await call('GET', path, {})
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('content-security-policy')).toContain("connect-src 'self' http://127.0.0.1:8080;")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
  }
})

test('every route of the API is described, and nothing else is', () => {
  const described = consoleOpenApi() as { paths: Record<string, Record<string, object>> }
  const names = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const routes = it.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
    .map(({ method, path }) => `${method} ${path.slice('/api/v1'.length).replaceAll(/:(\w+)/g, '{$1}')}`)
  expect(names.toSorted()).toEqual([...new Set(routes)].toSorted())
})

test('answers of the API are never cached', async () => {
  expect((await call('GET', '/api/v1/tenants', AS_OPERATOR)).headers.get('cache-control')).toBe('no-store')
  expect((await call('GET', '/api/v1/tenants', {})).headers.get('cache-control')).toBe('no-store')
})
