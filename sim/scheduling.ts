/**
 * Scheduling policies against simulated suppliers: `npm run sim -- [--trace file] [--policy ours,p2c,round-robin] [--seeds 3]
 * [--scenario calm] [--speed 3] [--requests n]`.
 */
import { parseArgs } from 'node:util'
import { compare } from './scheduling/comparison.ts'
import { policyOf } from './scheduling/policies/index.ts'
import { scenarioOf } from './scheduling/scenarios.ts'
import { synthetic } from './scheduling/synthetic.ts'
import { differences, table } from './scheduling/table.ts'
import { readTrace } from './scheduling/traces.ts'
import { faster } from './scheduling/workload.ts'

const { values } = parseArgs({
  options: {
    trace: { type: 'string' },
    policy: { type: 'string', default: 'ours,p2c,round-robin,price' },
    scenario: { type: 'string', default: 'calm,incidents' },
    seeds: { type: 'string', default: '3' },
    speed: { type: 'string', default: '1' },
    requests: { type: 'string' },
    prefill: { type: 'string', default: '1' },
    ttft: { type: 'string', default: '2000' },
    tpot: { type: 'string', default: '50' },
    attainment: { type: 'string', default: '0.99' },
  },
})

const speed = Number(values.speed)
const most = values.requests === undefined ? undefined : Number(values.requests)
const trace = values.trace === undefined ? undefined : faster(readTrace(values.trace, most), speed)
const workloadOf = (seed: number) => trace ?? faster(synthetic(seed, { count: most ?? 2_000 }), speed)

for (const name of values.scenario.split(',')) {
  const scenario = scenarioOf(name)
  const comparison = compare({
    scenario,
    workloadOf,
    shape: {
      prefill: Number(values.prefill),
      ttftMs: Number(values.ttft),
      tpotMs: Number(values.tpot),
      attainment: Number(values.attainment),
    },
    policies: values.policy.split(',').map(policyOf),
    seeds: Number(values.seeds),
  })
  console.log(
    `\n${comparison.workload}, ${scenario.title}, ${values.seeds} seeds\n${table(comparison)}\n${differences(comparison)}`,
  )
}
