import { afterEach, beforeEach, expect, test } from 'vitest'
import { CLASS_POLICIES } from '#admission'
import type { ServiceTier, UsageRecord } from '#contract'
import { systemClock } from '#platform/clock'
import { generousCharging } from './generous-charging.ts'
import { startHeldSupplier, type HeldSupplier } from './held-supplier.ts'
import { startInProcess, type InProcess } from './in-process.ts'
import { smallSnapshot } from './small-snapshot.ts'

/** The real gateway in front of a supplier that serves eight at once and answers when the test says so: nothing here is judged by the clock. */
const CAPACITY = 8
const QUEUES: Partial<Record<ServiceTier, number>> = { priority: 64, standard: 12, flex: 4 }
const WEIGHTS = { gold: 4, silver: 2, iron: 1 }

let supplier: HeldSupplier
let gateway: InProcess
let records: UsageRecord[]

beforeEach(async () => {
  supplier = await startHeldSupplier()
  records = []
  const policies = Object.fromEntries(
    Object.entries(CLASS_POLICIES).map(([tier, policy]) => [
      tier,
      { ...policy, maxWaiting: QUEUES[tier as ServiceTier] ?? policy.maxWaiting },
    ]),
  ) as unknown as typeof CLASS_POLICIES
  gateway = await startInProcess({
    charging: { client: generousCharging(records) },
    snapshot: smallSnapshot({
      baseUrl: supplier.url,
      maxConcurrency: CAPACITY,
      weights: WEIGHTS,
      services: { m: {}, hurried: { firstByteTimeoutMs: 200 }, short: { totalTimeoutMs: 200 } },
    }),
    clock: systemClock,
    flow: { policies },
  })
})

afterEach(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await supplier?.[Symbol.asyncDispose]()
})

interface Reply {
  readonly text: string
  readonly status: number
  readonly retryAfter: string | null
}

interface Wish {
  readonly tier?: ServiceTier
  readonly tenant?: string
  readonly model?: string
  readonly signal?: AbortSignal
}

function ask(text: string, { tier = 'standard', tenant = 'iron', model = 'm', signal }: Wish = {}): Promise<Reply> {
  return fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer sk-${tenant}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      service_tier: tier === 'standard' ? 'default' : tier,
      max_tokens: 10,
      messages: [{ role: 'user', content: text }],
    }),
    ...(signal ? { signal } : {}),
  }).then(async (response) => {
    await response.text()
    return { text, status: response.status, retryAfter: response.headers.get('retry-after') }
  })
}

const many = (count: number, name: string, tier: ServiceTier, tenant = 'iron') =>
  Array.from({ length: count }, (_, i) => ask(`${name} ${i}`, { tier, tenant }))
const waiting = (tier: ServiceTier) =>
  gateway.flow.view(performance.now()).find((one) => one.service === 'm' && one.tier === tier)?.waiting ?? 0
const inFlight = (count: number) => expect.poll(() => supplier.held().length, { timeout: 20_000 }).toBe(count)
const queued = (tier: ServiceTier, count: number) => expect.poll(() => waiting(tier), { timeout: 20_000 }).toBe(count)
const refusedOf = (replies: readonly Reply[]) => replies.filter(({ status }) => status === 429)

/** Answers whoever is held, the longest held first, one after another, until all of these have their reply. */
async function serveAll(replies: readonly Promise<Reply>[]): Promise<readonly Reply[]> {
  let open = true
  const all = Promise.all(replies).finally(() => (open = false))
  while (open) {
    supplier.answer(supplier.held()[0])
    await new Promise((resolve) => setImmediate(resolve))
  }
  return all
}

async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => gateway.isAtRest(), { timeout: 20_000 }).toBe(true)
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length)
}

test('each class fills a supplier up to its ceiling, and what is held back serves the higher classes at once', async () => {
  const replies = many(8, 'flex', 'flex')
  await inFlight(6)
  replies.push(...many(1, 'standard', 'standard'))
  await inFlight(7)
  replies.push(ask('priority', { tier: 'priority' }))
  await inFlight(8)
  expect(supplier.came.at(-1)).toBe('priority')
  expect([waiting('flex'), waiting('standard'), waiting('priority')]).toEqual([2, 0, 0])
  for (const { status } of await serveAll(replies)) expect(status).toBe(200)
  await expectNothingLeft()
  expect(records).toHaveLength(10)
})

