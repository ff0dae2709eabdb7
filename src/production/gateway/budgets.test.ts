import { expect, test } from 'vitest'
import { createHedgeBudget } from './hedge-budget.ts'
import { createRetryBudget } from './retry-budget.ts'

test('an outage is retried a few times, then for one request in ten, and again freely once retries help', () => {
  let now = 0
  const budget = createRetryBudget(() => now)
  let sent = 0
  for (let request = 0; request < 1_000; request++) {
    budget.noteRequest('s')
    sent++
    if (!budget.mayRetry('s')) continue
    sent++
    budget.noteWasted('s')
    now += 5
  }
  expect(sent).toBeGreaterThan(1_000)
  expect(sent).toBeLessThanOrEqual(1_000 + 100 + 10)
  expect(budget.mayRetry('other')).toBe(true)
  now += 20_000
  expect(budget.mayRetry('s')).toBe(true)
})

test('a quiet service has a few retries at any time, and old waste is forgotten gradually', () => {
  let now = 0
  const budget = createRetryBudget(() => now)
  budget.noteRequest('s')
  for (let i = 0; i < 10; i++) {
    expect(budget.mayRetry('s')).toBe(true)
    budget.noteWasted('s')
  }
  expect(budget.mayRetry('s')).toBe(false)
  now = 10_000
  expect(budget.mayRetry('s')).toBe(false)
  now = 12_000
  expect(budget.mayRetry('s')).toBe(true)
})

test('hedges are at most one in twenty answers, after the first', () => {
  const budget = createHedgeBudget()
  let hedges = 0
  for (let answer = 0; answer < 2_000; answer++) {
    if (budget.take('s')) hedges++
    budget.earn('s')
  }
  expect(hedges).toBeGreaterThan(95)
  expect(hedges).toBeLessThanOrEqual(101)
  for (let i = 0; i < 1_000; i++) budget.earn('s')
  let burst = 0
  while (budget.take('s')) burst++
  expect(burst).toBe(10)
})
