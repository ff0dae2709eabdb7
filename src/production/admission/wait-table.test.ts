import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { RANKS, createWaitTable, openWaits } from './index.ts'

test('a class yields to higher ones that wait for the same supplier in any worker, and only to those', () => {
  const table = createWaitTable(4, 2)
  const [mine, other] = [openWaits(table, 0), openWaits(table, 1)]
  other.add(2, RANKS.standard, 1)
  expect(mine.yields(2, RANKS.batch)).toBe(true)
  expect(mine.yields(2, RANKS.standard)).toBe(false)
  expect(mine.yields(2, RANKS.priority)).toBe(false)
  expect(mine.yields(1, RANKS.batch)).toBe(false)
  other.add(2, RANKS.standard, -1)
  expect(mine.yields(2, RANKS.batch)).toBe(false)
})

test('a worker that died waits for nothing any more', () => {
  const table = createWaitTable(4, 2)
  const [mine, other] = [openWaits(table, 0), openWaits(table, 1)]
  other.add(2, RANKS.priority, 1)
  mine.add(3, RANKS.priority, 1)
  openWaits(table, 1).clear()
  expect(mine.yields(2, RANKS.batch)).toBe(false)
  expect(other.yields(3, RANKS.batch)).toBe(true)
})

test('what one thread releases wakes the thread that waits', async () => {
  const table = createWaitTable(4, 2)
  const waits = openWaits(table, 0)
  const door = new URL('./index.ts', import.meta.url).href
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.door).then(({ openWaits }) => {
      const waits = openWaits(workerData.table, 1)
      parentPort.on('message', () => waits.released())
      parentPort.postMessage('ready')
    })`
  const thread = new Worker(source, { eval: true, workerData: { table, door } })
  await new Promise((resolve) => thread.once('message', resolve))
  waits.add(1, RANKS.standard, 1)
  let wakes = 0
  const woken = new Promise<void>((resolve) => {
    waits.onRelease(() => {
      wakes++
      resolve()
    })
  })
  // Asking again while it listens does not wake it twice.
  waits.onRelease(() => wakes++)
  thread.postMessage('release')
  await woken
  expect(wakes).toBe(1)
  await thread.terminate()
})
