import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCharging, type Charging, type FiledSheet } from '#charging'
import type { PriceSheet, Snapshot, Tenant } from '#contract'
import { formatUnits, formatYuan } from '#kernel'
import { manualClock } from '#platform/clock'
import { freshDatabase, type FreshDatabase } from '../database.ts'
import { startUpstream, type Upstream } from '../upstream/index.ts'
import { hashOf, startInProcess, type InProcess } from './in-process.ts'
import { failure } from './stage.ts'

/** The middle of a minute, so that no request of a test is in another one than the next. */
const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000 + 30_000
const YUAN = 10n ** 12n
const UNIT = 1_000_000n
/** ¥1 per million tokens of any class; a unit of `std` per token of input and two per token of output. */
const PRICE = 1_000_000n
const flat = (price: bigint, output = price) => ({
  uncachedInput: `${price}`,
  cacheWrite: `${price}`,
  cacheRead: `${price}`,
  output: `${output}`,
  reasoning: `${output}`,
})
const sheet = (id: string): PriceSheet => ({
  id,
  currency: 'CNY',
  validFromMs: 0,
  validToMs: null,
  taxPercent: 6,
  prices: flat(PRICE),
})
const WEIGHTS = flat(UNIT, 2n * UNIT)
/** Every request of these tests. */
const usage = { prompt_tokens: 10, completion_tokens: 5 }
const COST = 15n * PRICE
const WEIGHT = 20n * UNIT

let database: FreshDatabase
let charging: Charging
let upstream: Upstream
let gateway: InProcess

beforeAll(async () => {
  database = await freshDatabase()
  const clock = manualClock(NOW_MS)
  charging = createCharging({ database, clock })
  upstream = await startUpstream()
  upstream.script('m', { kind: 'answer', events: 5, usage })
  await setUpBooks()
  gateway = await startInProcess({ charging, snapshot: await snapshotOf(charging), clock })
}, 60_000)

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await upstream?.close()
  await database?.[Symbol.asyncDispose]()
})

const TENANTS = ['pack', 'capped', 'reserved', 'late', 'owner', 'member', 'short', 'few']

/** What the long answers' service holds for a request whose answer may be this long. */
const longest = (outputTokens: bigint) => (400n + outputTokens) * PRICE

async function setUpBooks(): Promise<void> {
  for (const tenant of ['pack', 'capped', 'reserved', 'late', 'owner'])
    await charging.topup({ tenant, amountPico: YUAN, reference: `opening-${tenant}` })
  await charging.topup({ tenant: 'short', amountPico: longest(300n), reference: 'opening-short' })
  const lot = { unit: 'std', source: 'gift' as const, memo: 'test' }
  const definition = { tenant: '', unit: 'CNY', validFromMs: 0, validToMs: null }
  await database.transaction(async (tx) => {
    await charging.grantLot(tx, { ...lot, tenant: 'pack', amount: 2n * WEIGHT + 7n * UNIT, reference: 'pack' })
    await charging.grantLot(tx, { ...lot, tenant: 'few', amount: (400n + 2n * 300n) * UNIT, reference: 'few' })
    await charging.grantLot(tx, { ...lot, tenant: 'late', amount: 10_000n * UNIT, reference: 'late' })
  })
  await database.transaction(async (tx) => {
    await charging.putDefinition(tx, {
      ...definition,
      id: 'cap:key/capped/day',
      tenant: 'capped',
      kind: 'cap',
      period: 'day',
      amount: 1_000n * PRICE,
    })
    await charging.putDefinition(tx, {
      ...definition,
      id: 'throughput:r.1/std',
      tenant: 'reserved',
      kind: 'throughput',
      unit: 'std',
      period: 'minute',
      amount: 1_000n * UNIT,
      terms: { services: ['m'], window: null, overflow: 'next' },
    })
    await charging.putShare(tx, { owner: 'owner', member: 'member', fromMs: 0 })
  })
}

