import { afterAll, beforeAll, expect, test } from 'vitest'
import { Problem } from '#kernel'
import { manualClock } from '#platform/clock'
import { sha256 } from '#platform/crypto'
import { sql } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { createIdentity } from './index.ts'

const START_MS = Date.parse('2026-11-23T00:00:00Z')
let database: FreshDatabase

beforeAll(async () => {
  database = await freshDatabase()
  const { identity } = build()
  await database.transaction(async (tx) => {
    for (const id of ['acme', 'globex'])
      await identity.putTenant(tx, { id, displayName: id, status: 'active', limits: {} })
  })
})
afterAll(() => database[Symbol.asyncDispose]())

function build() {
  const clock = manualClock(START_MS)
  return { clock, identity: createIdentity({ database, clock }) }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return error instanceof Problem ? error.type.code : `no problem: ${String(error)}`
}

test('declaring a tenant again changes nothing and moves no revision; changing it does', async () => {
  const { identity } = build()
  const tenant = { id: 'hooli', displayName: 'Hooli', status: 'active', limits: { requestsPerMinute: 5 } } as const
  const put = (t: typeof tenant | (Omit<typeof tenant, 'limits'> & { limits: object })) =>
    database.transaction((tx) => identity.putTenant(tx, t))
  expect(await put(tenant)).toBe('created')
  const before = await identity.revision(database)
  expect(await put(tenant)).toBe('unchanged')
  expect(await identity.revision(database)).toBe(before)
  expect(await put({ ...tenant, limits: {} })).toBe('updated')
  expect(await identity.revision(database)).toBe(before + 1)
})

test('a key is stored as its hash alone, and gateways are given the hash', async () => {
  const { identity } = build()
  const made = await identity.createKey({ tenant: 'acme', name: 'ci', limits: {}, expiresAtMs: null })
  const rows = await database.rows<{ text: string }>(
    sql`select row_to_json(api_key)::text as text from identity.api_key`,
  )
  expect(rows.some(({ text }) => text.includes(made.secret))).toBe(false)
  const { keys } = await identity.directory(database)
  expect(keys.find(({ hash }) => hash === sha256(made.secret))).toMatchObject({
    id: made.id,
    tenant: 'acme',
    status: 'active',
  })
})

test('a revoked key is told to gateways as revoked, and revoking again changes nothing', async () => {
  const { identity } = build()
  const { id } = await identity.createKey({ tenant: 'acme', name: 'old', limits: {}, expiresAtMs: null })
  expect(await identity.revokeKey(id)).toMatchObject({ id, status: 'revoked' })
  const before = await identity.revision(database)
  expect(await identity.revokeKey(id)).toMatchObject({ id, status: 'revoked' })
  expect(await identity.revision(database)).toBe(before)
  const { keys } = await identity.directory(database)
  expect(keys.find((key) => key.id === id)?.status).toBe('revoked')
})

test("another tenant's key does not exist, and is not revoked", async () => {
  const { identity } = build()
  const { id } = await identity.createKey({ tenant: 'acme', name: 'mine', limits: {}, expiresAtMs: null })
  expect(await codeOf(identity.revokeKey(id, 'globex'))).toBe('unknown_key')
  expect((await identity.keys('globex')).map((key) => key.id)).not.toContain(id)
  expect((await identity.keys('acme')).find((key) => key.id === id)?.status).toBe('active')
})

test('a key of an unknown tenant or with an expiry in the past is refused', async () => {
  const { identity } = build()
  expect(await codeOf(identity.createKey({ tenant: 'ghost', name: 'x', limits: {}, expiresAtMs: null }))).toBe(
    'unknown_tenant',
  )
  expect(await codeOf(identity.createKey({ tenant: 'acme', name: 'x', limits: {}, expiresAtMs: START_MS }))).toBe(
    'expiry_in_the_past',
  )
})

test('a playground key reaches gateways, is listed nowhere, cannot be revoked by name, and is gone after its minutes', async () => {
  const { identity, clock } = build()
  const { secret, expiresAtMs } = await identity.createPlaygroundKey('acme')
  expect(expiresAtMs).toBe(START_MS + 900_000)
  const hash = sha256(secret)
  const own = (await identity.directory(database)).keys.find((key) => key.hash === hash)
  expect(own).toMatchObject({ tenant: 'acme', expiresAtMs })
  expect((await identity.keys()).map((key) => key.id)).not.toContain(own?.id)
  expect(await codeOf(identity.revokeKey(own?.id ?? ''))).toBe('unknown_key')
  clock.advance(900_000)
  expect((await identity.directory(database)).keys.find((key) => key.hash === hash)).toBeUndefined()
})

