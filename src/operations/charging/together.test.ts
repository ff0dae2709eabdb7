import { expect, test } from 'vitest'
import { together, togetherBy } from './together.ts'

/** Work that ends when it is told to. */
function held() {
  const groups: number[][] = []
  const ends: (() => void)[] = []
  const run = (asks: readonly number[]) => {
    groups.push([...asks])
    return new Promise<void>((resolve) => ends.push(resolve))
  }
  return { groups, run, endNext: () => ends.shift()?.() }
}

test('what waits is done together, in order, never more than allowed, and nothing waits for company', async () => {
  const work = held()
  const ask = together<number, number>({
    lanes: 1,
    most: 3,
    run: async (asks) => {
      await work.run(asks)
      return asks.map((each) => each * 10)
    },
  })
  const replies = [1, 2, 3, 4, 5].map(ask)
  expect(work.groups).toEqual([[1]])
  work.endNext()
  expect(await replies[0]).toBe(10)
  await expect.poll(() => work.groups).toEqual([[1], [2, 3, 4]])
  work.endNext()
  await expect.poll(() => work.groups).toEqual([[1], [2, 3, 4], [5]])
  work.endNext()
  expect(await Promise.all(replies)).toEqual([10, 20, 30, 40, 50])
})

test('what fails alone spoils nothing but itself, and an answer that is an error concerns one', async () => {
  const first = Promise.withResolvers<void>()
  const tried: number[][] = []
  const ask = together<number, string>({
    lanes: 1,
    most: 8,
    run: async (asks) => {
      tried.push([...asks])
      if (asks[0] === 0) await first.promise
      if (asks.includes(13)) throw new Error('poisoned')
      return asks.map((each) => (each === 7 ? new Error('refused') : `${each}`))
    },
  })
  const replies = [0, 1, 13, 7, 2].map(ask)
  first.resolve()
  const ended = await Promise.allSettled(replies)
  expect(ended.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
    ...['0', '1', 'Error: poisoned', 'Error: refused', '2'],
  ])
  expect(tried).toEqual([[0], [1, 13, 7, 2], [1], [13], [7], [2]])
  expect(await ask(3)).toBe('3')
})

test('things that have nothing in common do not wait for one another', async () => {
  const work = held()
  const ask = togetherBy<number, number>((each) => (each % 2 === 0 ? 'even' : 'odd'), {
    lanes: 1,
    most: 8,
    run: async (asks) => {
      await work.run(asks)
      return asks
    },
  })
  const replies = [1, 2, 3, 4].map(ask)
  expect(work.groups).toEqual([[1], [2]])
  for (let n = 0; n < 2; n++) work.endNext()
  await expect.poll(() => work.groups.length).toBe(4)
  for (let n = 0; n < 2; n++) work.endNext()
  expect(await Promise.all(replies)).toEqual([1, 2, 3, 4])
})
