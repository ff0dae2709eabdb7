import { expect, test } from 'vitest'
import { grantReused, unknownSlice } from './problems.ts'
import type { Charging, IngestBatch } from './index.ts'
import { chargingInternalRoutes } from './index.ts'
import { sampleRecord } from '../../../test/sample-usage.ts'

const ingested: IngestBatch[] = []

/** Only what the routes call; each answers with something that cannot be mistaken for another's. */
const charging = {
  register: async () => ({ epoch: 3 }),
  grant: async (request: { seq: number }) => {
    if (request.seq === 9) throw grantReused({ gateway: 'gw-0', epoch: 1, seq: 9 })
    return { outcome: 'fenced' }
  },
  close: async ({ slice }: { slice: string }) => {
    if (slice === 'none') throw unknownSlice({ slice })
    return { outcome: 'missing', ingested: 4 }
  },
  openSlices: async ({ gateway, journal }: { gateway: string; journal: string }) => ({
    slices: [{ id: `slice of ${gateway} and ${journal}` }],
  }),
  ingest: async (batch: IngestBatch) => {
    ingested.push(batch)
    return { accepted: batch.records.length, duplicates: 0, quarantined: [] }
  },
} as unknown as Charging
const app = chargingInternalRoutes(charging)

async function post(path: string, body: unknown): Promise<{ status: number; type: string | null; reply: unknown }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await app.request(path, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json' },
  })
  return { status: response.status, type: response.headers.get('content-type'), reply: await response.json() }
}

const grant = { gateway: 'gw-0', epoch: 1, seq: 1, bucket: 'wallet:acme', min: '1', want: '10' }

test('200: each call reaches charging and its answer comes back', async () => {
  expect(await post('/gateways/register', { gateway: 'gw-0', journal: 'journal-0' })).toMatchObject({
    status: 200,
    reply: { epoch: 3 },
  })
  expect(await post('/slices/grant', grant)).toMatchObject({ status: 200, reply: { outcome: 'fenced' } })
  expect(await post('/slices/close', { gateway: 'gw-0', journal: 'journal-0', slice: 's', records: 5 })).toMatchObject({
    status: 200,
    reply: { outcome: 'missing', ingested: 4 },
  })
  expect(await (await app.request('/slices?gateway=gw-0&journal=journal-0')).json()).toEqual({
    slices: [{ id: 'slice of gw-0 and journal-0' }],
  })
})

test('200: one record that is none is handed on apart and does not hold up the others', async () => {
  const good = sampleRecord(1)
  const odd = [{ id: 'req_odd', nonsense: true }, 7, { ...sampleRecord(2), sellPico: '-1' }, { id: 'bad id\n' }]
  expect(await post('/usage', { gateway: 'gw-0', records: [good, ...odd] })).toMatchObject({
    status: 200,
    reply: { accepted: 1 },
  })
  expect(ingested.at(-1)).toMatchObject({ gateway: 'gw-0', records: [good] })
  expect(ingested.at(-1)?.malformed?.map(({ id }) => id)).toEqual([
    'req_odd',
    'unreadable',
    sampleRecord(2).id,
    'unreadable',
  ])
})

test('400: what is not JSON, or not the shape of the contract, is a typed problem that names the place', async () => {
  const bad: readonly (readonly [string, unknown, string])[] = [
    ['/slices/grant', '{', 'not JSON'],
    ['/slices/grant', { ...grant, min: '-1' }, 'body.min'],
    ['/slices/grant', { ...grant, epoch: 0 }, 'body.epoch'],
    ['/slices/grant', [], 'body'],
    ['/gateways/register', { gateway: 'NO SPACES', journal: 'journal-0' }, 'body.gateway'],
    ['/gateways/register', { gateway: 'gw-0' }, 'body.journal'],
    ['/slices/close', { gateway: 'gw-0', journal: 'journal-0', slice: 's' }, 'body.records'],
    ['/slices/close', { gateway: 'gw-0', slice: 's', records: 0 }, 'body.journal'],
    ['/usage', { gateway: 'gw-0', records: [] }, 'body.records'],
    ['/usage', { gateway: 'gw-0', records: Array.from({ length: 501 }, () => 1) }, 'body.records'],
  ]
  for (const [path, body, where] of bad) {
    const { status, type, reply } = await post(path, body)
    expect([status, type], path).toEqual([400, 'application/problem+json'])
    expect(reply).toMatchObject({
      code: 'invalid_request',
      status: 400,
      instance: path,
      detail: expect.stringContaining(where),
    })
  }
  for (const path of ['/slices', '/slices?gateway=gw-0']) expect((await app.request(path)).status).toBe(400)
})

test('404 and 409: problems of charging keep their status and code', async () => {
  expect(
    await post('/slices/close', { gateway: 'gw-0', journal: 'journal-0', slice: 'none', records: 0 }),
  ).toMatchObject({
    status: 404,
    type: 'application/problem+json',
    reply: { code: 'unknown_slice' },
  })
  expect(await post('/slices/grant', { ...grant, seq: 9 })).toMatchObject({
    status: 409,
    reply: { code: 'grant_reused', retryable: false },
  })
})

test('413: a body far above any batch is refused before it is parsed', async () => {
  expect(await post('/usage', `"${'x'.repeat(9 * 1024 * 1024)}"`)).toMatchObject({
    status: 413,
    type: 'application/problem+json',
    reply: { code: 'request_too_large' },
  })
})
