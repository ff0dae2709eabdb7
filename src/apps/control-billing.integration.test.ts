import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { DocumentReply, DocumentView, LineRequestView, ReconcileReply, VerifyReply } from '#contract'
import { SELLER } from '../../test/billing.ts'
import { ACME_REQUEST, ADMIN_TOKEN, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { openCommandLine } from '../../test/command-line.ts'
import type { CommandLine } from '../../test/command-line.ts'

let it: ControlFixture
let line: CommandLine
let folder: string
let cookie: string
const DAY_MS = 86_400_000

beforeAll(async () => {
  it = await controlFixture()
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-invoices-'))
  line = await openCommandLine(it)
  it.clock.advance(10 * DAY_MS)
  const { email, password } = await it.identity.createAccount({
    email: 'user@acme.example',
    role: 'tenant',
    tenant: 'acme',
  })
  const reply = await call('POST', '/session', { 'content-type': 'application/json' }, { email, password })
  cookie = reply.headers.get('set-cookie')?.split(';')[0] ?? ''
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await it[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> {
  const init = {
    method,
    headers: { host: '127.0.0.1:8081', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
  return it.app.request(`http://127.0.0.1:8081/api/v1${path}`, init)
}
const asTenant = (path: string) => call('GET', path, { cookie })

const cli = (...args: string[]) => line.run(args)

test('an operator sets the seller, runs the month, prints it and reconciles, all from the command line', async () => {
  const refused = await cli('invoices', 'run')
  expect(refused.code).toBe(1)
  expect(refused.out).toContain('Say who sells first')
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  expect((await call('POST', '/billing/seller', headers, { ...SELLER, uscc: '9164010035A1B2C3DX' })).status).toBe(422)
  expect((await call('POST', '/billing/seller', headers, { ...SELLER, misspelt: 1 })).status).toBe(422)
  expect((await call('POST', '/billing/seller', headers, SELLER)).status).toBe(200)
  expect(await cli('invoices', 'seller')).toMatchObject({ code: 0, out: expect.stringContaining(SELLER.name) })

  const run = await cli('invoices', 'run', '-o', 'json')
  expect(run.code).toBe(0)
  expect(
    z
      .object({ documents: z.array(DocumentView) })
      .parse(JSON.parse(run.out))
      .documents.map((each) => each.number),
  ).toEqual(['STM-2026-000001', 'STM-2026-000002'])
  expect((await cli('invoices', 'run')).out).toContain('2026-11: 0 new documents')
  expect(await cli('invoices', 'run', '--period', '2026-12')).toMatchObject({ code: 1 })
  expect(await cli('invoices', 'run', '--period', 'now')).toMatchObject({ code: 3 })
  expect((await cli('invoices', 'list', '--tenant', 'acme')).out).toContain('STM-2026-000001')
  const shown = await cli('invoices', 'show', 'STM-2026-000001', '-o', 'json')
  expect(DocumentReply.parse(JSON.parse(shown.out))).toMatchObject({
    tenant: 'acme',
    lines: [{ service: 'babbler', requests: 1 }],
  })
  expect(await cli('invoices', 'show', 'STM-2026-000009')).toMatchObject({ code: 4 })
  expect(await cli('invoices', 'nonsense')).toMatchObject({ code: 2 })

  for (const kind of ['pdf', 'csv', 'xlsx']) {
    const file = join(folder, `statement.${kind}`)
    expect(await cli('invoices', kind, 'STM-2026-000001', '--file', file, '--lang', 'en')).toMatchObject({ code: 0 })
    expect((await readFile(file)).length).toBeGreaterThan(200)
  }
  const csv = await readFile(join(folder, 'statement.csv'), 'utf8')
  expect(csv).toContain(ACME_REQUEST)
  expect(csv).not.toContain('secret')
  expect(await cli('invoices', 'pdf', 'STM-2026-000009', '--file', join(folder, 'none.pdf'))).toMatchObject({ code: 4 })
  await expect(readFile(join(folder, 'none.pdf'))).rejects.toThrow('ENOENT')

  const day = await cli('reconcile', '--day', '2026-11-23', '-o', 'json')
  expect(day.code).toBe(0)
  expect(ReconcileReply.parse(JSON.parse(day.out))).toMatchObject({
    ok: true,
    services: [{ service: 'babbler', requests: 2 }],
  })
  expect(await cli('reconcile', '--day', '2026-02-30')).toMatchObject({ code: 3 })
  const verified = await cli('verify', '-o', 'json')
  expect(VerifyReply.parse(JSON.parse(verified.out)).checks.filter((check) => !check.ok)).toEqual([])
})

test('money that arrives is booked from the command line, once', async () => {
  const pay = ['invoices', 'pay', '--tenant', 'acme', '--amount', '12.50', '--reference', 'bank-1']
  expect(await cli(...pay)).toMatchObject({
    code: 0,
    out: '¥12.50 of acme are booked, of which ¥12.50 went into the wallet\n',
  })
  expect(await cli(...pay)).toMatchObject({ code: 0 })
  expect(await cli(...pay.slice(0, -1), 'bank-2', 'STM-2026-000009')).toMatchObject({ code: 4 })
  expect(await cli('invoices', 'pay', '--tenant', 'acme', '--amount', '1.234', '--reference', 'x')).toMatchObject({
    code: 3,
  })
  expect(await cli('invoices', 'pay', '--tenant', 'nobody', '--amount', '1', '--reference', 'x')).toMatchObject({
    code: 4,
  })
  expect(await cli('invoices', 'credit', 'STM-2026-000001', '--reference', 'c', '--reason', 'r')).toMatchObject({
    code: 3,
  })
})

test('a tenant sees its own documents and nothing of anybody else', async () => {
  const mine = 'STM-2026-000001'
  const own = z.array(DocumentView).parse(await (await asTenant('/invoices')).json())
  expect(own.map((each) => each.tenant)).toEqual(['acme'])
  const detail = DocumentReply.parse(await (await asTenant(`/invoices/${mine}`)).json())
  expect(detail.events).toBeUndefined()
  const requests = z.array(LineRequestView).parse(await (await asTenant(`/invoices/${mine}/lines/1/requests`)).json())
  expect(requests.map((each) => each.id)).toEqual([ACME_REQUEST])
  for (const path of ['', '/pdf', '/csv', '/xlsx', '/lines/1/requests'])
    expect((await asTenant(`/invoices/STM-2026-000002${path}`)).status).toBe(404)
  expect((await asTenant('/invoices?tenant=globex')).status).toBe(403)
  expect((await asTenant('/payments?tenant=globex')).status).toBe(403)
  expect((await asTenant('/billing/buyers/globex')).status).toBe(403)
  const json = { cookie, 'content-type': 'application/json', origin: 'http://127.0.0.1:8081' }
  for (const path of [
    '/invoices/run',
    '/payments',
    '/reconcile',
    `/invoices/${mine}/credit`,
    '/billing/seller',
    '/billing/buyers/acme',
  ])
    expect([path, (await call('POST', path, json, {})).status]).toEqual([path, 403])
  expect((await call('POST', '/invoices/STM-2026-000002/fapiao', json, {})).status).toBe(404)
  const fapiao = await call('POST', '/invoices/STM-2026-000001/fapiao', json, {})
  expect(await fapiao.json()).toMatchObject({ code: 'no_fapiao_possible' })
})
