import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, INTERNAL_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

let it: ControlFixture
beforeAll(async () => {
  it = await controlFixture()
})
afterAll(() => it[Symbol.asyncDispose]())

/** Bodies that are right, so that a single wrong field is what the answer is about. */
const WRITES: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['/api/v1/apply', { document: 'tenants: [{ id: hostile }]', fileName: 'f.yaml', dryRun: true }],
  ['/api/v1/keys', { tenant: 'acme', name: 'x', expiresAtMs: null, limits: {} }],
  ['/api/v1/topups', { tenant: 'acme', amountYuan: '1', reference: 'hostile' }],
  ['/api/v1/playground/key', { tenant: 'acme' }],
  ['/internal/v1/gateways/register', { gateway: 'gw-9' }],
  ['/internal/v1/slices/grant', { gateway: 'gw-0', epoch: 1, seq: 50, bucket: 'wallet:acme', min: '1', want: '1' }],
  ['/internal/v1/slices/close', { gateway: 'gw-0', slice: 'slc_gw-0_1_1', records: 0 }],
  ['/internal/v1/usage', { gateway: 'gw-0', records: [{}] }],
]
const READS = ['/services', '/tenants', '/keys', '/balance', '/ledger', '/usage', '/usage/live', '/requests']
const NAMES = ['tenant', 'limit', 'before', 'by', 'fromMs', 'toMs', 'minutes', 'after']

const nasty = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'acme',
      'globex',
      'gw-0',
      'slc_gw-0_1_1',
      '1',
      '0',
      '-1',
      '1e9',
      'acme\0',
      '\ud800',
      "'; drop table x --",
      '../..',
      '__proto__',
    ),
  },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(0, 1, -1, 1.5, 2 ** 31, 2 ** 53, 9e15, 1e308, null, true, false),
  fc.constantFrom('9'.repeat(38), '9'.repeat(39), '0'.repeat(38), '100000000000000000000000000'),
  fc.jsonValue({ maxDepth: 3 }),
)

const nastyText = nasty.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed())

async function send(method: string, path: string, body?: string) {
  const token = path.startsWith('/internal') ? INTERNAL_TOKEN : ADMIN_TOKEN
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const reply = await it.app.request(path, { method, headers, ...(body === undefined ? {} : { body }) })
  return { status: reply.status, type: reply.headers.get('content-type') ?? '', text: await reply.text() }
}

// Guards the rule that whatever somebody sends is their mistake or a result, and never a failure of ours.
test('hostile bodies get a result or a typed refusal, never a failure of ours', async () => {
  const request = fc.constantFrom(...WRITES).chain(([path, right]) =>
    fc.record({
      path: fc.constant(path),
      body: fc
        .dictionary(fc.constantFrom(...Object.keys(right), 'surplus'), nasty, { minKeys: 1, maxKeys: 2 })
        .map((wrong) => ({ ...right, ...wrong })),
    }),
  )
  await fc.assert(
    fc.asyncProperty(request, async ({ path, body }) => {
      const { status, type, text } = await send('POST', path, JSON.stringify(body))
      expect(status, `${path} ${text}`).toBeLessThan(500)
      if (status >= 400) expect(type).toBe('application/problem+json')
    }),
    { numRuns: 400 },
  )
})

test('hostile addresses and searches get a result or a typed refusal', async () => {
  const search = fc.dictionary(fc.constantFrom(...NAMES), nastyText, { maxKeys: 4 })
  const path = fc.oneof(
    fc.constantFrom(...READS).map((read) => `/api/v1${read}`),
    nastyText.map((id) => `/api/v1/requests/${encodeURIComponent(id)}`),
    nastyText.map((id) => `/internal/v1/slices?gateway=${encodeURIComponent(id)}`),
  )
  await fc.assert(
    fc.asyncProperty(path, search, async (address, fields) => {
      const query = new URLSearchParams(fields).toString()
      const { status, type, text } = await send('GET', `${address}${address.includes('?') ? '&' : '?'}${query}`)
      expect(status, `${address}?${query} ${text}`).toBeLessThan(500)
      if (status >= 400) expect(type).toBe('application/problem+json')
    }),
    { numRuns: 400 },
  )
})

test.each([
  '/api/v1/keys/%00/revoke',
  '/api/v1/keys/%E0%A4%A/revoke',
  '/api/v1/keys/%ff%fe/revoke',
  `/api/v1/keys/${'x'.repeat(8_000)}/revoke`,
])('POST %s is a typed refusal', async (path) => {
  const { status, type } = await send('POST', path)
  expect(status).toBe(404)
  expect(type).toBe('application/problem+json')
})

test('deeply nested JSON is refused without exhausting the stack', async () => {
  for (const path of ['/api/v1/apply', '/internal/v1/usage']) {
    const { status } = await send(
      'POST',
      path,
      `{"document":${'['.repeat(200_000)}${']'.repeat(200_000)},"gateway":"gw-0","records":[${'['.repeat(200_000)}${']'.repeat(200_000)}]}`,
    )
    expect(status).toBeLessThan(500)
  }
})