/** As the control plane makes it: what charging says of means and caps, joined to tenants and keys. */
async function snapshotOf({ funding }: Charging): Promise<Snapshot> {
  const { means, caps } = await funding(database)
  const tenant = (id: string): Tenant => {
    const theirs = means.get(id)
    return {
      id,
      displayName: id,
      status: id === 'late' ? 'restricted' : 'active',
      limits: {},
      ...(theirs ? { means: [...theirs] } : {}),
    }
  }
  const key = (id: string) => {
    const theirs = caps.get(`key/${id}`)
    return {
      id,
      tenant: id,
      name: id,
      hash: hashOf(`sk-${id}`),
      status: 'active' as const,
      expiresAtMs: null,
      limits: {},
      ...(theirs ? { caps: [...theirs] } : {}),
    }
  }
  return {
    version: 1,
    tenants: TENANTS.map(tenant),
    keys: TENANTS.map(key),
    suppliers: [
      {
        id: 'fake',
        displayName: 'fake',
        kind: 'openai-compatible',
        baseUrl: upstream.url,
        apiKeyEnv: null,
        maxConcurrency: 16,
        maxTokensField: 'max_tokens',
      },
    ],
    services: [
      { id: 'm', maxOutputTokens: 100 },
      { id: 'long', maxOutputTokens: 4_000 },
    ].map((service) => ({
      ...service,
      displayName: service.id,
      createdMs: 0,
      contextTokens: 400,
      tokenizer: { kind: 'bytes', bytesPerToken: 4 },
      tenants: [],
      sellSheets: [sheet(`sell-${service.id}`)],
      deployments: [{ supplier: 'fake', model: service.id, priority: 0, buySheets: [sheet(`buy-${service.id}`)] }],
      firstByteTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
      totalTimeoutMs: 10_000,
    })),
    tables: [
      {
        id: 'std',
        displayName: 'Standard token',
        versions: [
          {
            id: 'std-1',
            validFromMs: 0,
            validToMs: null,
            weights: ['m', 'long'].map((service) => ({ service, weights: WEIGHTS })),
          },
        ],
      },
    ],
  }
}

/** 400 tokens of input at most and 100 of output: what is held for a request, in money and in units. */
const ask = (tenant: string, more: object = {}) =>
  fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer sk-${tenant}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100, ...more }),
  })

/** Answered, booked and at rest: the next request finds what this one has left. */
async function served(tenant: string, more: object = {}): Promise<{ pico: bigint; debit: string | null }> {
  const response = await ask(tenant, more)
  expect(response.status, await response.clone().text()).toBe(200)
  await response.text()
  await expect.poll(() => gateway.isAtRest(), { timeout: 10_000 }).toBe(true)
  return {
    pico: BigInt(response.headers.get('x-factory-charge-pico') ?? '-1'),
    debit: response.headers.get('x-factory-debit'),
  }
}

test('a package pays as far as it goes, to the last token, and the wallet from there on', async () => {
  const whole = { pico: 0n, debit: `std=${formatUnits(WEIGHT)}` }
  expect(await served('pack')).toEqual(whole)
  expect(await served('pack')).toEqual(whole)
  // Seven units are left: they pay for seven of the ten input tokens.
  expect(await served('pack')).toEqual({ pico: COST - 7n * PRICE, debit: 'std=7' })
  expect(await served('pack')).toEqual({ pico: COST, debit: null })
  const balance = await charging.balance('pack')
  expect(balance.postedPico).toBe(`${YUAN - 2n * COST + 7n * PRICE}`)
})

