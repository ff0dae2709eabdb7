import { describe, expect, it } from 'vitest'
import { compare } from './comparison.ts'
import { goodOf } from './measures.ts'
import { policyOf } from './policies/index.ts'
import { buildWorld, scenarioOf } from './scenarios.ts'
import { synthetic } from './synthetic.ts'
import { simulate } from './world.ts'

const small = (seed: number) => synthetic(seed, { count: 600 })

describe('the simulated world', () => {
  it('repeats exactly by seed, for our own scheduler too', () => {
    const run = (seed: number) => {
      const world = buildWorld(scenarioOf('incidents'), small(seed), {}, seed)
      const tally = simulate(world, policyOf('ours'), seed)
      return { ttft: [...tally.ttftMs], who: [...tally.supplier], usage: [...tally.usagePico], events: tally.events }
    }
    expect(run(1)).toEqual(run(1))
    expect(run(1).who).not.toEqual(run(2).who)
  })

  it('lets no request vanish, and pays for every token once', () => {
    for (const name of ['ours', 'p2c', 'round-robin', 'price']) {
      const workload = small(3)
      const tally = simulate(buildWorld(scenarioOf('incidents'), workload, {}, 3), policyOf(name), 3)
      expect(tally.fate.every((fate) => fate > 0)).toBe(true)
      const served = [...tally.fate.keys()].filter((i) => tally.fate[i] === 1)
      const tokens = served.reduce((sum, i) => sum + workload.inputTokens[i]! + workload.outputTokens[i]!, 0)
      const delivered = tally.delivered.reduce((sum, each) => sum + each, 0)
      // What was cut was delivered in part.
      expect(delivered).toBeGreaterThanOrEqual(tokens)
      expect(goodOf(tally).reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(served.length)
    }
  })

  it('has our scheduler serve at less cost than rules that do not know prices, at the same quality', () => {
    const { rows } = compare({
      scenario: scenarioOf('calm'),
      workloadOf: (seed) => synthetic(seed, { count: 1_500 }),
      shape: {},
      policies: ['ours', 'p2c', 'round-robin'].map(policyOf),
      seeds: 3,
    })
    const [ours, ...others] = rows.map(({ runs }) => ({
      cost: runs.reduce((sum, run) => sum + run.costPerMillion, 0) / 3,
      good: runs.reduce((sum, run) => sum + run.goodput, 0) / 3,
    }))
    for (const other of others) {
      expect(ours!.cost).toBeLessThan(0.8 * other.cost)
      expect(ours!.good).toBeGreaterThan(other.good - 0.005)
    }
  })
})
