import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChangeRequest, Offer, OrderRequest, OrderState, SubscriptionState } from '#contract'
import { addMonths } from '#kernel'
import { arrearsAt, arrearsSteps, ARREARS_POLICIES } from './arrears.ts'
import { dayStart } from './calendar.ts'
import { ORDER_EDGES, SUBSCRIPTION_EDGES, isFinal, isLegal } from './states.ts'
import { firstTerm, nextTerm, renewalAttempts, unusedOf, usedUntil } from './term.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const at = (text: string) => Date.parse(`${text}+08:00`)

describe('states', () => {
  test.each([
    ['order', ORDER_EDGES, OrderState.options],
    ['subscription', SUBSCRIPTION_EDGES, SubscriptionState.options],
  ] as const)('every state of an %s is on the map, leads only to states and can reach an end', (_, map, options) => {
    const edges: Readonly<Record<string, readonly string[]>> = map
    expect(Object.keys(edges).toSorted()).toEqual([...options].toSorted())
    for (const state of options) {
      for (const next of edges[state] ?? []) expect(options).toContain(next)
      const reached = new Set<string>([state])
      for (const each of reached) for (const next of edges[each] ?? []) reached.add(next)
      expect([...reached].some((each) => isFinal(edges, each))).toBe(true)
    }
  })

  test('what has ended stays as it ended', () => {
    for (const to of OrderState.options) {
      for (const from of ['rejected', 'cancelled', 'completed', 'failed', 'partial'] as const)
        expect(isLegal(ORDER_EDGES, from, to)).toBe(false)
    }
  })
})

const reservation = (over: object = {}) =>
  Offer.parse({
    id: 'r',
    kind: 'throughput-tpm',
    taxPercent: 6,
    services: ['m'],
    input: { unitTokens: 1_000, priceYuan: '1' },
    term: { per: 'day', min: 1, max: 30 },
    ...over,
  })

describe('terms', () => {
  test('what is not used of a price only shrinks, from the whole to nothing', () => {
    const span = { fromMs: at('2026-11-25T10:00:00'), toMs: at('2026-12-25T10:00:00') }
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 20n }), fc.nat(32 * DAY), fc.nat(32 * DAY), (gross, a, b) => {
        const unused = (after: number) => unusedOf(reservation(), gross, span, span.fromMs + after)
        const [sooner, later] = [unused(Math.min(a, b)), unused(Math.max(a, b))]
        expect(sooner >= later && later >= 0n && sooner <= gross).toBe(true)
        expect([unused(0), unused(30 * DAY)]).toEqual([gross, 0n])
      }),
    )
  })

  test('terms follow one another without gap or overlap, whatever their length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2026-01-01T00:00:00'), max: at('2030-01-01T00:00:00') }),
        fc.constantFrom('minute', 'hour', 'day', 'month'),
        fc.integer({ min: 1, max: 12 }),
        (anchor, per, count) => {
          let endedMs = nextTerm({ per, count }, anchor, anchor).toMs ?? 0
          for (let n = 2; n < 30; n++) {
            const { fromMs, toMs } = nextTerm({ per, count }, anchor, endedMs)
            expect(fromMs).toBe(endedMs)
            expect(toMs ?? 0).toBeGreaterThan(endedMs)
            endedMs = toMs ?? 0
            if (per === 'month') expect(endedMs).toBe(addMonths(anchor, n * count))
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('who orders later than quoted never gets less', () => {
    const offers = [
      reservation({ dayCutoff: '22:00' }),
      reservation(),
      reservation({ term: { per: 'month', min: 1, max: 3 } }),
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...offers),
        fc.integer({ min: at('2026-11-24T00:00:00'), max: at('2026-11-27T00:00:00') }),
        fc.integer({ min: 0, max: 15 * 60_000 }),
        (offer, quoted, later) => {
          expect(firstTerm(offer, {}, quoted + later).toMs ?? 0).toBeGreaterThanOrEqual(
            firstTerm(offer, {}, quoted).toMs ?? 0,
          )
        },
      ),
    )
  })

  test('a renewal has four attempts from 08:20 to 20:00 on the day before the last', () => {
    const times = renewalAttempts({ fromMs: at('2026-11-01T10:00:00'), toMs: at('2026-12-01T00:00:00') })
    expect(times.map((time) => new Date(time + 8 * HOUR).toISOString().slice(0, 16))).toEqual([
      '2026-11-29T08:20',
      '2026-11-29T12:10',
      '2026-11-29T16:10',
      '2026-11-29T20:00',
    ])
  })

  test('every term has four attempts inside it, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2026-01-01T00:00:00'), max: at('2027-01-01T00:00:00') }),
        fc.integer({ min: 60_000, max: 400 * DAY }),
        (fromMs, lasts) => {
          const times = renewalAttempts({ fromMs, toMs: fromMs + lasts })
          expect(times).toHaveLength(4)
          times.forEach((time, index) => {
            expect(time).toBeGreaterThan(index === 0 ? fromMs : (times[index - 1] ?? 0))
            expect(time).toBeLessThan(fromMs + lasts)
          })
        },
      ),
    )
  })

  test('a day or minute that has begun is used, and a term is never used beyond its end', () => {
    const span = { fromMs: at('2026-11-25T10:00:00'), toMs: at('2026-11-28T10:00:00') }
    const used = (after: number) => (usedUntil(reservation(), span, span.fromMs + after) - span.fromMs) / DAY
    expect([0, 1, DAY, DAY + 1, 3 * DAY, 9 * DAY].map(used)).toEqual([0, 1, 1, 2, 3, 3])
    expect(usedUntil(reservation(), span, span.fromMs - DAY)).toBe(span.fromMs)
  })

  test('a day of the books begins at midnight in China', () => {
    expect(dayStart(Date.parse('2026-11-24T16:00:00Z'))).toBe(Date.parse('2026-11-24T16:00:00Z'))
    expect(dayStart(Date.parse('2026-11-24T15:59:59.999Z'))).toBe(Date.parse('2026-11-23T16:00:00Z'))
  })
})

