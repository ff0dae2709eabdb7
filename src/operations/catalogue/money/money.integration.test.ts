import { expect, test } from 'vitest'
import { createCharging } from '#charging'
import { Snapshot } from '#contract'
import type { FactoryMistake } from '#contract'
import { createIdentity } from '#identity'
import { Problem } from '#kernel'
import { manualClock } from '#platform/clock'
import { freshDatabase } from '../../../../test/database.ts'
import { createCatalogue } from '../index.ts'

const START_MS = Date.parse('2026-11-23T12:00:00+08:00')
const YUAN = 1_000_000_000_000n

const FILE = `tenants:
  - id: acme
    credit: { limitYuan: 200.5, mode: available }
    budgets: { dayYuan: 50, monthYuan: 500 }
    projects: [{ id: research, budgets: { monthYuan: 100 } }]
    topups: [{ reference: pay-1, amountYuan: 10 }]
    gifts: [{ reference: welcome, amountYuan: 5, expiresAt: 2026-12-01 }]
    sharesWith: [lab]
  - id: lab
keys:
  - { id: demo, tenant: acme, project: research, budgets: { dayYuan: 20 } }
`

async function build() {
  const database = await freshDatabase()
  const clock = manualClock(START_MS)
  const identity = createIdentity({ database, clock })
  const charging = createCharging({ database, clock })
  const catalogue = createCatalogue({ database, clock, identity, money: charging })
  const apply = (text: string, dryRun = false) => catalogue.apply({ text, fileName: 'f.yaml', dryRun })
  return {
    database,
    clock,
    charging,
    catalogue,
    apply,
    changes: async (text: string) =>
      (await apply(text)).changes
        .filter(({ action }) => action !== 'unchanged')
        .map(({ kind, id, action }) => `${kind} ${id} ${action}`),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

test('credit, budgets, gifts and shares of a file are in the books once, and gateways are told of them', async () => {
  await using it = await build()
  expect(await it.changes(FILE)).toEqual([
    'tenant acme created',
    'project acme/research created',
    'tenant lab created',
    'key demo created',
    'budget key/demo/day created',
    'budget project/acme/research/month created',
    'budget tenant/acme/day created',
    'budget tenant/acme/month created',
    'share acme/lab created',
    'credit acme created',
    'gift welcome created',
    'topup pay-1 created',
  ])
  expect(await it.charging.balance('acme')).toMatchObject({
    paidPico: `${10n * YUAN}`,
    giftPico: `${5n * YUAN}`,
    creditLimitPico: '200500000000000',
  })
  const snapshot = await it.catalogue.snapshot()
  expect(Snapshot.strict().parse(snapshot)).toEqual(snapshot)
  expect(snapshot.tenants.find(({ id }) => id === 'acme')?.caps).toMatchObject([
    { id: 'cap:tenant/acme/day', period: 'day', limitPico: `${50n * YUAN}` },
    { id: 'cap:tenant/acme/month', period: 'month', limitPico: `${500n * YUAN}` },
  ])
  expect(snapshot.keys[0]?.caps).toMatchObject([{ scope: 'key' }, { scope: 'project', limitPico: `${100n * YUAN}` }])
  expect(snapshot.tenants.find(({ id }) => id === 'lab')?.means).toMatchObject([
    { kind: 'wallet', payer: 'lab' },
    { kind: 'wallet', payer: 'acme' },
  ])
  expect(await it.changes(FILE)).toEqual([])
  expect((await it.catalogue.snapshot()).version).toBe(snapshot.version)
  expect((await it.charging.verify({ sheetById: async () => undefined })).ok).toBe(true)
})

test('what a named tenant or key no longer has ends, and what the file does not name is left alone', async () => {
  await using it = await build()
  await it.apply(FILE)
  const bare = `tenants:
  - { id: acme, projects: [{ id: research }] }
`
  expect((await it.changes(bare)).toSorted()).toEqual([
    'budget project/acme/research/month retired',
    'budget tenant/acme/day retired',
    'budget tenant/acme/month retired',
    'share acme/lab retired',
  ])
  const { tenants, keys } = await it.catalogue.snapshot()
  expect(tenants.map(({ caps, means }) => [caps, means])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ])
  expect(keys[0]?.caps).toMatchObject([{ scope: 'key' }])
  // Credit may have come with an order, and gifts are given.
  expect(await it.charging.balance('acme')).toMatchObject({
    creditLimitPico: '200500000000000',
    giftPico: `${5n * YUAN}`,
  })
  it.clock.advance(1)
  expect((await it.changes(FILE)).toSorted()).toEqual([
    'budget project/acme/research/month updated',
    'budget tenant/acme/day updated',
    'budget tenant/acme/month updated',
    'share acme/lab created',
  ])
})

test('a share that came with an order is not ended by a file', async () => {
  await using it = await build()
  await it.apply(FILE)
  await it.database.transaction((tx) => it.charging.putShare(tx, { owner: 'lab', member: 'acme', fromMs: START_MS }))
  expect(await it.changes(FILE)).toEqual([])
  expect((await it.catalogue.snapshot()).tenants.find(({ id }) => id === 'acme')?.means).toHaveLength(2)
})

test('another credit is shown as a change, a dry run changes nothing, and a smaller one is taken back as far as it is free', async () => {
  await using it = await build()
  await it.apply(FILE)
  const less = FILE.replace('200.5', '100')
  await it.apply(less, true)
  expect((await it.charging.balance('acme')).creditLimitPico).toBe('200500000000000')
  expect(await it.changes(less)).toEqual(['credit acme updated'])
  expect((await it.charging.balance('acme')).creditLimitPico).toBe(`${100n * YUAN}`)
})

test('a gift that was given stays given when its file is applied after it expired; another amount is refused with its place', async () => {
  await using it = await build()
  await it.apply(FILE)
  const error = await it.apply(FILE.replace('amountYuan: 5', 'amountYuan: 6')).catch((cause: unknown) => cause)
  if (!(error instanceof Problem)) throw new Error('expected a problem', { cause: error })
  const [mistake] = error.params['mistakes'] as readonly FactoryMistake[]
  expect(mistake).toMatchObject({ line: 7, path: 'tenants[0].gifts[0]' })
  it.clock.advance(30 * 86_400_000)
  expect(await it.changes(FILE)).toEqual([])
})

test('gateways hear of what was ordered, and of what is over, although no file was applied', async () => {
  await using it = await build()
  await it.apply(FILE)
  const { version } = await it.catalogue.snapshot()
  await it.database.transaction((tx) =>
    it.charging.grantLot(tx, {
      tenant: 'lab',
      unit: 'standard',
      source: 'package',
      amount: 1_000_000n,
      reference: 'order-1',
      expiresAtMs: START_MS + 3_600_000,
      netPico: 0n,
      memo: 'package',
    }),
  )
  it.clock.advance(1_000)
  const told = await it.catalogue.waitForSnapshot(version, 0)
  expect(told?.tenants.find(({ id }) => id === 'lab')?.means?.[0]).toMatchObject({ kind: 'tokens', table: 'standard' })
  it.clock.advance(1_000)
  expect(await it.catalogue.waitForSnapshot(told?.version ?? 0, 0)).toBeUndefined()
  it.clock.advance(3_600_000)
  const later = await it.catalogue.waitForSnapshot(told?.version ?? 0, 0)
  expect(later?.tenants.find(({ id }) => id === 'lab')?.means?.[0]).toMatchObject({ kind: 'wallet' })
})

test('applying other budgets and payments while gateways ask for slices of them neither deadlocks nor loses anything', async () => {
  await using it = await build()
  await it.apply(FILE)
  const { epoch } = await it.charging.register({ gateway: 'gw-0', journal: 'journal-of-test' })
  const grants = ['cap:tenant/acme/day@2026-11-23', 'cap:key/demo/day@2026-11-23', 'wallet:acme']
  const work = Array.from({ length: 8 }, (_, n) => [
    it.apply(FILE.replace('dayYuan: 50', `dayYuan: ${50 + n}`).replace('pay-1', `pay-${n}`)),
    ...grants.map((bucket, index) =>
      it.charging.grant({ gateway: 'gw-0', epoch, seq: n * 3 + index + 1, bucket, min: '1', want: `${YUAN / 10n}` }),
    ),
  ])
  const outcomes = await Promise.allSettled(work.flat())
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
  const { ok, checks } = await it.charging.verify({})
  expect(checks.filter((check) => !check.ok)).toEqual([])
  expect(ok).toBe(true)
  expect((await it.charging.balance('acme')).paidPico).toBe(`${80n * YUAN}`)
})