/** Asks for a long answer, without a number of its own unless one is given. */
const askLong = (tenant: string, more: object = {}, head: Record<string, string> = {}) =>
  fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer sk-${tenant}`, 'content-type': 'application/json', ...head },
    body: JSON.stringify({ model: 'long', messages: [{ role: 'user', content: 'hi' }], ...more }),
  })
const capSent = (): unknown =>
  (JSON.parse(upstream.received().at(-1)?.body.toString() ?? '{}') as { max_tokens?: number }).max_tokens

test('an account that cannot pay for the longest answer gets the longest that it can pay for, and is told', async () => {
  upstream.script('long', { kind: 'answer', events: 5, usage, finishReason: 'length' })
  const whole = await askLong('short')
  expect(whole.status, await whole.clone().text()).toBe(200)
  expect(whole.headers.get('x-factory-output-cap')).toBe('300')
  expect(capSent()).toBe(300)
  expect(await whole.json()).toMatchObject({ choices: [{ finish_reason: 'length' }] })
  await expect.poll(() => gateway.isAtRest(), { timeout: 10_000 }).toBe(true)
  const stream = await askLong('short', { stream: true })
  expect(stream.headers.get('x-factory-output-cap')).toBe('285')
  expect(await stream.text()).toContain(`"debits":{},"outputCap":285}`)
  expect(capSent()).toBe(285)
  await expect.poll(() => gateway.isAtRest(), { timeout: 10_000 }).toBe(true)
  // A number of one's own is kept to, unless one says otherwise; and who wants all or nothing can have nothing.
  expect((await askLong('short', { max_tokens: 1_000 })).status).toBe(402)
  expect((await askLong('short', {}, { 'x-factory-output-cap': 'exact' })).status).toBe(402)
  expect(await failure(await askLong('short', {}, { 'x-factory-output-cap': 'some' }))).toMatchObject({ status: 400 })
  const own = await askLong('short', { max_tokens: 1_000, n: 1 }, { 'x-factory-output-cap': 'affordable' })
  expect([own.status, own.headers.get('x-factory-output-cap'), capSent()]).toEqual([200, '270', 270])
  await expect.poll(() => gateway.isAtRest(), { timeout: 10_000 }).toBe(true)
  // 255 tokens are left to pay for, and that is no answer any more.
  expect(await failure(await askLong('short'))).toMatchObject({ status: 402, code: 'insufficient_balance' })
  const { postedPico, escrowedPico } = await charging.balance('short')
  expect([postedPico, escrowedPico]).toEqual([`${longest(255n)}`, '0'])
}, 60_000)

test('a package that is nearly used up pays for a shorter answer, with nothing in the wallet', async () => {
  upstream.script('long', { kind: 'answer', events: 5, usage, finishReason: 'length' })
  const answer = await askLong('few')
  expect([answer.status, answer.headers.get('x-factory-output-cap'), capSent()]).toEqual([200, '300', 300])
  expect(answer.headers.get('x-factory-charge-pico')).toBe('0')
  expect(answer.headers.get('x-factory-debit')).toBe(`std=${formatUnits(WEIGHT)}`)
  await expect.poll(() => gateway.isAtRest(), { timeout: 10_000 }).toBe(true)
})

test('a stream says the same in its last words', async () => {
  const response = await ask('late', { stream: true })
  const said = { chargeYuan: '0', debits: { std: formatUnits(WEIGHT) } }
  expect(await response.text()).toContain(`\n\n: x-factory ${JSON.stringify(said)}\n\ndata: [DONE]\n\n`)
})

test('a spend cap refuses at its limit, to the pico, while the wallet is full', async () => {
  const bound = 500n * PRICE
  const limit = 1_000n * PRICE
  let spent = 0n
  while (limit - spent >= bound) {
    expect((await served('capped')).pico).toBe(COST)
    spent += COST
  }
  const refused = await ask('capped')
  expect(await failure(refused)).toMatchObject({ status: 402, code: 'spend_cap_reached' })
  expect(BigInt((await charging.balance('capped')).postedPico)).toBe(YUAN - spent)
}, 60_000)

test('a reservation pays for whole requests until its minute is used up; then they overflow', async () => {
  const bound = 600n * UNIT
  let left = 1_000n * UNIT
  while (left >= bound) {
    expect(await served('reserved')).toEqual({ pico: 0n, debit: `std=${formatUnits(WEIGHT)}` })
    left -= WEIGHT
  }
  expect(await served('reserved')).toEqual({ pico: COST, debit: null })
}, 60_000)

test('a member pays with the wallet that is shared with it', async () => {
  expect(await served('member')).toEqual({ pico: COST, debit: null })
  expect((await charging.balance('owner')).postedPico).toBe(`${YUAN - COST}`)
})

test('a reply of the price says what the means may be asked for', async () => {
  const response = await fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-reserved', 'x-factory-dry-run': 'price' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100 }),
  })
  expect(await response.json()).toMatchObject({
    bound: { inputTokens: 400, outputTokens: 100 },
    atMost: { chargeYuan: formatYuan(500n * PRICE) },
    means: [
      {
        kind: 'throughput',
        id: 'throughput:r.1',
        dimensions: [{ table: 'std', version: 'std-1', unitsAtMost: '600' }],
      },
      { kind: 'wallet', payer: 'reserved' },
    ],
  })
})

test('afterwards nothing is in quarantine, and the books agree with every record rated again', async () => {
  await gateway[Symbol.asyncDispose]()
  expect(await charging.quarantine({ limit: 10 })).toEqual([])
  expect(await charging.slices({ limit: 10 })).toEqual([])
  const filed = (id: string): FiledSheet => {
    const [side, service = ''] = id.split('-')
    const isSell = side === 'sell'
    return {
      ...sheet(id),
      service,
      side: isSell ? 'sell' : 'buy',
      supplier: isSell ? null : 'fake',
      model: isSell ? null : service,
    }
  }
  const verified = await charging.verify({
    sheetById: async (id) => filed(id),
    weights: async () => ({ table: 'std', validFromMs: 0, validToMs: null, weights: WEIGHTS }),
  })
  expect(verified.checks.filter((check) => !check.ok)).toEqual([])
})
