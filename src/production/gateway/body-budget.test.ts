import { expect, test } from 'vitest'
import { createBodyBudget } from './body-budget.ts'

test('no more than the budget is ever set aside, and what is given back twice counts once', () => {
  const budget = createBodyBudget(100)
  const first = budget.reserve(60)
  expect(budget.reserve(60)).toBeUndefined()
  first?.()
  first?.()
  expect(budget.used).toBe(0)
  expect(budget.reserve(100)).toBeDefined()
  expect(budget.reserve(1)).toBeUndefined()
})
