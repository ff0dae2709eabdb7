import { Problem } from '#kernel'
import { expect, test } from 'vitest'
import { type Place, createPool } from './sequence-pool.ts'

interface Named extends Place {
  readonly name: string
}

function place(name: string, computed: readonly number[] = []): Named {
  return {
    name,
    reusable(prompt) {
      const different = prompt.findIndex((token, index) => computed[index] !== token)
      return different < 0 ? prompt.length : different
    },
  }
}

const never = new AbortController().signal

test('the free place that has computed most of the prompt is taken', async () => {
  const pool = createPool([place('a', [1]), place('b', [1, 2, 3]), place('c', [9])], { maxWaiting: 0 })
  expect((await pool.take([1, 2, 3, 4], never)).name).toBe('b')
  expect((await pool.take([9, 9], never)).name).toBe('c')
  expect(pool.busy).toBe(2)
})

test('without anything to reuse, the place unused for longest is taken', async () => {
  const pool = createPool([place('a'), place('b')], { maxWaiting: 0 })
  const a = await pool.take([1], never)
  pool.giveBack(a)
  expect((await pool.take([1], never)).name).toBe('b')
})

test('who waits is served in order, and who comes too late is refused with a time to come back', async () => {
  const pool = createPool([place('a')], { maxWaiting: 2 })
  const first = await pool.take([1], never)
  const order: string[] = []
  const second = pool.take([2], never).then((taken) => (order.push('second'), taken))
  const third = pool.take([3], never).then((taken) => (order.push('third'), taken))
  const refusal = await pool.take([4], never).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Problem)
  expect(refusal).toMatchObject({ type: { code: 'engine_busy', status: 429 }, params: { retryAfterSeconds: 1 } })
  pool.giveBack(first)
  pool.giveBack(await second)
  pool.giveBack(await third)
  expect(order).toEqual(['second', 'third'])
  expect([pool.busy, pool.waiting]).toEqual([0, 0])
})

test('who gives up while waiting leaves the queue at once and loses nobody a place', async () => {
  const pool = createPool([place('a')], { maxWaiting: 2 })
  const first = await pool.take([1], never)
  const impatient = new AbortController()
  const gone = pool.take([2], impatient.signal)
  const patient = pool.take([3], never)
  impatient.abort(new Error('gone'))
  await expect(gone).rejects.toThrow('gone')
  expect(pool.waiting).toBe(1)
  pool.giveBack(first)
  pool.giveBack(await patient)
  expect(pool.busy).toBe(0)
  await expect(pool.take([1], AbortSignal.abort(new Error('already')))).rejects.toThrow('already')
  expect(pool.busy).toBe(0)
})
