import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { ask, attempt, endpoint, market } from './market-fixture.ts'
import { createScheduler, createSchedulerTable, openSchedulerTable } from './index.ts'
import { COUNTS } from './shared-table.ts'

/** Two schedulers as two workers of one gateway have them. */
function pair() {
  const table = createSchedulerTable(16, 2)
  const slots = new Map<string, number>()
  const slotOf = (key: string) => {
    slots.set(key, slots.get(key) ?? slots.size)
    return slots.get(key) ?? 0
  }
  const endpoints = [endpoint('a', { maxConcurrency: 8 }), endpoint('b', { priority: 1 })]
  return [0, 1].map((worker) => {
    const shared = openSchedulerTable(table, worker)
    const scheduler = createScheduler({ random: () => 0.5, shared, slotOf })
    scheduler.adopt(market(endpoints))
    const order = (nowMs = 0) => scheduler.choose(ask({ nowMs })).order.map(({ supplierId }) => supplierId)
    return { shared, scheduler, order, endpoints }
  }) as [Worker_, Worker_]
}
type Worker_ = {
  readonly shared: ReturnType<typeof openSchedulerTable>
  readonly scheduler: ReturnType<typeof createScheduler>
  readonly order: (nowMs?: number) => string[]
  readonly endpoints: ReturnType<typeof endpoint>[]
}

test('what one worker has under way counts in all, until that worker is gone', () => {
  const [one, two] = pair()
  const [a] = one.endpoints
  if (!a) throw new Error('nobody')
  for (let i = 0; i < 8; i++) one.scheduler.began(a, ask())
  expect(two.order()).toEqual(['b'])
  expect(two.scheduler.view(0).endpoints[0]).toMatchObject({ inFlight: 8, prefillTokens: 800 })
  one.shared.clearOwn()
  expect(two.order()).toEqual(['a', 'b'])
})

test('a breaker that one worker opens, and a limit that one learns, hold in all at once', () => {
  const [one, two] = pair()
  const [a] = one.endpoints
  if (!a) throw new Error('nobody')
  for (let i = 0; i < 3; i++) attempt(one.scheduler, a, { outcome: 'status_5xx' })
  for (let i = 0; i < 2; i++) attempt(two.scheduler, a, { outcome: 'status_5xx' })
  expect([one.order(), two.order()]).toEqual([['b'], ['b']])
  const [three, four] = pair()
  const [other] = three.endpoints
  if (!other) throw new Error('nobody')
  attempt(three.scheduler, other, { outcome: 'status_429', retryAfterMs: 5_000, nowMs: 10_000 })
  expect(four.order(14_999)).toEqual(['b'])
  expect(four.scheduler.view(14_999).endpoints[0]?.limit).toBe(4)
})

test('contracts are divided by the gateways that live', () => {
  const scheduler = createScheduler({ random: () => 0.5 })
  const one = endpoint('a', { maxConcurrency: 9, requestsPerMinute: 10 })
  const sentOf = (gateways: number) => {
    scheduler.adopt(market([one]), gateways)
    let sent = 0
    while (scheduler.choose(ask({ nowMs: gateways * 600_000 })).order.length > 0) {
      attempt(scheduler, one, { nowMs: gateways * 600_000 })
      sent++
    }
    return sent
  }
  expect([sentOf(1), sentOf(2), sentOf(3), sentOf(30)]).toEqual([10, 5, 3, 1])
  scheduler.adopt(market([one]), 3)
  expect(scheduler.view(0).endpoints[0]?.limit).toBe(3)
})

test('threads that count into one window never lose a request', async () => {
  const table = createSchedulerTable(2, 4)
  const door = new URL('./shared-table.ts', import.meta.url).href
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.door).then(({ openSchedulerTable }) => {
      const shared = openSchedulerTable(workerData.table, workerData.worker)
      for (let i = 0; i < 5000; i++) { shared.add(0, workerData.field, 1); shared.enter(0, 3) }
      for (let i = 0; i < 2000; i++) { shared.leave(0); shared.prefilled(0, 3) }
      parentPort.postMessage('done')
    })`
  await Promise.all(
    [0, 1, 2, 3].map(
      (worker) =>
        new Promise((resolve, reject) => {
          const thread = new Worker(source, {
            eval: true,
            workerData: { table, worker, door, field: COUNTS.requestsNow },
          })
          thread.once('message', resolve)
          thread.once('error', reject)
        }),
    ),
  )
  const shared = openSchedulerTable(table, 0)
  expect(shared.count(0, COUNTS.requestsNow)).toBe(20_000)
  expect(shared.inFlight(0)).toBe(12_000)
  expect(shared.prefillTokens(0)).toBe(36_000)
})
