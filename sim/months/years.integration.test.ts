import { expect, test } from 'vitest'
import { liveThrough } from './years.ts'

test('over a quarter, every answer costs what it should, every document says so, and the books are right', async () => {
  const years = await liveThrough(3, { verifyEvery: 3 })
  expect(years.complaints).toEqual([])
  expect(years.requests).toBeGreaterThan(100)
  expect(years.documents).toBeGreaterThan(2)
}, 120_000)
