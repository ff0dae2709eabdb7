import { expect, test } from 'vitest'
import type { SlaTarget } from '#contract'
import type { Flight } from './flight.ts'
import { hedgeDelayMs, patienceMs } from './patience.ts'

const run = { key: 'k', beganMs: 0 }
const sla: readonly SlaTarget[] = [
  { class: 'standard', ttftMs: 2_000, tpotMs: 50, attainmentPpm: 990_000, missPico: '1' },
]
/** Only what patience looks at. */
const flightOf = (over: object = {}, service: object = {}) =>
  ({
    service: { sla, hedge: true, ...service },
    tier: 'standard',
    request: { stream: true, body: Buffer.alloc(400) },
    firstTokenBy: 60_000,
    totalDeadline: 300_000,
    othersLeft: 1,
    othersBusy: 0,
    tried: [],
    ...over,
  }) as unknown as Flight
/** A supplier whose first token is this late for one in twenty, and for one in a hundred. */
const measured = (p95: number | undefined, p99: number | undefined) =>
  ({ scheduler: { firstTokenMs: (_: unknown, sigmas: number) => (sigmas < 2 ? p95 : p99) } }) as never
const unknown = measured(undefined, undefined)

test('the deadline is shared with those who could still be asked, and the last has all that is left', () => {
  const none = { sla: [] }
  expect(patienceMs(flightOf({}, none), unknown, run, 0)).toBe(30_000)
  expect(patienceMs(flightOf({ othersBusy: 1 }, none), unknown, run, 0)).toBe(20_000)
  expect(patienceMs(flightOf({ othersLeft: 9 }, none), unknown, run, 0)).toBe(20_000)
  expect(patienceMs(flightOf({ othersLeft: 0 }, none), unknown, run, 0)).toBe(60_000)
  expect(patienceMs(flightOf({ tried: [1, 2] }, none), unknown, run, 45_000)).toBe(15_000)
  expect(patienceMs(flightOf({ othersLeft: 0 }, none), unknown, run, 61_000)).toBe(0)
  // A whole answer has no first token: its attempts share the whole time.
  expect(patienceMs(flightOf({ request: { stream: false } }), unknown, run, 0)).toBe(150_000)
})

test('where a first token is promised, a supplier is given up when it is later than it nearly ever is', () => {
  expect(patienceMs(flightOf(), unknown, run, 0)).toBe(2_000)
  expect(patienceMs(flightOf(), measured(700, 900), run, 0)).toBe(900)
  expect(patienceMs(flightOf(), measured(40, 50), run, 0)).toBe(500)
  expect(patienceMs(flightOf(), measured(20_000, 90_000), run, 0)).toBe(30_000)
  expect(patienceMs(flightOf({ othersLeft: 0 }), measured(40, 50), run, 0)).toBe(60_000)
})

test('a copy is due when one in twenty is late, at half the promise at the latest, and never where it may not be sent', () => {
  expect(hedgeDelayMs(flightOf(), unknown, run)).toBe(1_000)
  expect(hedgeDelayMs(flightOf(), measured(300, 900), run)).toBe(300)
  expect(hedgeDelayMs(flightOf(), measured(5_000, 9_000), run)).toBe(1_000)
  expect(hedgeDelayMs(flightOf({}, { sla: [] }), measured(300, 900), run)).toBe(300)
  const never = [
    flightOf({}, { hedge: false }),
    flightOf({}, { sla: [] }),
    flightOf({ tier: 'flex' }),
    flightOf({ tier: 'batch' }),
    flightOf({ othersLeft: 0, othersBusy: 3 }),
    flightOf({ request: { stream: false, body: Buffer.alloc(400) } }),
    flightOf({ request: { stream: true, body: Buffer.alloc(40_000) } }),
  ]
  for (const flight of never) expect(hedgeDelayMs(flight, unknown, run)).toBe(Number.POSITIVE_INFINITY)
})