test('signing in gives a session that ends by itself or by signing out', async () => {
  const { identity, clock } = build()
  await identity.ensureOperator({ email: 'Admin@factory.local', password: 'right' })
  const first = await identity.signIn({ email: 'ADMIN@factory.local', password: 'right', caller: 'a' })
  expect(await identity.session(first.token)).toEqual({
    email: 'admin@factory.local',
    role: 'operator',
    tenant: null,
    supplier: null,
  })
  await identity.signOut(first.token)
  expect(await identity.session(first.token)).toBeUndefined()
  const second = await identity.signIn({ email: 'admin@factory.local', password: 'right', caller: 'a' })
  clock.advance(12 * 3_600_000)
  expect(await identity.session(second.token)).toBeUndefined()
  expect(await identity.session('nonsense')).toBeUndefined()
})

test('giving an operator another password ends the sessions of the old one, and the same password again does not', async () => {
  const { identity } = build()
  await identity.ensureOperator({ email: 'chief@factory.local', password: 'old' })
  const { token } = await identity.signIn({ email: 'chief@factory.local', password: 'old', caller: 'a' })
  await identity.ensureOperator({ email: 'chief@factory.local', password: 'old' })
  expect(await identity.session(token)).toBeDefined()
  await identity.ensureOperator({ email: 'chief@factory.local', password: 'new' })
  expect(await identity.session(token)).toBeUndefined()
  expect(await codeOf(identity.signIn({ email: 'chief@factory.local', password: 'old', caller: 'a' }))).toBe(
    'wrong_credentials',
  )
  expect(await identity.signIn({ email: 'chief@factory.local', password: 'new', caller: 'a' })).toMatchObject({
    role: 'operator',
  })
})

test('a wrong password and an unknown address get the same answer', async () => {
  const { identity } = build()
  await identity.ensureOperator({ email: 'boss@factory.local', password: 'right' })
  expect(await codeOf(identity.signIn({ email: 'boss@factory.local', password: 'wrong', caller: 'a' }))).toBe(
    'wrong_credentials',
  )
  expect(await codeOf(identity.signIn({ email: 'nobody@factory.local', password: 'wrong', caller: 'a' }))).toBe(
    'wrong_credentials',
  )
})

test('ten wrong passwords from one place stop that place, even with the right one, and no other', async () => {
  const { identity, clock } = build()
  await identity.ensureOperator({ email: 'target@factory.local', password: 'right' })
  const attempt = (password: string, caller: string) =>
    identity.signIn({ email: 'target@factory.local', password, caller })
  const codes = await Promise.all(Array.from({ length: 12 }, () => codeOf(attempt('wrong', 'evil'))))
  expect(codes.filter((code) => code === 'wrong_credentials')).toHaveLength(10)
  expect(await codeOf(attempt('right', 'evil'))).toBe('too_many_attempts')
  expect(await attempt('right', 'home')).toMatchObject({ role: 'operator' })
  clock.advance(15 * 60_000)
  expect(await attempt('right', 'evil')).toMatchObject({ role: 'operator' })
})

test('an account of a tenant gets a random password that works, and the same address twice is refused', async () => {
  const { identity } = build()
  const made = await identity.createAccount({ email: 'User@acme.example', role: 'tenant', tenant: 'acme' })
  expect(await identity.signIn({ email: made.email, password: made.password, caller: 'a' })).toMatchObject({
    role: 'tenant',
    tenant: 'acme',
  })
  expect(await codeOf(identity.createAccount({ email: 'user@acme.example', role: 'tenant', tenant: 'acme' }))).toBe(
    'account_exists',
  )
  expect(await codeOf(identity.createAccount({ email: 'x@acme.example', role: 'tenant', tenant: 'ghost' }))).toBe(
    'unknown_tenant',
  )
})

test('a sign-in that is refused because too many are running is no wrong password', async () => {
  const { identity } = build()
  await identity.ensureOperator({ email: 'busy@factory.local', password: 'right' })
  const attempt = (email: string, password: string) => identity.signIn({ email, password, caller: 'office' })
  const crowd = Array.from({ length: 60 }, (_, n) => codeOf(attempt(`stranger-${n}@factory.local`, 'wrong')))
  // From the first refusal on every place and the queue are taken.
  await Promise.any(crowd.map(async (code) => expect(await code).toBe('too_many_attempts')))
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(attempt('busy@factory.local', 'wrong'))))
  expect(codes.filter((code) => code === 'too_many_attempts').length).toBeGreaterThan(10)
  await Promise.all(crowd)
  expect(await attempt('busy@factory.local', 'right')).toMatchObject({ role: 'operator' })
})