describe('arrears', () => {
  test('a debt is told, then restricts, then suspends; an unpaid fee sooner than an invoice', () => {
    const state = (kind: 'invoice' | 'fee', age: number) => arrearsAt([{ kind, sinceMs: 0 }], age)
    expect(state('fee', 2 * HOUR - 1)).toBe('grace')
    expect(state('fee', 2 * HOUR)).toBe('restricted')
    expect(state('fee', 7 * DAY)).toBe('suspended')
    expect(state('invoice', 7 * DAY - 1)).toBe('grace')
    expect(state('invoice', 21 * DAY - 1)).toBe('restricted')
    expect(state('invoice', 21 * DAY)).toBe('suspended')
    expect(arrearsAt([], 0)).toBe('clear')
  })

  test('the worst debt decides, time alone never makes it better, and every state on the way is passed', () => {
    const debt = fc.record({ kind: fc.constantFrom('invoice' as const, 'fee' as const), sinceMs: fc.nat(30 * DAY) })
    const order = ['clear', 'grace', 'restricted', 'suspended'] as const
    const rank = (state: (typeof order)[number]) => order.indexOf(state)
    fc.assert(
      fc.property(fc.array(debt, { maxLength: 5 }), fc.nat(60 * DAY), fc.nat(60 * DAY), (debts, now, later) => {
        const state = arrearsAt(debts, now)
        expect(rank(state)).toBe(Math.max(0, ...debts.map((each) => rank(arrearsAt([each], now)))))
        const then = arrearsAt(debts, now + later)
        expect(rank(then)).toBeGreaterThanOrEqual(rank(state))
        const steps = arrearsSteps(state, then)
        expect(steps.map(rank)).toEqual(order.slice(rank(state) + 1, rank(then) + 1).map(rank))
        expect(arrearsSteps(then, state)).toEqual(then === state ? [] : [state])
      }),
    )
    expect(ARREARS_POLICIES.fee.graceMs).toBeLessThan(ARREARS_POLICIES.invoice.graceMs)
  })
})

test('no buyer takes the name of an order that the factory will place', () => {
  const named = (idempotencyKey: string) => [
    OrderRequest.safeParse({ offer: 'pack', idempotencyKey }).success,
    ChangeRequest.safeParse({ offer: 'pack', idempotencyKey }).success,
  ]
  expect(named('renewal:sub_1@1')).toEqual([false, false])
  expect(named('tmf622:1')).toEqual([false, false])
  expect(named('purchase-4711')).toEqual([true, true])
})
