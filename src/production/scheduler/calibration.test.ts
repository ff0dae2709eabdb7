import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCalibration } from './calibration.ts'

test('a prediction is moved to what came of such predictions', () => {
  const calibration = createCalibration()
  // Said 30 %, and one in ten came: (m + 20 · 0.3)/(n + 20) tends to 0.1.
  for (let i = 0; i < 2_000; i++) calibration.learn(0.3, i % 10 === 0)
  expect(calibration.correct(0.3)).toBeGreaterThan(0.09)
  expect(calibration.correct(0.3)).toBeLessThan(0.13)
  expect(calibration.bins()[6]?.predicted).toBeCloseTo(0.3, 9)
  expect(calibration.bins()[6]?.observed).toBeCloseTo(0.1, 1)
  expect(calibration.isTrusted).toBe(true)
})

test('predictions worse than the base rate by a quarter are not used, until they are better again', () => {
  const calibration = createCalibration()
  for (let i = 0; i < 300; i++) calibration.learn(0.001, false)
  expect(calibration.isTrusted).toBe(true)
  // What was called safe fails every time, and what was called hopeless works: the curve cannot follow at once.
  for (let i = 0; i < 60; i++) calibration.learn(i % 2 ? 0.001 : 0.95, i % 2 === 1)
  expect(calibration.brier).toBeGreaterThan(1.25 * calibration.climatology)
  expect(calibration.isTrusted).toBe(false)
  for (let i = 0; i < 3_000; i++) calibration.learn(0.001, false)
  expect(calibration.isTrusted).toBe(true)
})

test('a higher prediction is never corrected to a lower one, whatever came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (samples, a, b) => {
        const calibration = createCalibration()
        for (const [predicted, isMiss] of samples) calibration.learn(predicted, isMiss)
        const [low, high] = [calibration.correct(Math.min(a, b)), calibration.correct(Math.max(a, b))]
        expect(low).toBeLessThanOrEqual(high + 1e-12)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1)
      },
    ),
  )
})
