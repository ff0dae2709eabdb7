import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DrainPreview, DrainView, GatewayReport, NocReply, Snapshot } from '#contract'
import { ADMIN_TOKEN, FILE, INTERNAL_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

/** `babbler` is served by two suppliers, `only-globex` by one of them alone. */
const DOCUMENT = FILE.replace(
  'tenants:\n',
  '  - { id: other, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1, maxConcurrency: 4 }\ntenants:\n',
).replace(
  '  - id: only-globex',
  `      - { supplier: other, model: other-model, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }] }
  - id: only-globex`,
)

let it: ControlFixture

beforeAll(async () => {
  it = await controlFixture()
  await it.catalogue.apply({ text: DOCUMENT, fileName: 'f.yaml', dryRun: false })
})
afterAll(() => it[Symbol.asyncDispose]())

async function call(path: string, token: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await it.app.request(path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
const operator = (path: string, body?: object) => call(`/api/v1${path}`, ADMIN_TOKEN, body)
const snapshot = async () => (await call('/internal/v1/snapshot', INTERNAL_TOKEN)).body as Snapshot

async function report(requests: number): Promise<void> {
  const row = { service: 'babbler', tier: 'standard', supplier: 'secret-supplier', strategy: 'balanced' } as const
  const counts = { requests, valid: requests, good: requests, inputTokens: requests * 100, outputTokens: requests * 50 }
  const body: GatewayReport = {
    gateway: 'gw-0',
    startedAtMs: it.clock.nowMs(),
    suppliers: [{ supplier: 'secret-supplier', inFlight: 1, hasCredentials: true }],
    served: [{ ...row, regions: null, ...counts, durationMs: requests * 1_000 }],
    queues: [],
    endpoints: [],
    shares: [],
  }
  expect((await call('/internal/v1/report', INTERNAL_TOKEN, body)).status).toBe(204)
}

test('what gateways report is shown to operators, and to nobody else', async () => {
  await report(60)
  const { status, body } = await operator('/noc')
  expect(status).toBe(200)
  const { gateways, lanes, suppliers } = body as NocReply
  expect(gateways).toMatchObject([{ gateway: 'gw-0', isStale: false }])
  expect(lanes.find(({ service }) => service === 'babbler')).toMatchObject({ tier: 'standard', running: 0 })
  expect(suppliers.find(({ supplier }) => supplier === 'secret-supplier')).toMatchObject({ inFlight: 1, drain: null })
  expect((await call('/api/v1/noc', 'nobody')).status).toBe(401)
  expect((await call('/internal/v1/report', ADMIN_TOKEN, {})).status).toBe(401)
  expect((await call('/internal/v1/report', INTERNAL_TOKEN, { gateway: 'gw-0' })).status).toBe(422)
})

test('a drain is previewed, refused where a service would be left with nobody, kept with who and why, and told to gateways', async () => {
  it.clock.advance(60_000)
  await report(60)
  const preview = (await operator('/suppliers/secret-supplier/drain')).body as DrainPreview
  expect(preview).toMatchObject({ isKnown: true, orphaned: ['only-globex'] })
  expect(preview.moves).toMatchObject([
    { service: 'babbler', to: [{ supplier: 'other', model: 'other-model' }], lostPerMinute: 0 },
  ])
  // Twice the price there.
  expect(preview.costPerMinutePico.after).toBeCloseTo(2 * preview.costPerMinutePico.before, 0)

  const before = await snapshot()
  const drain = (more: object) => operator('/suppliers/secret-supplier/drain', { reason: 'maintenance', ...more })
  expect(await drain({})).toMatchObject({ status: 409, body: { code: 'drain_orphans' } })
  expect((await snapshot()).version).toBe(before.version)
  expect(await drain({ acceptOrphans: true })).toMatchObject({ status: 200, body: { drainedBy: 'admin token' } })
  expect(await drain({ acceptOrphans: true })).toMatchObject({ status: 409, body: { code: 'already_drained' } })
  const drained = await snapshot()
  expect(drained.version).toBeGreaterThan(before.version)
  expect(drained.suppliers.map(({ id, isDraining }) => [id, isDraining ?? false])).toEqual([
    ['other', false],
    ['secret-supplier', true],
  ])

  it.clock.advance(5_000)
  const back = await operator('/suppliers/secret-supplier/undrain', { reason: 'done' })
  expect(back.body as DrainView).toMatchObject({
    supplier: 'secret-supplier',
    drainReason: 'maintenance',
    undrainedBy: 'admin token',
    undrainReason: 'done',
  })
  expect((await snapshot()).suppliers.some(({ isDraining }) => isDraining)).toBe(false)
  expect(await operator('/suppliers/secret-supplier/undrain', { reason: 'again' })).toMatchObject({ status: 409 })
  expect(await operator('/suppliers/ghost/drain', { reason: 'x' })).toMatchObject({ status: 404 })
  expect(await operator('/suppliers/secret-supplier/drain', { reason: '   ' })).toMatchObject({ status: 422 })
  expect(((await operator('/noc')).body as NocReply).drains).toHaveLength(1)
})

test('drains that race are one drain', async () => {
  const all = await Promise.all(
    Array.from({ length: 4 }, () => operator('/suppliers/other/drain', { reason: 'race', acceptOrphans: true })),
  )
  expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409])
})
