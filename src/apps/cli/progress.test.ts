import { expect, test } from 'vitest'
import { progressLine } from './progress.ts'

test('the line tells the step, how much of it is done, and how long the rest will take', () => {
  let nowMs = 5000
  const line = progressLine(() => nowMs)
  expect(line({ step: 1, steps: 14, what: 'usage records', done: 0, total: 0 })).toBe('[1/14] usage records')
  nowMs += 60_000
  expect(line({ step: 1, steps: 14, what: 'usage records', done: 2_500_000, total: 10_000_000 })).toBe(
    `[1/14] usage records ${'█'.repeat(6)}${'░'.repeat(18)} 25 %, 2,500,000 of 10,000,000, 3 min 0 s left`,
  )
  nowMs += 1000
  expect(line({ step: 3, steps: 14, what: 'postings', done: 0, total: 10 })).toContain(' 0 %, 0 of 10, 0 s left')
  nowMs += 1500
  expect(line({ step: 3, steps: 14, what: 'postings', done: 10, total: 10 })).toBe(
    `[3/14] postings ${'█'.repeat(24)} 100 %, 10 of 10, 0 s left`,
  )
})
