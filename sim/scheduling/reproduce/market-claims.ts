import { join } from 'node:path'
import { compare } from '../comparison.ts'
import { ours } from '../policies/ours.ts'
import { policyOf } from '../policies/index.ts'
import { phased, threeRegions } from '../regions.ts'
import { scenarioOf } from '../scenarios.ts'
import { estimate } from '../statistics.ts'
import { synthetic } from '../synthetic.ts'
import { readTrace } from '../traces.ts'
import { faster } from '../workload.ts'
import { warped } from '../warp.ts'
import { percent } from './claim.ts'
import type { Claim } from './claim.ts'
import { run } from './replicas.ts'

const AZURE = 'AzureLLMInferenceTrace_conv.csv'

export const contractsClaim: Claim = {
  row: 13,
  title: 'Shadow prices for take-or-pay beside spot (freight, arXiv 2603.24574, ≈ 10 %)',
  passIf: 'at least 5 % less cost than the same scheduler without them, attainment within 0.5 points',
  check(traces) {
    const workload = faster(readTrace(join(traces, AZURE)), 3)
    const { rows } = compare({
      scenario: scenarioOf('calm'),
      workloadOf: () => workload,
      shape: {},
      policies: [policyOf('ours'), policyOf('ours-no-contracts')],
      seeds: 3,
    })
    const [steered, greedy] = rows.map(({ runs }) => ({
      cost: estimate(runs.map(({ costPerMillion }) => costPerMillion)).mean,
      good: estimate(runs.map(({ goodput }) => goodput)).mean,
    }))
    const saved = 1 - steered!.cost / greedy!.cost
    const found = `${percent(saved)} less (${steered!.cost.toFixed(3)} against ${greedy!.cost.toFixed(3)} ¥/M), in time ${percent(steered!.good)} against ${percent(greedy!.good)}`
    return { passed: saved >= 0.05 && steered!.good >= greedy!.good - 0.005, found }
  },
}

export const shareRuleClaim: Claim = {
  row: 15,
  title: 'OpenRouter: shares by adjusted price and speed against weights of 1/price²',
  passIf: 'more in time, at no more than 10 % more cost',
  check(traces) {
    const workload = faster(readTrace(join(traces, AZURE)), 3)
    const { rows } = compare({
      scenario: scenarioOf('incidents'),
      workloadOf: () => workload,
      shape: { takeOrPay: {} },
      policies: [policyOf('share-rule'), policyOf('price')],
      seeds: 3,
    })
    const [shares, squares] = rows.map(({ runs }) => ({
      cost: estimate(runs.map(({ costPerMillion }) => costPerMillion)).mean,
      good: estimate(runs.map(({ goodput }) => goodput)).mean,
    }))
    const dearer = shares!.cost / squares!.cost - 1
    return {
      passed: shares!.good > squares!.good && dearer <= 0.1,
      found: `in time ${percent(shares!.good)} against ${percent(squares!.good)}, cost ${dearer > 0 ? '+' : ''}${percent(dearer)}`,
    }
  },
}

const GOOD = 0.99

export const regionsClaim: Claim = {
  row: 12,
  title: 'SkyWalker: three regions whose peaks differ need less reserved capacity together (− 25 %)',
  passIf: 'at least 20 % less capacity than nearest-only, both with 99 % in time',
  check() {
    const workload = phased(
      warped(synthetic(1, { count: 6_000, perSecond: 12 }), () => 1),
      3,
    )
    const { market } = threeRegions(workload, {})
    const inTime = (scale: number, name: 'ours' | 'nearest'): number => {
      const suppliers = market.suppliers.map((each) => ({
        ...each,
        prefillTokensPerSecond: scale * each.prefillTokensPerSecond,
        deltaMs: each.deltaMs / scale,
      }))
      const kind = name === 'ours' ? ours('ours', 'ours', { strategy: 'effect' }) : policyOf('nearest')
      return run(workload, { ...market, suppliers }, kind).measures.goodput
    }
    const needed = (name: 'ours' | 'nearest'): number => {
      let [low, high] = [0.2, 4]
      for (let step = 0; step < 7; step++) {
        const middle = (low + high) / 2
        if (inTime(middle, name) >= GOOD) high = middle
        else low = middle
      }
      return high
    }
    const [joint, near] = [needed('ours'), needed('nearest')]
    const saved = 1 - joint / near
    return {
      passed: saved >= 0.2,
      found: `${percent(saved)} less (${joint.toFixed(2)} against ${near.toFixed(2)} times)`,
    }
  },
}
