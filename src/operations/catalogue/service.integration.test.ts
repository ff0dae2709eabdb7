import { expect, test } from 'vitest'
import { createCharging } from '#charging'
import { Snapshot } from '#contract'
import type { FactoryMistake } from '#contract'
import { Problem } from '#kernel'
import { createIdentity } from '#identity'
import { manualClock } from '#platform/clock'
import { script, sql } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'
import { createCatalogue } from './index.ts'

const START_MS = Date.parse('2026-11-23T12:00:00+08:00')

const FILE = `suppliers:
  - { id: engine, kind: embedded }
  - { id: vendor, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1, apiKeyEnv: VENDOR_KEY }
tenants:
  - { id: acme, limits: { requestsPerMinute: 60 }, topups: [{ reference: pay-1, amountYuan: 0.000000000001 }] }
keys:
  - { id: demo, tenant: acme }
services:
  - id: org/babbler
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell:
      - { validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8.000001 } }
    deployments:
      - { supplier: vendor, model: big, priority: 1, buy: [{ id: b1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }
      - { supplier: engine, model: babbler, priority: 2, buy: [{ id: b2, validFrom: 2026-01-01, taxPercent: 0, perMillion: { uncachedInput: 0, output: 0 } }] }
`
const FUTURE = '      - { validFrom: 2026-12-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }\n'
const withFuture = FILE.replace('    deployments:', `${FUTURE}    deployments:`)

