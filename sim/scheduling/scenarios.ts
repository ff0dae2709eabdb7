import { defaultMarket } from './default-market.ts'
import type { MarketShape } from './default-market.ts'
import type { Incident } from './market.ts'
import { stream } from './random.ts'
import type { Draw } from './random.ts'
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
]

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((each) => each.name === name)
  if (!found) throw new Error(`no scenario ${name}; there are ${SCENARIOS.map((each) => each.name).join(', ')}`)
  return found
}

export function buildWorld(scenario: Scenario, workload: Workload, shape: MarketShape, seed: number): World {
  return scenario.build(workload, shape, stream(seed, `scenario ${scenario.name}`))
}