test('at five times the load priority goes first, all places stay in use, and who cannot be served in time is told when to come back', async () => {
  const first = many(7, 'running', 'standard', 'gold')
  await inFlight(7)
  const low = many(14, 'flex', 'flex')
  const standard = many(20, 'standard', 'standard', 'iron')
  await Promise.all([queued('flex', 4), queued('standard', 12)])
  const priority = many(7, 'priority', 'priority', 'silver')
  await queued('priority', 6)
  // One found the place that is held back for its class. From here on, whoever is answered makes room for the next.
  await inFlight(CAPACITY)
  const replies = await serveAll([...first, ...low, ...standard, ...priority])
  const refused = refusedOf(replies)
  expect(refused).toHaveLength(10 + 8)
  for (const { text, retryAfter } of refused) {
    expect(text).not.toMatch(/^(priority|running)/)
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
  }
  const classes = supplier.came.slice(7).map((text) => text.split(' ')[0])
  expect(classes.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => 'priority'))
  expect(classes.slice(7)).toEqual([
    ...Array.from({ length: 12 }, () => 'standard'),
    ...Array.from({ length: 4 }, () => 'flex'),
  ])
  expect(supplier.most()).toBe(CAPACITY)
  await expectNothingLeft()
  // Every request that was served is on record once, none that was refused is.
  expect(records).toHaveLength(replies.length - refused.length)
  expect(records.every(({ ending }) => ending === 'completed')).toBe(true)
})

test('tenants that wait together are served by their weights', async () => {
  const first = many(7, 'running', 'priority', 'iron')
  await inFlight(7)
  // Waiting in one queue, so that only weights tell them apart.
  const replies = [
    ...many(4, 'gold', 'standard', 'gold'),
    ...many(4, 'silver', 'standard', 'silver'),
    ...many(4, 'iron', 'standard', 'iron'),
  ]
  await queued('standard', 12)
  await serveAll([...first, ...replies])
  const order = supplier.came.slice(7).map((text) => text.split(' ')[0])
  const among = (count: number, name: string) => order.slice(0, count).filter((one) => one === name).length
  expect(among(7, 'gold')).toBe(4)
  expect(among(7, 'silver')).toBe(2)
  expect(among(7, 'iron')).toBe(1)
  await expectNothingLeft()
})

test('a request that may not wait any longer, whose client left, or that waits when time is up gives everything back', async () => {
  const first = many(7, 'running', 'standard')
  await inFlight(7)
  const stop = new AbortController()
  const left = ask('leaves', { signal: stop.signal }).catch(() => undefined)
  await queued('standard', 1)
  stop.abort()
  await queued('standard', 0)
  await left
  const late = await ask('hurried', { model: 'hurried' })
  expect(late.status).toBe(429)
  expect(Number(late.retryAfter)).toBeGreaterThanOrEqual(1)
  expect(await ask('short', { model: 'short' })).toMatchObject({ status: 504 })
  await serveAll(first)
  await expectNothingLeft()
  expect(supplier.came).toHaveLength(7)
  expect(records).toHaveLength(7)
})

test('while a supplier has told us to come back later, who cannot wait that long hears so at once, and it is left in peace', async () => {
  const first = ask('first')
  await inFlight(1)
  supplier.refuse('first', 30)
  expect((await first).status).toBe(429)
  const second = await ask('second', { model: 'hurried' })
  expect(second.status).toBe(429)
  expect(Number(second.retryAfter)).toBeGreaterThan(25)
  expect(supplier.came).toEqual(['first'])
  await expectNothingLeft()
})

test('flex loses its place to a higher class before it has brought anything, once, and is served later', async () => {
  const flex = many(6, 'flex', 'flex')
  await inFlight(6)
  const standard = many(1, 'standard', 'standard')
  await inFlight(7)
  const more = many(2, 'more', 'standard')
  // The supplier sees two connections end and two requests come instead.
  await expect.poll(() => supplier.came.slice(7)).toEqual(['more 0', 'more 1'])
  expect(supplier.held()).toHaveLength(7)
  await queued('flex', 2)
  const replies = await serveAll([...flex, ...standard, ...more])
  for (const { status } of replies) expect(status).toBe(200)
  await expectNothingLeft()
  expect(records).toHaveLength(9)
  const displaced = records.filter(({ attempts }) => attempts.length > 1)
  expect(displaced.map(({ attempts }) => attempts.map(({ outcome }) => outcome))).toEqual([
    ['displaced', 'served'],
    ['displaced', 'served'],
  ])
})