async function build() {
  const database = await freshDatabase()
  const clock = manualClock(START_MS)
  const identity = createIdentity({ database, clock })
  const charging = createCharging({ database, clock })
  const catalogue = createCatalogue({ database, clock, identity, money: charging })
  return {
    clock,
    database,
    identity,
    catalogue,
    charging,
    apply: (text: string, dryRun = false) => catalogue.apply({ text, fileName: 'f.yaml', dryRun }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

async function actions(it: Awaited<ReturnType<typeof build>>, text: string) {
  return (await it.apply(text)).changes.filter(({ action }) => action !== 'unchanged')
}

async function mistakesOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(error instanceof Problem)) throw new Error('expected a problem', { cause: error })
  return (error.params['mistakes'] as readonly FactoryMistake[]).map(
    ({ line, path, message }) => `${line} ${path} ${message}`,
  )
}

test('applying a file creates everything once; applying it again changes nothing, not even the version', async () => {
  await using it = await build()
  const first = await it.apply(FILE)
  expect(new Set(first.changes.map(({ action }) => action))).toEqual(new Set(['created']))
  expect(first.newKeys).toHaveLength(1)
  expect(first.newKeys[0]?.secret).toMatch(/^sk-tf-/)
  expect((await it.charging.balance('acme')).postedPico).toBe('1')
  const { version } = await it.catalogue.snapshot()
  const second = await it.apply(FILE)
  expect(new Set(second.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']))
  expect(second.newKeys).toEqual([])
  expect((await it.catalogue.snapshot()).version).toBe(version)
})

test('the snapshot is what the contract says, with exact prices and every line in order', async () => {
  await using it = await build()
  await it.apply(withFuture)
  await it.catalogue.engineMovedTo('http://127.0.0.1:7777/v1')
  const snapshot = await it.catalogue.snapshot()
  expect(Snapshot.strict().parse(snapshot)).toEqual(snapshot)
  const [service] = snapshot.services
  expect(service?.sellSheets.map(({ id, validToMs }) => [id, validToMs])).toEqual([
    ['org/babbler:sell:2026-01-01', Date.parse('2026-12-01T00:00:00+08:00')],
    ['org/babbler:sell:2026-12-01', null],
  ])
  expect(service?.sellSheets[0]?.prices).toEqual({
    uncachedInput: '2000000',
    cacheWrite: '2000000',
    cacheRead: '2000000',
    output: '8000001',
    reasoning: '8000001',
  })
  expect(service?.deployments.map(({ supplier, buySheets }) => [supplier, buySheets.length])).toEqual([
    ['vendor', 1],
    ['engine', 1],
  ])
  expect(snapshot.suppliers.find(({ id }) => id === 'engine')?.baseUrl).toBe('http://127.0.0.1:7777/v1')
})

test('without an engine its deployments are not offered, and a moved engine is a new version', async () => {
  await using it = await build()
  await it.apply(FILE)
  const before = await it.catalogue.snapshot()
  expect(before.suppliers.map(({ id }) => id)).toEqual(['vendor'])
  expect(before.services[0]?.deployments.map(({ supplier }) => supplier)).toEqual(['vendor'])
  await it.catalogue.engineMovedTo('http://127.0.0.1:7777/v1')
  const after = await it.catalogue.snapshot()
  expect(after.version).toBe(before.version + 1)
  await it.catalogue.engineMovedTo('http://127.0.0.1:7777/v1')
  expect((await it.catalogue.snapshot()).version).toBe(after.version)
})

test('one mistake and nothing is applied, not even the parts that were right', async () => {
  await using it = await build()
  expect(await mistakesOf(it.apply(FILE.replace('supplier: vendor', 'supplier: ghost')))).toHaveLength(1)
  const snapshot = await it.catalogue.snapshot()
  expect([snapshot.tenants, snapshot.keys, snapshot.services, snapshot.suppliers]).toEqual([[], [], [], []])
})

test('a refused top-up takes the whole file back and is told with its place', async () => {
  await using it = await build()
  await it.charging.topup({ tenant: 'acme', amountPico: 5n, reference: 'pay-1' })
  expect(await mistakesOf(it.apply(FILE))).toEqual([
    '5 tenants[0].topups[0] The payment pay-1 was booked already, for another tenant or another amount.',
  ])
  expect((await it.catalogue.snapshot()).tenants).toEqual([])
})

test('a dry run tells the changes, makes no key and leaves nothing behind', async () => {
  await using it = await build()
  const reply = await it.apply(FILE, true)
  expect(reply.changes.length).toBeGreaterThan(5)
  expect(reply.newKeys).toEqual([])
  expect((await it.catalogue.snapshot()).services).toEqual([])
})

test('a price that has begun never changes; the mistake says what to do instead', async () => {
  await using it = await build()
  await it.apply(FILE)
  const dearer = FILE.replace('8.000001', '9')
  expect(await mistakesOf(it.apply(dearer))).toEqual([
    '14 services[0].sell[0] org/babbler:sell:2026-01-01 has been in force since 2025-12-31T16:00:00Z and cannot change: add a new price sheet with a later validFrom',
  ])
})

test('a new price is announced, never backdated, and never begins before every gateway can have heard of it', async () => {
  await using it = await build()
  await it.apply(FILE)
  expect(await actions(it, withFuture)).toEqual([
    { kind: 'price-sheet', id: 'org/babbler:sell:2026-12-01', action: 'created' },
  ])
  expect(await actions(it, withFuture)).toEqual([])
  const from = (text: string) =>
    FILE.replace('    deployments:', `${FUTURE.replace('2026-12-01', text)}    deployments:`)
  expect((await mistakesOf(it.apply(from('2026-11-20'))))[0]).toContain('15 services[0].sell[1] begins in the past')
  expect((await mistakesOf(it.apply(from('2026-11-23T12:00:59+08:00'))))[0]).toContain(
    'begins in less than 60 s, but org/babbler:sell:2026-01-01 is already in force: a new price sheet begins at least 60 s after it is declared, so give a validFrom later than 2026-11-23T04:01:00Z',
  )
  expect(await actions(it, from('2026-11-23T12:01:00+08:00'))).toHaveLength(1)
})

test('what the id of an announced price stands for never changes; a new id for the same beginning takes its place', async () => {
  await using it = await build()
  await it.apply(withFuture)
  const dearer = withFuture.replace('output: 4', 'output: 5')
  expect(await mistakesOf(it.apply(dearer))).toEqual([
    '15 services[0].sell[1] org/babbler:sell:2026-12-01 has been announced for 2026-11-30T16:00:00Z and cannot change: write the new prices under a new id, with the same validFrom to replace it',
  ])
  const corrected = dearer.replace('{ validFrom: 2026-12-01', '{ id: better, validFrom: 2026-12-01')
  expect(await actions(it, corrected)).toEqual([
    { kind: 'price-sheet', id: 'better', action: 'created' },
    { kind: 'price-sheet', id: 'org/babbler:sell:2026-12-01', action: 'updated' },
  ])
  expect(await actions(it, corrected)).toEqual([])
  const [service] = (await it.catalogue.snapshot()).services
  expect(service?.sellSheets.map(({ id }) => id)).toEqual(['org/babbler:sell:2026-01-01', 'better'])
  // A gateway that never heard of the correction names the old one, and its record is still right.
  expect((await it.catalogue.sheet('org/babbler:sell:2026-12-01'))?.prices.output).toBe('4000000')
  expect((await mistakesOf(it.apply(withFuture))).join()).toContain('that another one replaced: use a new id')
})

test('an announced price that is about to begin is not replaced any more', async () => {
  await using it = await build()
  await it.apply(withFuture)
  it.clock.advance(Date.parse('2026-12-01T00:00:00+08:00') - START_MS - 59_000)
  const corrected = withFuture.replace('{ validFrom: 2026-12-01', '{ id: better, validFrom: 2026-12-01')
  expect((await mistakesOf(it.apply(corrected))).join()).toContain('begins in less than 60 s')
})

test('mistakes against what is in force are told together with those of the file itself', async () => {
  await using it = await build()
  await it.apply(FILE.replace('tenants:\n', 'tenants:\n  - { id: other }\n'))
  await it.charging.topup({ tenant: 'acme', amountPico: 5n, reference: 'pay-2' })
  const wrong = `suppliers:
  - { id: engine, kind: magic }
tenants:
  - { id: acme, colour: red, topups: [{ reference: pay-2, amountYuan: 1 }, { reference: pay-3, amountYuan: none }] }
keys:
  - { id: demo, tenant: other }
  - { id: late, tenant: acme, expiresAt: 2026-01-01 }
  - { id: lost, tenant: ghost }
services:
  - id: org/babbler
    contextTokens: 256
    maxOutputTokens: 512
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell:
      - { validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 3, output: 8.000001 } }
      - { validFrom: 2026-11-01, taxPercent: 6, perMillion: { uncachedInput: 3, output: 9 } }
    deployments:
      - { supplier: ghost, model: big, buy: [{ id: b1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }
      - { supplier: vendor, model: big, buy: [{ id: b1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 9, output: x } }, { id: b3, validFrom: 2026-01-01, validTo: 2027-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }
`
  const told = (await mistakesOf(it.apply(wrong))).map((line) => line.slice(0, 60))
  expect(told).toEqual([
    '2 suppliers[0].kind must be one of: embedded, openai-compati',
    '4 tenants[0].colour unknown field',
    '4 tenants[0].topups[0] The payment pay-2 was booked already,',
    '4 tenants[0].topups[1].amountYuan not an amount in yuan: not',
    '6 keys[0].tenant the key demo belongs to acme, and a key nev',
    '7 keys[1].expiresAt the key would have expired before it cou',
    '8 keys[2].tenant there is no tenant ghost',
    '12 services[0].maxOutputTokens is above contextTokens',
    '15 services[0].sell[0] org/babbler:sell:2026-01-01 has been ',
    '16 services[0].sell[1] begins in the past, but org/babbler:s',
    '18 services[0].deployments[0].supplier there is no supplier ',
    '18 services[0].deployments[0].buy[0] the id b1 is already us',
    '19 services[0].deployments[1].buy[0].id the price sheet b1 i',
    '19 services[0].deployments[1].buy[0].perMillion.output not a',
    '19 services[0].deployments[1].buy[1] begins in the past, but',
  ])
})

test('applying twice changes nothing either where the database sorts as a language does', async () => {
  await using it = await build()
  await it.database.rows(
    script(`
    alter table catalogue.deployment alter column supplier type text collate "en-x-icu", alter column model type text collate "en-x-icu";
    alter table catalogue.service alter column id type text collate "en-x-icu"`),
  )
  const [probe] = await it.database.rows<{ isLanguage: boolean }>(
    sql`select 'a' < 'B' collate "en-x-icu" as "isLanguage"`,
  )
  expect(probe?.isLanguage).toBe(true)
  const other = (model: string) =>
    `      - { supplier: vendor, model: ${model}, priority: 1, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }\n`
  const text = FILE.replace(
    '    deployments:\n',
    `    deployments:\n${other('a-1')}${other('B')}${other('a1')}${other('Ä')}`,
  )
  await it.apply(text)
  const { version } = await it.catalogue.snapshot()
  expect(await actions(it, text)).toEqual([])
  expect((await it.catalogue.snapshot()).version).toBe(version)
})

test('applying a key and revoking it at the same moment do not wait for each other in a circle', async () => {
  await using it = await build()
  await it.apply(FILE)
  const renamed = (n: number) =>
    FILE.replace('requestsPerMinute: 60', `requestsPerMinute: ${100 + n}`).replace(
      '{ id: demo, tenant: acme }',
      `{ id: demo, tenant: acme, name: n${n} }`,
    )
  const work = Array.from({ length: 8 }, (_, n) => [
    it.apply(renamed(n)),
    it.identity.revokeKey('demo'),
    it.identity.createPlaygroundKey('acme'),
  ])
  const outcomes = await Promise.allSettled(work.flat())
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
})

test('a sheet in force may be given an end in the future, and none in the past', async () => {
  await using it = await build()
  await it.apply(FILE)
  const ending = (date: string) =>
    FILE.replace(
      'validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2',
      `validFrom: 2026-01-01, validTo: ${date}, taxPercent: 6, perMillion: { uncachedInput: 2`,
    )
  await it.apply(ending('2026-12-24'))
  expect((await it.catalogue.snapshot()).services[0]?.sellSheets[0]?.validToMs).toBe(
    Date.parse('2026-12-24T00:00:00+08:00'),
  )
  it.clock.advance(40 * 86_400_000)
  expect((await mistakesOf(it.apply(ending('2027-12-24')))).join()).toContain(
    'has ended and cannot be given another end',
  )
})

test('a sheet that the file no longer names still counts: another one cannot overlap it', async () => {
  await using it = await build()
  await it.apply(
    FILE.replace(
      '    deployments:',
      '      - { id: n1, validFrom: 2026-12-01, validTo: 2027-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }\n    deployments:',
    ),
  )
  const other = FILE.replace(
    '    deployments:',
    '      - { id: n2, validFrom: 2026-12-15, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }\n    deployments:',
  )
  expect(await mistakesOf(it.apply(other))).toEqual([
    '15 services[0].sell[1] overlaps the price sheet n1 that is already in force',
  ])
})

test('a key never changes its tenant, and its limits may change without a new secret', async () => {
  await using it = await build()
  await it.apply(FILE)
  const moved = `${FILE.replace('keys:\n  - { id: demo, tenant: acme }', 'keys:\n  - { id: demo, tenant: other }').replace('tenants:\n', 'tenants:\n  - { id: other }\n')}`
  expect((await mistakesOf(it.apply(moved)))[0]).toContain('8 keys[0].tenant the key demo belongs to acme')
  const { changes, newKeys } = await it.apply(
    FILE.replace('{ id: demo, tenant: acme }', '{ id: demo, tenant: acme, limits: { maxConcurrency: 2 } }'),
  )
  expect(changes).toContainEqual({ kind: 'key', id: 'demo', action: 'updated' })
  expect(newKeys).toEqual([])
})

test('a deployment that the service no longer names is no longer offered', async () => {
  await using it = await build()
  await it.apply(FILE)
  await it.apply(FILE.replace(/ {6}- \{ supplier: engine.*\n/, ''))
  await it.catalogue.engineMovedTo('http://127.0.0.1:7777/v1')
  expect((await it.catalogue.snapshot()).services[0]?.deployments.map(({ supplier }) => supplier)).toEqual(['vendor'])
})

test('two applies at the same moment follow one another and make each object once', async () => {
  await using it = await build()
  const replies = await Promise.all([it.apply(FILE), it.apply(FILE), it.apply(FILE)])
  expect(replies.flatMap(({ newKeys }) => newKeys)).toHaveLength(1)
  expect(
    replies.flatMap(({ changes }) => changes).filter(({ kind, action }) => kind === 'service' && action === 'created'),
  ).toHaveLength(1)
})

test('a waiting gateway is answered when a key is revoked, and with nothing when nothing happens', async () => {
  await using it = await build()
  await it.apply(FILE)
  const { version } = await it.catalogue.snapshot()
  expect(await it.catalogue.waitForSnapshot(version, 1)).toBeUndefined()
  const waiting = it.catalogue.waitForSnapshot(version, 20_000)
  await it.identity.revokeKey('demo')
  const snapshot = await waiting
  expect(snapshot?.version).toBe(version + 1)
  expect(snapshot?.keys[0]?.status).toBe('revoked')
})

test('a tenant sees the services it may use with prices, and neither suppliers nor cost', async () => {
  await using it = await build()
  await it.apply(
    FILE.replace('    sell:', '    tenants: [acme]\n    sell:').replace('tenants:\n', 'tenants:\n  - { id: other }\n'),
  )
  expect(await it.catalogue.services('other')).toEqual([])
  const [own] = await it.catalogue.services('acme')
  expect(own?.deployments).toEqual([])
  expect(own?.sellPerMillion).toMatchObject({ uncachedInput: '2', output: '8.000001' })
  expect((await it.catalogue.services())[0]?.deployments).toHaveLength(2)
})
