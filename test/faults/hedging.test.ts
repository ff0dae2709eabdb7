import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertWhole, setScene } from './scene.ts'
import type { Scene } from './scene.ts'
import type { Provider } from './start-provider.ts'

let scene: Scene
let one: Provider
let two: Provider

/** A second copy is due after half of this. */
const sla = [{ class: 'standard', ttftMs: 1_000, tpotMs: 100, attainmentPpm: 990_000, missPico: '1' }] as const

beforeAll(async () => {
  const late = { sla: [...sla], firstByteTimeoutMs: 10_000 }
  scene = await setScene([
    { id: 'hedged', ...late, hedge: true },
    { id: 'overtaken', ...late, hedge: true },
    { id: 'first-fails', ...late, hedge: true },
    { id: 'both-fail', ...late, hedge: true, firstByteTimeoutMs: 2_500 },
    { id: 'unasked', ...late },
    { id: 'nobody-else', ...late, hedge: true, providers: 1 },
  ])
  ;[one, two] = scene.providers
})

afterAll(() => scene?.[Symbol.asyncDispose]())

test('a late first token is hedged once: the copy that speaks first is heard, the other is dropped and its prompt is our cost', async () => {
  await one.script('hedged-1', { kind: 'answer', firstWordMs: 20_000 })
  const got = await scene.ask('hedged')
  assertWhole(got)
  const record = await scene.recordOf(got)
  expect(record).toMatchObject({ ending: 'completed', supplier: 'two', model: 'hedged-2', tokens: { output: 20 } })
  expect(record.attempts).toMatchObject([
    {
      supplier: 'one',
      outcome: 'lost_race',
      tokens: { uncachedInput: record.tokens.uncachedInput, output: 0 },
      buySheet: 'buy-hedged-1',
    },
    { supplier: 'two', outcome: 'served', role: 'hedge' },
  ])
  expect(BigInt(record.attempts[0]?.buyPico ?? 0)).toBeGreaterThan(0n)
  await expect.poll(async () => (await one.seen('hedged-1'))[0]?.end, { timeout: 5_000 }).toBe('client_gone')
  // The budget for copies is spent: the next late one is given up at its target, and tried again.
  const next = await scene.ask('hedged')
  assertWhole(next)
  expect((await scene.recordOf(next)).attempts.map(({ role }) => role)).toEqual([undefined, 'retry'])
})

test('the first copy may still be the first to speak', async () => {
  await one.script('overtaken-1', { kind: 'answer', firstWordMs: 800 })
  await two.script('overtaken-2', { kind: 'answer', firstWordMs: 20_000 })
  const got = await scene.ask('overtaken')
  assertWhole(got)
  expect((await scene.recordOf(got)).attempts).toMatchObject([
    { supplier: 'two', outcome: 'lost_race', role: 'hedge' },
    { supplier: 'one', outcome: 'served' },
  ])
})

test('one of two that fails leaves the race to the other; where both fail, the client hears of it', async () => {
  await one.script('first-fails-1', { kind: 'answer', firstWordMs: 900 })
  await two.script('first-fails-2', { kind: 'status', status: 500 })
  const got = await scene.ask('first-fails')
  assertWhole(got)
  expect((await scene.recordOf(got)).attempts).toMatchObject([
    { supplier: 'two', outcome: 'status_5xx', role: 'hedge' },
    { supplier: 'one', outcome: 'served' },
  ])
  await one.script('both-fail-1', { kind: 'never' })
  await two.script('both-fail-2', { kind: 'never' })
  const failed = await scene.ask('both-fail')
  expect(failed.status).toBe(504)
  expect((await scene.recordOf(failed)).attempts.length).toBeLessThanOrEqual(3)
})

test('nothing is sent twice unasked, and not where there is nobody else', async () => {
  await one.script('unasked-1', { kind: 'answer', firstWordMs: 900 })
  await one.script('nobody-else-1', { kind: 'answer', firstWordMs: 900 })
  for (const service of ['unasked', 'nobody-else']) {
    const got = await scene.ask(service)
    assertWhole(got)
    expect((await scene.recordOf(got)).attempts).toHaveLength(1)
  }
  expect(await two.seen('unasked-2')).toEqual([])
})

test('afterwards nothing is under way or held, no connection is busy, and every record is exact', () =>
  scene.expectClean())
