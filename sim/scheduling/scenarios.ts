import { HOME, defaultMarket } from './default-market.ts'
import type { MarketShape } from './default-market.ts'
import type { Incident, SimulatedMarket } from './market.ts'
import { stream } from './random.ts'
import type { Draw } from './random.ts'
import { threeRegions } from './regions.ts'
import { warped } from './warp.ts'
import type { World } from './world.ts'
import { durationMs } from './workload.ts'
import type { Workload } from './workload.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  build(workload: Workload, shape: MarketShape, draw: Draw): World
}

const plain = (workload: Workload, shape: MarketShape, incidents: readonly Incident[] = []): World => ({
  workload,
  market: defaultMarket(workload, shape),
  incidents,
})

/** Part of the whole time, a little earlier or later by chance. */
const JITTER = 0.05

function incident(
  workload: Workload,
  draw: Draw,
  [from, to]: readonly [number, number],
  what: Omit<Incident, 'fromMs' | 'toMs'>,
): Incident {
  const all = durationMs(workload)
  const shift = JITTER * (2 * draw() - 1)
  return { ...what, fromMs: Math.max(0, from + shift) * all, toMs: Math.max(0, to + shift) * all }
}

const BULK = 0
const STEADY = 2
const FAR = 4

/** The supplier's prices three times as high from the middle on. */
function dearer(market: SimulatedMarket, supplier: number, fromMs: number): SimulatedMarket {
  const suppliers = market.suppliers.map((each, index) => {
    if (index !== supplier) return each
    const { input, cachedInput, output } = each.prices[0]!.price
    const price = { input: 3 * input, cachedInput: 3 * cachedInput, output: 3 * output }
    return { ...each, prices: [...each.prices, { fromMs, price }] }
  })
  return { ...market, suppliers }
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'calm', title: 'nothing happens', build: (workload, shape) => plain(workload, shape) },
  {
    name: 'incidents',
    title: 'the biggest four times as slow for a fifth of the time, an outage, a storm of refusals',
    build: (workload, shape, draw) =>
      plain(workload, shape, [
        incident(workload, draw, [0.2, 0.4], { supplier: BULK, kind: 'brown_out', strength: 4 }),
        incident(workload, draw, [0.5, 0.6], { supplier: STEADY, kind: 'black_out', strength: 1 }),
        incident(workload, draw, [0.7, 0.8], { supplier: FAR, kind: 'refusals', strength: 0.8 }),
      ]),
  },
  {
    name: 'brown-out',
    title: 'the biggest six times as slow for two fifths of the time',
    build: (workload, shape, draw) =>
      plain(workload, shape, [
        incident(workload, draw, [0.3, 0.7], { supplier: BULK, kind: 'brown_out', strength: 6 }),
      ]),
  },
  {
    name: 'black-out',
    title: 'one after the other, two suppliers fail altogether',
    build: (workload, shape, draw) =>
      plain(workload, shape, [
        incident(workload, draw, [0.2, 0.4], { supplier: BULK, kind: 'black_out', strength: 1 }),
        incident(workload, draw, [0.6, 0.8], { supplier: STEADY, kind: 'black_out', strength: 1 }),
      ]),
  },
  {
    name: 'storm',
    title: 'the biggest refuses nine of ten for two fifths of the time',
    build: (workload, shape, draw) =>
      plain(workload, shape, [
        incident(workload, draw, [0.3, 0.7], { supplier: BULK, kind: 'refusals', strength: 0.9 }),
      ]),
  },
  {
    name: 'ramp',
    title: 'demand grows from 0.75 to 1.74 times',
    build: (workload, shape) =>
      plain(
        warped(workload, (part) => 0.75 + (1.74 - 0.75) * part),
        shape,
      ),
  },
  {
    name: 'step',
    title: 'demand doubles in the middle',
    build: (workload, shape) =>
      plain(
        warped(workload, (part) => (part < 0.5 ? 1 : 2)),
        shape,
      ),
  },
  {
    name: 'flash',
    title: 'a crowd: eight times the demand for a twentieth of the requests',
    build: (workload, shape) =>
      plain(
        warped(workload, (part) => (part >= 0.5 && part < 0.55 ? 8 : 1)),
        shape,
      ),
  },
  {
    name: 'diurnal',
    title: 'a day: demand between 0.3 and 1.7 times',
    build: (workload, shape) =>
      plain(
        warped(workload, (part) => 1 - 0.7 * Math.cos(2 * Math.PI * part)),
        shape,
      ),
  },
  {
    name: 'price',
    title: "the cheapest's prices are three times as high from the middle on",
    build(workload, shape) {
      const world = plain(workload, shape)
      return { ...world, market: dearer(world.market, BULK, durationMs(workload) / 2) }
    },
  },
  {
    name: 'commitment',
    title: 'half of all tokens are to be taken or paid for at dear suppliers',
    build: (workload, shape) => plain(workload, { ...shape, takeOrPay: { swift: 0.3, boutique: 0.2 } }),
  },
  {
    name: 'split-2',
    title: 'two gateways that know nothing of each other',
    build: (workload, shape) => plain(workload, { ...shape, gateways: [HOME, HOME] }),
  },
  {
    name: 'split-4',
    title: 'four gateways that know nothing of each other',
    build: (workload, shape) => plain(workload, { ...shape, gateways: [HOME, HOME, HOME, HOME] }),
  },
  {
    name: 'split-4-incidents',
    title: 'four gateways that know nothing of each other, with incidents',
    build: (workload, shape, draw) =>
      scenarioOf('incidents').build(workload, { ...shape, gateways: [HOME, HOME, HOME, HOME] }, draw),
  },
  {
    name: 'regions',
    title: 'three regions whose days are a third of a day apart, with links that cost',
    build: (workload, shape) => threeRegions(workload, shape),
  },
]

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((each) => each.name === name)
  if (!found) throw new Error(`no scenario ${name}; there are ${SCENARIOS.map((each) => each.name).join(', ')}`)
  return found
}

export function buildWorld(scenario: Scenario, workload: Workload, shape: MarketShape, seed: number): World {
  return scenario.build(workload, shape, stream(seed, `scenario ${scenario.name}`))
}
