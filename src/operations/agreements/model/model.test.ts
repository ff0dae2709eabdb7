import fc from 'fast-check'
import { expect, test } from 'vitest'
import { grossOfTax, parseYuan } from '#kernel'
import { dueMs, latenessPico, serviceEndMs } from './clock.ts'
import { divide, redistribute } from './division.ts'
import { EDGES, isLegal } from './states.ts'
import { isUscc } from './uscc.ts'

const at = (text: string) => Date.parse(`${text}+08:00`)
const LATENESS = { dayPpm: 1_000, capPpm: 100_000 }

// domain.md §8, vector 1
test('golden: the tender is 16.451 billion without tax and 17.43806 billion with 6 %', () => {
  expect(grossOfTax(parseYuan('16451000000.00'), 6)).toBe(parseYuan('17438060000.00'))
})

// domain.md §8, vector 2, S-05 and S-06
test('golden: 30 days end with the last second of day 30 in Beijing, 60 months on the same day or the last of its month', () => {
  const due = dueMs(at('2026-06-01T15:00:00'), 30, [], 0)
  expect(due - 1).toBe(at('2026-07-01T23:59:59.999'))
  expect(serviceEndMs(at('2026-05-31T10:00'), 60)).toBe(at('2031-05-31T00:00'))
  expect(serviceEndMs(at('2028-02-29T10:00'), 60)).toBe(at('2033-02-28T00:00'))
  const order = { units: 10, amountPico: 1_000_000n, dueMs: due }
  const whole = (text: string) => [{ units: 10, atMs: at(text) }]
  const late = (text: string) => latenessPico(order, whole(text), LATENESS, at('2027-01-01T00:00'))
  expect(late('2026-07-01T23:59:59.999')).toBe(0n)
  expect(late('2026-07-02T00:00')).toBe(1_000n)
  expect(late('2026-07-02T23:59:59.999')).toBe(1_000n)
  expect(late('2026-07-03T00:00')).toBe(2_000n)
})

test('what the buyer stops moves the clock by as long, and overlapping stops count once', () => {
  const ordered = at('2026-06-01T15:00:00')
  const plain = dueMs(ordered, 30, [], 0)
  const day = 86_400_000
  const stop = { fromMs: at('2026-06-10T00:00'), toMs: at('2026-06-12T00:00') }
  expect(dueMs(ordered, 30, [stop], 0)).toBe(plain + 2 * day)
  expect(dueMs(ordered, 30, [stop, { fromMs: at('2026-06-11T00:00'), toMs: at('2026-06-13T00:00') }], 0)).toBe(
    plain + 3 * day,
  )
  expect(dueMs(ordered, 30, [{ fromMs: plain, toMs: plain + day }], 0)).toBe(plain)
  expect(dueMs(ordered, 30, [{ fromMs: plain - day, toMs: null }], plain + day)).toBe(plain + 2 * day)
})

test('lateness is owed for what is missing when a day begins, and is capped', () => {
  const due = at('2026-07-02T00:00')
  const order = { units: 10, amountPico: 1_000_000n, dueMs: due }
  const day = 86_400_000
  const now = due + 400 * day
  const penalty = (deliveries: { units: number; atMs: number }[], nowMs = now) =>
    latenessPico(order, deliveries, LATENESS, nowMs)
  const half = { units: 5, atMs: due - 1 }
  expect(penalty([half, { units: 5, atMs: due + day - 1 }])).toBe(500n)
  expect(
    penalty([
      { units: 5, atMs: due },
      { units: 5, atMs: due + 2 * day },
    ]),
  ).toBe(1_000n + 500n + 500n)
  expect(penalty([])).toBe(100_000n)
  expect(penalty([], due + 3 * day - 1)).toBe(3_000n)
  expect(penalty([], due - 1)).toBe(0n)
  fc.assert(
    fc.property(
      fc.array(fc.record({ units: fc.integer({ min: 1, max: 3 }), day: fc.nat(60) }), { maxLength: 3 }),
      (all) => {
        const deliveries = all.map(({ units, day: days }) => ({ units, atMs: due + days * day + 5 }))
        let expected = 0n
        for (let d = 0; d <= 400; d++) {
          const begun = due + d * day
          const missing = 10 - deliveries.filter(({ atMs }) => atMs < begun).reduce((sum, { units }) => sum + units, 0)
          expected += BigInt(missing) * 100n
        }
        expect(penalty(deliveries)).toBe(expected < 100_000n ? expected : 100_000n)
      },
    ),
  )
})

const shares = fc.uniqueArray(fc.integer({ min: 1, max: 999_999 }), { minLength: 0, maxLength: 7 }).map((cuts) => {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), 1_000_000]
  return edges.slice(1).map((edge, i) => ({ supplier: `s${i}`, ppm: edge - (edges[i] ?? 0) }))
})

test('whatever the shares and however orders come, nobody is a lot away from its share', () => {
  fc.assert(
    fc.property(shares, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }), (all, orders) => {
      let parties = all.map((each) => ({ ...each, lots: 0 }))
      for (const count of orders) {
        for (const supplier of divide(parties, count))
          parties = parties.map((each) => (each.supplier === supplier ? { ...each, lots: each.lots + 1 } : each))
        const total = parties.reduce((sum, { lots }) => sum + lots, 0)
        for (const { ppm, lots } of parties) expect(Math.abs(lots * 1e6 - ppm * total)).toBeLessThan(1e6)
      }
    }),
    { numRuns: 300 },
  )
  expect(() => divide([{ supplier: 'a', ppm: 999_999, lots: 0 }], 1)).toThrow(RangeError)
})

test('shares of those who are left sum to 100 % again and keep their proportions', () => {
  fc.assert(
    fc.property(shares, fc.nat(7), (all, gone) => {
      const out = new Set([`s${gone}`])
      const left = redistribute(all, out)
      const kept = all.filter(({ supplier }) => !out.has(supplier))
      if (kept.length === 0) {
        expect(left).toEqual([])
        return
      }
      expect(left.reduce((sum, { ppm }) => sum + ppm, 0)).toBe(1_000_000)
      const sum = kept.reduce((total, { ppm }) => total + ppm, 0)
      for (const [i, { ppm }] of left.entries())
        expect(Math.abs(ppm - ((kept[i]?.ppm ?? 0) * 1e6) / sum)).toBeLessThan(1)
    }),
  )
})

test('a credit code with one wrong symbol is none', () => {
  // The example code of GB 32100-2015.
  expect(isUscc('91350100M000100Y43')).toBe(true)
  for (let i = 0; i < 18; i++) {
    const wrong = '91350100M000100Y43'
    const symbol = wrong[i] === '1' ? '2' : '1'
    expect(isUscc(wrong.slice(0, i) + symbol + wrong.slice(i + 1))).toBe(false)
  }
  for (const text of ['', '91350100M000100Y4', '91350100I000100Y43', '91350100m000100y43'])
    expect(isUscc(text)).toBe(false)
})

test('every state that can be reached has a name, and no state follows itself', () => {
  for (const [subject, edges] of Object.entries(EDGES)) {
    const all: Readonly<Record<string, readonly string[]>> = edges
    for (const [from, next] of Object.entries(all)) {
      expect(next.every((to) => to in all && to !== from)).toBe(true)
      for (const to of Object.keys(all)) expect(isLegal(subject as 'lot', from, to)).toBe(next.includes(to))
    }
  }
})
