import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, FILE, controlFixture, recordOf } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'

let it: ControlFixture
beforeAll(async () => {
  it = await controlFixture()
})
afterAll(() => it[Symbol.asyncDispose]())

async function apply(body: unknown) {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const reply = await it.app.request('/api/v1/apply', { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await reply.text()
  return { status: reply.status, text, json: JSON.parse(text) as unknown }
}

test('a dry run and a file with one refused payment book nothing at all', async () => {
  const before = await it.charging.wallets()
  const paying = FILE.replace(
    'reference: pay-acme, amountYuan: 10 }',
    'reference: pay-acme, amountYuan: 10 }, { reference: more, amountYuan: 3 }',
  )
  const rehearsed = await apply({ document: paying, dryRun: true })
  expect(rehearsed.json).toMatchObject({ newKeys: [] })
  expect(rehearsed.text).toContain('{"kind":"topup","id":"more","action":"created"}')
  const refused = paying.replace('reference: pay-globex, amountYuan: 20', 'reference: pay-globex, amountYuan: 21')
  const { status, json } = await apply({ document: refused })
  expect(status).toBe(422)
  expect(json).toMatchObject({ params: { mistakes: [{ line: 5, path: 'tenants[1].topups[0]' }] } })
  expect(await it.charging.wallets()).toEqual(before)
})

test('applies with several payments and the usage of running requests do not stop one another', async () => {
  const document = FILE.replace('amountYuan: 10 }', 'amountYuan: 10 }, { reference: race-a, amountYuan: 1 }').replace(
    'amountYuan: 20 }',
    'amountYuan: 20 }, { reference: race-b, amountYuan: 1 }',
  )
  const records = Array.from({ length: 12 }, (_, n) =>
    recordOf(`req_000000000000000000000001${n.toString().padStart(2, '0')}`, 'acme', it.acmeSlice),
  )
  const ingests = records.map((record) => it.charging.ingest({ gateway: 'gw-0', records: [record] }))
  const applies = Array.from({ length: 4 }, () => apply({ document }))
  expect((await Promise.all(applies)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect((await Promise.all(ingests)).reduce((sum, { accepted }) => sum + accepted, 0)).toBe(12)
  expect((await it.charging.verify()).ok).toBe(true)
})

test('mistakes in a file come back as a problem with places, and nothing is applied', async () => {
  const document = FILE.replace('supplier: secret-supplier, model: secret-other', 'supplier: ghost, model: x')
  const { status, json } = await apply({ document, fileName: 'my.yaml' })
  expect(status).toBe(422)
  expect(json).toMatchObject({
    code: 'factory_file_mistakes',
    params: { mistakes: [{ file: 'my.yaml', line: 24, column: 21, path: 'services[1].deployments[0].supplier' }] },
  })
})

test('a payment that is refused is told together with the mistakes of the file, also for a tenant that is new', async () => {
  const before = await it.charging.wallets()
  const document = FILE.replace('supplier: secret-supplier, model: secret-other', 'supplier: ghost, model: x').replace(
    'tenants:\n',
    'tenants:\n  - { id: fresh, topups: [{ reference: pay-acme, amountYuan: 1 }, { reference: first, amountYuan: 2 }] }\n',
  )
  const { status, json } = await apply({ document })
  expect(status).toBe(422)
  expect(json).toMatchObject({
    params: {
      mistakes: [
        { path: 'tenants[0].topups[0]' },
        { path: 'tenants[1].topups[0].reference' },
        { path: 'services[1].deployments[0].supplier' },
      ],
    },
  })
  expect(await it.charging.wallets()).toEqual(before)
})

test('the example applies, and applying it again changes nothing', async () => {
  const document = readFileSync(new URL('../../examples/factory.yaml', import.meta.url), 'utf8')
  await using own = await controlFixture()
  const put = () =>
    own.catalogue.apply({ text: document.replaceAll('babbler', 'example'), fileName: 'e.yaml', dryRun: false })
  expect((await put()).changes.some(({ action }) => action === 'created')).toBe(true)
  expect((await put()).changes.filter(({ action }) => action !== 'unchanged')).toEqual([])
})
