import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AgreementView, CallOffView, PackageView, ProjectView } from '#contract'
import * as z from 'zod'
import { ADMIN_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

const TENDER = readFileSync(new URL('../../examples/tender.yaml', import.meta.url), 'utf8')
  .replace('{ id: teamsun,', '{ id: teamsun, uscc: 91350100M000100Y43,')
  .replace('objectionDays: 3', 'objectionDays: 0')
const PACKAGE = '/api/v1/supply/projects/ningxia-2026/packages/p1'

let it: ControlFixture
beforeAll(async () => {
  it = await controlFixture()
})
afterAll(() => it[Symbol.asyncDispose]())

/** A call in somebody's name: the admin token, or the cookie of a session. */
async function call(as: Readonly<Record<string, string>>, path: string, body?: unknown) {
  const headers = { ...as, host: 'console.example', 'content-type': 'application/json' }
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
  const answer = await it.app.request(`http://console.example${path}`, init)
  return { status: answer.status, json: (await answer.json()) as unknown }
}

async function signIn(account: { email: string; role: 'operator' | 'supplier'; supplier?: string }) {
  const { email, password } = await it.identity.createAccount({ ...account, tenant: null })
  const answer = await it.app.request('http://console.example/api/v1/session', {
    method: 'POST',
    headers: { host: 'console.example', 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  return { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

test('a package is bought by two people, and a supplier sees and does what is its own and nothing else', async () => {
  const ann = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const bob = await signIn({ email: 'bob@example.com', role: 'operator' })
  const sue = await signIn({ email: 'sue@teamsun.example', role: 'supplier', supplier: 'teamsun' })
  const eve = await signIn({ email: 'eve@lexun.example', role: 'supplier', supplier: 'lexun' })
  const reason = { reason: 'test' }

  const applied = await call(ann, '/api/v1/supply/projects', { document: TENDER, fileName: 'tender.yaml' })
  expect([applied.status, ProjectView.parse(applied.json).packages.length]).toEqual([201, 11])
  const wrong = await call(ann, '/api/v1/supply/projects', { document: 'id: [' })
  expect(wrong).toMatchObject({ status: 422, json: { code: 'invalid_tender_file' } })
  await call(ann, `${PACKAGE}/bids`, { supplier: 'teamsun', priceYuan: '1000000', documentHash: 'c'.repeat(64) })
  await call(ann, `${PACKAGE}/evaluation`, { scores: { teamsun: { price: 1 } }, ...reason })
  await call(ann, `${PACKAGE}/candidates`, { shares: [{ supplier: 'teamsun', ppm: 1_000_000 }], ...reason })
  expect(await call(ann, `${PACKAGE}/award`, reason)).toMatchObject({ status: 409, json: { code: 'same_person' } })
  const awarded = await call(bob, `${PACKAGE}/award`, reason)
  expect(PackageView.parse(awarded.json).history.at(-1)).toMatchObject({ to: 'awarded', by: 'bob@example.com' })

  const wanted = { package: 'ningxia-2026/p1', supplier: 'teamsun', validFrom: '2026-06-01', validMonths: 72 }
  const { id } = AgreementView.parse((await call(ann, '/api/v1/supply/agreements', wanted)).json)
  await call(ann, `/api/v1/supply/agreements/${id}/submit`, reason)
  expect((await call(bob, `/api/v1/supply/agreements/${id}/sign`, reason)).json).toMatchObject({ state: 'active' })
  const order = { package: 'ningxia-2026/p1', units: 10, ...reason }
  const [proposed] = z.array(CallOffView).parse((await call(ann, '/api/v1/supply/call-offs', order)).json)
  expect((await call(sue, '/api/v1/supply/call-offs')).json, 'not placed yet').toEqual([])
  await call(bob, `/api/v1/supply/call-offs/${proposed?.batch ?? ''}/issue`, reason)

  const own = await call(sue, '/api/v1/supply/call-offs')
  expect(own.json).toMatchObject([{ id: proposed?.id, state: 'issued' }])
  for (const path of [
    '/api/v1/supply/call-offs',
    '/api/v1/supply/agreements',
    '/api/v1/supply/agreements?supplier=teamsun',
  ])
    expect(await call(eve, path)).toEqual({ status: 200, json: [] })
  const at = `/api/v1/supply/call-offs/${proposed?.id ?? ''}`
  expect((await call(eve, `${at}/acknowledge`, reason)).status).toBe(404)
  expect((await call(sue, `${at}/acknowledge`, reason)).json).toMatchObject({ state: 'acknowledged' })
  await call(sue, `${at}/start-delivery`, reason)
  expect((await call(sue, `${at}/deliveries`, { units: 11 })).status).toBe(422)
  expect((await call(sue, `${at}/deliveries`, { units: 10 })).json).toMatchObject({ state: 'delivered' })

  const closed = [
    '/supply/projects',
    '/supply/suppliers',
    '/tenants',
    '/usage',
    '/ledger',
    '/balance',
    '/requests',
    '/keys',
  ]
  for (const path of closed) expect((await call(sue, `/api/v1${path}`)).status, path).toBe(403)
  for (const [path, body] of [
    [`${at}/revoke`, reason],
    [`/api/v1/supply/agreements/${id}/suspend`, reason],
    [`${PACKAGE}/open`, reason],
    ['/api/v1/topups', { tenant: 'acme', amountYuan: '1', reference: 'x' }],
  ] as const)
    expect((await call(sue, path, body)).status, path).toBe(403)
})