test('a tenant has at most 1,000 API keys that work, and revoking one makes room', async () => {
  const { identity, clock } = build()
  await database.transaction((tx) =>
    identity.putTenant(tx, { id: 'many', displayName: 'many', status: 'active', limits: {} }),
  )
  await database.rows(sql`
    insert into identity.api_key (id, tenant, name, purpose, hash, preview, status, limits, created_at)
    select 'many-' || n, 'many', 'x', 'api', 'many-hash-' || n, '', 'active', '{}', ${new Date(START_MS)}
      from generate_series(1, 999) as n`)
  const create = (expiresAtMs: number | null = null) =>
    identity.createKey({ tenant: 'many', name: 'x', limits: {}, expiresAtMs })
  const race = await Promise.all([codeOf(create(START_MS + 1_000)), codeOf(create(START_MS + 1_000))])
  expect(race.toSorted()).toEqual(['no problem: undefined', 'too_many_keys'])
  clock.advance(1_000)
  const { id } = await create()
  expect(await codeOf(create())).toBe('too_many_keys')
  await identity.revokeKey(id)
  expect(await create()).toMatchObject({ tenant: 'many' })
})

test('a tenant has at most 20 playground keys that live, and the minutes make room', async () => {
  const { identity, clock } = build()
  for (let i = 0; i < 20; i++) await identity.createPlaygroundKey('globex')
  expect(await codeOf(identity.createPlaygroundKey('globex'))).toBe('too_many_keys')
  clock.advance(15 * 60_000)
  expect(await identity.createPlaygroundKey('globex')).toHaveProperty('secret')
  const [row] = await database.rows<{ count: number }>(sql`
    select count(*)::integer as count from identity.api_key where tenant = 'globex' and purpose = 'playground'`)
  expect(row?.count).toBe(1)
})

test('gateways are told of ended keys for a day, and of a bounded number of them', async () => {
  const { identity, clock } = build()
  const revoked = await identity.createKey({ tenant: 'acme', name: 'r', limits: {}, expiresAtMs: null })
  const expired = await identity.createKey({ tenant: 'acme', name: 'e', limits: {}, expiresAtMs: START_MS + 1 })
  await identity.revokeKey(revoked.id)
  const told = async () => new Set((await identity.directory(database)).keys.map(({ id }) => id))
  clock.advance(24 * 3_600_000 - 1)
  expect(await told()).toContain(revoked.id)
  clock.advance(1)
  expect(await told()).not.toContain(revoked.id)
  expect(await told()).toContain(expired.id)
  clock.advance(1)
  expect(await told()).not.toContain(expired.id)
  expect((await identity.keys('acme')).map(({ id }) => id)).toContain(revoked.id)

  await database.rows(sql`
    insert into identity.api_key (id, tenant, name, purpose, hash, preview, status, limits, created_at, revoked_at)
    select 'gone-' || n, 'globex', 'x', 'api', 'gone-hash-' || n, '', 'revoked', '{}', ${new Date(START_MS)},
           ${new Date(clock.nowMs())}
      from generate_series(1, 1500) as n`)
  expect([...(await told())].filter((id) => id.startsWith('gone-'))).toHaveLength(1_000)
})

test('revoking and making keys never wait in a circle with somebody who changes the same keys within a transaction', async () => {
  const { identity } = build()
  const { id } = await identity.createKey({ tenant: 'acme', name: 'circle', limits: {}, expiresAtMs: null })
  const key = { id, tenant: 'acme', project: null, limits: {}, expiresAtMs: null }
  const locked = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const declaring = database.transaction(async (tx) => {
    await identity.lock(tx)
    await identity.putTenant(tx, { id: 'circle', displayName: 'circle', status: 'active', limits: {} })
    locked.resolve()
    await goOn.promise
    await identity.putKey(tx, { ...key, name: 'renamed' })
  })
  await locked.promise
  const others = [
    codeOf(identity.revokeKey(id)),
    codeOf(identity.createKey({ tenant: 'acme', name: 'x', limits: {}, expiresAtMs: null })),
    codeOf(identity.createPlaygroundKey('acme')),
  ]
  // All three stand in line before the declaration goes on, as far as the database knows.
  for (;;) {
    const [row] = await database.rows<{ waiting: number }>(sql`
      select count(*)::integer as waiting from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`)
    if (row?.waiting === others.length) break
  }
  goOn.resolve()
  await declaring
  expect(await Promise.all(others)).toEqual(Array(others.length).fill('no problem: undefined'))
  expect((await identity.keys('acme')).find((one) => one.id === id)).toMatchObject({
    name: 'renamed',
    status: 'revoked',
  })
})
