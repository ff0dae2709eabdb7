import { expect, test } from 'vitest'
import { createDebt } from './debt.ts'

test('a broken promise makes a miss 1.6 times as dear every 5 s, up to 30 times; a kept one lets it fall by 7 %', () => {
  const debt = createDebt(100)
  for (let i = 0; i < 9; i++) debt.count(true)
  debt.count(false)
  debt.tick(100, 0.95)
  expect(debt.attainment).toBe(0.9)
  expect(debt.isInDebt).toBe(true)
  expect(debt.price).toBeCloseTo(160, 9)
  debt.tick(100, 0.95)
  expect(debt.price).toBeCloseTo(256, 9)
  for (let i = 0; i < 20; i++) {
    debt.count(false)
    debt.tick(100, 0.95)
  }
  expect(debt.price).toBe(3_000)
  for (let i = 0; i < 13; i++) {
    debt.count(true)
    debt.tick(100, 0.05)
  }
  expect(debt.price).toBeCloseTo(3_000 * 0.93 ** 13, 6)
  for (let i = 0; i < 60; i++) debt.tick(100, 0.95)
  expect(debt.price).toBe(100)
})

test('what is older than a minute counts no more', () => {
  const debt = createDebt(1)
  debt.count(false)
  for (let i = 0; i < 11; i++) debt.tick(1, 0.5)
  expect(debt.attainment).toBe(0)
  debt.tick(1, 0.5)
  expect(debt.attainment).toBe(1)
  expect(debt.valid).toBe(0)
})
