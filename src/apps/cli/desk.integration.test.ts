import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '#platform/postgres'
import { controlFixture, recordOf } from '../../../test/control.ts'
import type { ControlFixture } from '../../../test/control.ts'
import { openCommandLine } from '../../../test/command-line.ts'
import type { CommandLine } from '../../../test/command-line.ts'

let it: ControlFixture
let line: CommandLine
beforeAll(async () => {
  it = await controlFixture()
  line = await openCommandLine(it)
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await it[Symbol.asyncDispose]()
})

const cli = (...args: string[]) => line.run(args)

test('a record in quarantine is listed, delivered again or dismissed with a reason', async () => {
  expect(await cli('quarantine', 'list')).toMatchObject({ code: 0, out: 'nothing is in quarantine\n' })
  const early = recordOf('req_00000000000000000000000008', 'acme', 'slc_gw-0_1_3')
  const alien = recordOf('req_00000000000000000000000009', 'acme', 'slc_none')
  await it.charging.ingest({ gateway: 'gw-0', records: [early, alien] })
  const { out } = await cli('quarantine', 'list', '-o', 'json')
  const ids = new Map((JSON.parse(out) as { id: string; record: string }[]).map(({ id, record }) => [record, id]))
  const [earlyId = '', alienId = ''] = [ids.get(early.id), ids.get(alien.id)]
  expect((await cli('quarantine', 'list')).out).toContain(`${earlyId.slice(0, 12)}  `)

  const still = await cli('quarantine', 'retry', earlyId.slice(0, 12))
  expect(still).toMatchObject({ code: 1, out: `${early.id} stays in quarantine: unknown_slice\n` })
  const grant = { gateway: 'gw-0', epoch: 1, seq: 3, bucket: 'wallet:acme', min: '1', want: '2000000000' }
  expect(await it.charging.grant(grant)).toMatchObject({ outcome: 'granted', slice: { id: 'slc_gw-0_1_3' } })
  expect(await cli('quarantine', 'retry', earlyId)).toMatchObject({ code: 0, out: `${early.id} is posted\n` })
  expect(await cli('quarantine', 'dismiss', earlyId, '--reason', 'x')).toMatchObject({ code: 1 })

  expect(await cli('quarantine', 'dismiss', alienId)).toMatchObject({ code: 2 })
  const done = await cli('quarantine', 'dismiss', alienId, '--reason', 'a test', '-o', 'json')
  expect(done.code).toBe(0)
  expect(JSON.parse(done.out)).toMatchObject({ state: 'dismissed', decidedBy: 'admin token', decidedReason: 'a test' })
  expect(await cli('quarantine', 'retry', 'ffffffff')).toMatchObject({ code: 4 })
  expect(await cli('quarantine', 'eat')).toMatchObject({ code: 2 })
  expect(await cli('quarantine', 'list', '--limit', '0')).toMatchObject({ code: 3 })
  expect((await cli('quarantine', '--help')).out).toContain('dismiss ID --reason TEXT')
})

test('a slice is listed with its journal and age, and released an hour after it expired', async () => {
  const list = await cli('slices', 'list')
  expect(list.code).toBe(0)
  expect(list.out).toMatch(/slc_gw-0_1_1 +wallet:acme +journal-of-t +yes/)
  const release = () => cli('slices', 'release', it.acmeSlice, '--reason', 'disk lost')
  expect(await cli('slices', 'release', it.acmeSlice)).toMatchObject({ code: 2 })
  expect(await cli('slices', 'release', 'slc_none', '--reason', 'x')).toMatchObject({ code: 4 })
  expect(await release()).toMatchObject({ code: 1, err: expect.stringContaining('an hour after it expired') })
  it.clock.advance(600_000 + 3_600_000)
  expect(await release()).toMatchObject({ code: 0, out: expect.stringContaining('back in wallet:acme') })
  expect(
    await it.database.rows(sql`select released_by, released_reason from charging.slice where id = ${it.acmeSlice}`),
  ).toEqual([{ released_by: 'admin token', released_reason: 'disk lost' }])
})

test('nobody but an operator sees or decides any of it', async () => {
  const { password } = await it.identity.createAccount({ email: 'eve@acme.example', role: 'tenant', tenant: 'acme' })
  const site = { host: 'console.example', origin: 'http://console.example', 'sec-fetch-site': 'same-origin' }
  const signedIn = await it.app.request('/api/v1/session', {
    method: 'POST',
    headers: { ...site, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'eve@acme.example', password }),
  })
  expect(signedIn.status).toBe(200)
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  for (const path of ['/slices', '/quarantine'])
    expect((await it.app.request(`/api/v1${path}`, { headers: { ...site, cookie } })).status).toBe(403)
  for (const path of ['/slices/slc_gw-0_1_2/release', '/quarantine/ffffffff/retry', '/quarantine/ffffffff/dismiss']) {
    const reply = await it.app.request(`/api/v1${path}`, {
      method: 'POST',
      headers: { ...site, cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'mine' }),
    })
    expect(reply.status, path).toBe(403)
  }
})
