import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Problem } from '#kernel'
import { createAdmission, createLimitTable, openLimits } from './index.ts'
import type { Quota, Ticket } from './index.ts'

const quota = (slot: number, limits: Quota['limits'], scope: Quota['scope'] = 'API key'): Quota => ({
  scope,
  slot,
  limits,
})

function setUp(workers = 1) {
  const table = createLimitTable(8, workers)
  const clock = { ns: 1_000_000_000_000n }
  const limits = openLimits(table, 0)
  return { table, clock, limits, admission: createAdmission({ limits, nowNs: () => clock.ns }) }
}

test('a minute allows its number of requests as a burst and not one more', () => {
  const { admission, clock } = setUp()
  const quotas = [quota(0, { requestsPerMinute: 5 })]
  for (let i = 0; i < 5; i++) expect(admission.admit(quotas, 0).requests?.remaining).toBe(4 - i)
  expect(() => admission.admit(quotas, 0)).toThrow(Problem)
  clock.ns += 12_000_000_000n
  expect(admission.admit(quotas, 0).requests?.remaining).toBe(0)
  expect(() => admission.admit(quotas, 0)).toThrow(/requests per minute/)
})

test('what one limit refuses has consumed nothing of the others', () => {
  const { admission, limits } = setUp()
  const key = quota(0, { requestsPerMinute: 3, tokensPerMinute: 1000, maxConcurrency: 3 })
  const tenant = quota(1, { maxConcurrency: 1 }, 'tenant')
  const first = admission.admit([key, tenant], 100)
  for (let i = 0; i < 20; i++) expect(() => admission.admit([key, tenant], 100)).toThrow(/requests at once/)
  first.release(100)
  expect(limits.running(0)).toBe(0)
  const second = admission.admit([key, tenant], 100)
  expect(second.requests?.remaining).toBe(1)
  expect(second.tokens?.remaining).toBe(800)
})

test('reserved tokens that were not used come back when the request ends', () => {
  const { admission } = setUp()
  const quotas = [quota(0, { tokensPerMinute: 1000 })]
  const ticket = admission.admit(quotas, 900)
  expect(() => admission.admit(quotas, 200)).toThrow(/tokens per minute/)
  ticket.release(100)
  expect(admission.admit(quotas, 900).tokens?.remaining).toBe(0)
})

test('a request larger than a whole minute is told that waiting does not help', () => {
  const { admission } = setUp()
  try {
    admission.admit([quota(0, { tokensPerMinute: 10 })], 11)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ type: { code: 'request_above_token_limit', retryable: false } })
  }
})

test('after every ticket is released nothing is held, whatever the order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ reserve: fc.nat(400), used: fc.nat(400), releaseNow: fc.boolean() }), { maxLength: 40 }),
      (steps) => {
        const { admission, limits, clock } = setUp()
        const quotas = [
          quota(0, { tokensPerMinute: 1000, maxConcurrency: 4 }),
          quota(1, { requestsPerMinute: 10, maxConcurrency: 6 }, 'tenant'),
        ]
        const open: { ticket: Ticket; used: number }[] = []
        for (const { reserve, used, releaseNow } of steps) {
          clock.ns += 100_000_000n
          try {
            open.push({ ticket: admission.admit(quotas, reserve), used: Math.min(used, reserve) })
          } catch (error) {
            expect(error).toBeInstanceOf(Problem)
          }
          if (releaseNow) {
            const oldest = open.shift()
            oldest?.ticket.release(oldest.used)
          }
          expect(limits.running(0)).toBe(open.length)
          expect(open.length).toBeLessThanOrEqual(4)
        }
        for (const { ticket, used } of open) ticket.release(used)
        expect(limits.running(0)).toBe(0)
        expect(limits.running(1)).toBe(0)
      },
    ),
  )
})

test('a slot that is given to somebody else starts clean, whatever any worker counted in it', () => {
  const { table, limits, clock } = setUp(2)
  const quotas = { requests: 5, tokens: 100 }
  limits.take('requests', 3, quotas.requests, 5, clock.ns)
  limits.take('tokens', 3, quotas.tokens, 100, clock.ns)
  limits.enter(3, 9)
  openLimits(table, 1).enter(3, 9)
  limits.take('requests', 4, quotas.requests, 5, clock.ns)
  limits.reset(3)
  expect(limits.running(3)).toBe(0)
  expect(limits.take('requests', 3, quotas.requests, 1, clock.ns)).toMatchObject({ ok: true, remaining: 4 })
  expect(limits.take('tokens', 3, quotas.tokens, 1, clock.ns)).toMatchObject({ ok: true, remaining: 99 })
  expect(limits.take('requests', 4, quotas.requests, 1, clock.ns)).toMatchObject({ ok: false })
})

test('threads share one limit: together they never start more than it allows', async () => {
  const table = createLimitTable(2, 4)
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.door).then(({ createAdmission, openLimits }) => {
      const admission = createAdmission({ limits: openLimits(workerData.table, workerData.worker), nowNs: () => 1000000000000n })
      let started = 0
      for (let i = 0; i < 2000; i++) try { admission.admit([{ scope: 'API key', slot: 0, limits: { requestsPerMinute: 1000 } }], 0); started++ } catch {}
      parentPort.postMessage(started)
    })`
  const door = new URL('./index.ts', import.meta.url).href
  const started = await Promise.all(
    [0, 1, 2, 3].map(
      (worker) =>
        new Promise<number>((resolve, reject) => {
          const thread = new Worker(source, { eval: true, workerData: { table, worker, door } })
          thread.once('message', resolve)
          thread.once('error', reject)
        }),
    ),
  )
  expect(started.reduce((sum, count) => sum + count, 0)).toBe(1000)
})
