import { afterAll, beforeAll, expect, test } from 'vitest'
import { VerifyReply } from '#contract'
import { factoryDocument } from '../factory-document.ts'
import { startFactory, type Factory } from '../factory.ts'
import { startUpstream, type Upstream } from '../upstream/index.ts'
import { postgresLeaders, readBooks, type Books } from './books.ts'
import { startClients, type ClientLog } from './clients.ts'

/** More rounds, or the randomness of an earlier run: KILL_ROUNDS, KILL_SEED. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3)
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(performance.timeOrigin % 1_000_000_000))

const OPENING_YUAN: Readonly<Record<string, string>> = { rich: '1000', plain: '50', poor: '0.004' }
const PICO_PER_YUAN = 1_000_000_000_000

let upstream: Upstream
let factory: Factory

beforeAll(async () => {
  upstream = await startUpstream()
  upstream.script('quick', { kind: 'answer', events: 9 })
  upstream.script('slow', { kind: 'answer', events: 20, eventDelayMs: 20, firstByteDelayMs: 50 })
  upstream.script('cut', { kind: 'cut', events: 4, eventDelayMs: 10 })
  const document = factoryDocument({
    suppliers: { fake: upstream.url },
    services: ['quick', 'slow', 'cut'].map((id) => ({ id, deployments: [['fake', id]] })),
    tenants: Object.entries(OPENING_YUAN).map(([id, topUpYuan]) => ({ id, topUpYuan })),
    keys: [{ id: 'demo', tenant: 'rich' }],
  })
  factory = await startFactory({ document })
}, 120_000)

afterAll(async () => {
  await factory[Symbol.asyncDispose]()
  await upstream.close()
}, 60_000)

test(
  'kill -9 at random moments under load loses no acknowledged request, bills none twice, and overdraws nobody',
  { timeout: 120_000 + ROUNDS * 60_000 },
  async () => {
    console.log(`kill: ${ROUNDS} rounds, seed ${SEED}`)
    const random = generator(SEED)
    const keys = new Map<string, string>()
    for (const tenant of Object.keys(OPENING_YUAN)) {
      const { secret } = await factory.control<{ secret: string }>('POST', '/keys', { tenant, name: 'load' })
      keys.set(tenant, secret)
    }
    await known(keys)
    const log: ClientLog = { seen: [], turnedAway: new Map(), refusals: new Map() }
    let interruptedRounds = 0
    for (let round = 0; round < ROUNDS; round++) {
      const before = log.seen.length
      const clients = startClients({ factory, keys, clientsPerTenant: 4, random, log })
      await expect.poll(() => log.seen.length, { timeout: 30_000, interval: 20 }).toBeGreaterThan(before + 20)
      // The chance that is wanted here: a moment that nobody chose.
      await new Promise((resolve) => setTimeout(resolve, random() * 1500))
      const killsPostgres = round % 2 === 1
      const leaders = postgresLeaders(factory)
      expect(leaders.length).toBeGreaterThan(0)
      if (killsPostgres) for (const leader of leaders) process.kill(-leader, 'SIGKILL')
      await factory.kill()
      await clients.stop()
      interruptedRounds += killsPostgres ? 1 : 0
      console.log(
        `kill: round ${round + 1} killed ${killsPostgres ? 'everything' : 'all but PostgreSQL'} after ${log.seen.length} answers`,
      )
      await factory.restart()
    }
    expect(interruptedRounds).toBe(Math.floor(ROUNDS / 2))
    const books = await settledBooks()
    judge(log, books)
    const verified = VerifyReply.parse(await factory.control('POST', '/verify', {}))
    expect(verified.checks.filter((check) => !check.ok)).toEqual([])
    expect(verified.ok).toBe(true)
  },
)

function judge(log: ClientLog, books: Books): void {
  const acknowledged = log.seen.filter((one) => one.isAcknowledged)
  const byId = new Map(books.records.map((record) => [record.id, record]))
  const count = (ending: string): number => books.records.filter((record) => record.ending === ending).length
  console.log(
    `kill: ${acknowledged.length} acknowledged; records: ${count('completed')} completed, ${count('client_closed')} left, ` +
      `${count('failed')} failed, ${count('interrupted')} interrupted; turned away ${JSON.stringify([...log.turnedAway])}, refused ${JSON.stringify([...log.refusals])}`,
  )
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 10)
  expect(log.turnedAway.get('poor')).toBeGreaterThan(0)
  expect(new Set(log.seen.map((one) => one.id)).size).toBe(log.seen.length)

  // No acknowledged request is unbilled, and each is billed for what the supplier reported.
  const wrong = acknowledged.flatMap((one) => {
    const record = byId.get(one.id)
    if (record === undefined) return [`${one.id} has no record`]
    if (record.ending !== 'completed' || record.tenant !== one.tenant)
      return [`${one.id} is ${record.ending} of ${record.tenant}`]
    if (BigInt(record.sell) <= 0n) return [`${one.id} is free`]
    if (one.usage === undefined) return []
    const isSame = record.input === BigInt(one.usage.prompt) && record.output === BigInt(one.usage.completion)
    return isSame
      ? []
      : [`${one.id} has ${record.input}+${record.output} tokens instead of ${one.usage.prompt}+${one.usage.completion}`]
  })
  expect(wrong).toEqual([])

  // Nothing is billed twice, nor without a supplier having worked for it: the wallets lack what the records cost, and no more.
  expect(byId.size).toBe(books.records.length)
  expect(books.records.length).toBeLessThanOrEqual(upstream.requests())
  for (const [tenant, yuan] of Object.entries(OPENING_YUAN)) {
    const opening = BigInt(Math.round(Number(yuan) * PICO_PER_YUAN))
    const sold = books.records
      .filter((record) => record.tenant === tenant)
      .reduce((sum, record) => sum + BigInt(record.sell), 0n)
    expect([tenant, books.wallets.get(tenant)]).toEqual([tenant, { posted: opening - sold, escrowed: 0n }])
    expect(opening - sold).toBeGreaterThanOrEqual(0n)
  }

  // What broke on our side is ours to pay; and there was such a thing, or this test has tested nothing.
  expect(
    books.records.filter((record) => ['failed', 'interrupted'].includes(record.ending) && record.sell !== '0'),
  ).toEqual([])
  expect(count('failed')).toBeGreaterThan(0)
  expect(count('interrupted')).toBeGreaterThan(0)
}

/** Waits until what the journals still had is in the books and no money is set aside any more. */
async function settledBooks(): Promise<Books> {
  const open = async (): Promise<readonly string[]> => {
    const text = await (await fetch(factory.apiUrl.replace(/\/v1$/, '/metrics'))).text()
    return text
      .split('\n')
      .filter((line) =>
        /^tokenfactory_(?:requests_in_flight|holds_outstanding|journal_unshipped_records) [^0]/.test(line),
      )
  }
  await expect.poll(open, { timeout: 60_000, interval: 250 }).toEqual([])
  const escrowed = async (): Promise<bigint> =>
    [...(await readBooks(factory)).wallets.values()].reduce((sum, wallet) => sum + wallet.escrowed, 0n)
  await expect.poll(escrowed, { timeout: 60_000, interval: 500 }).toBe(0n)
  return readBooks(factory)
}

/** New keys reach the gateway with its next snapshot. */
async function known(keys: ReadonlyMap<string, string>): Promise<void> {
  for (const key of keys.values()) {
    const status = async (): Promise<number> =>
      (await fetch(`${factory.apiUrl}/models`, { headers: { authorization: `Bearer ${key}` } })).status
    await expect.poll(status, { timeout: 20_000, interval: 50 }).toBe(200)
  }
}

/** A small repeatable generator (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
