/**
 * Scheduling policies against simulated suppliers: `npm run sim -- [--trace file] [--policy ours,p2c,round-robin,price] [--seeds 3]
 * [--scenario calm,incidents] [--speed 1] [--requests n] [--prefill 1] [--ttft 2000] [--tpot 50] [--attainment 0.99]
 * [--json file] [--html file]`.
 *
 * `npm run sim -- --reproduce [--rows 1,5] [--traces ../shared/traces]`: peers' published results, each with its verdict; ends with 1
 * if one of them does not come out.
 */
import { writeFileSync } from 'node:fs'
import { basename, isAbsolute } from 'node:path'
import { parseArgs } from 'node:util'
import { compare } from './scheduling/comparison.ts'
import type { Comparison } from './scheduling/comparison.ts'
import { policyOf } from './scheduling/policies/index.ts'
import { CLAIMS } from './scheduling/reproduce/index.ts'
import { reportHtml } from './scheduling/report-html.ts'
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
    reproduce: { type: 'boolean', default: false },
    rows: { type: 'string' },
    json: { type: 'string' },
    html: { type: 'string' },
    traces: { type: 'string', default: '../shared/traces' },
  },
})

function reproduce(): void {
  const rows = values.rows?.split(',').map(Number)
  const claims = CLAIMS.filter(({ row }) => rows === undefined || rows.includes(row))
  let passed = 0
  for (const claim of claims) {
    const finding = claim.check(values.traces)
    if (finding.passed) passed++
    console.log(`${finding.passed ? 'pass' : 'FAIL'}  ${claim.row}. ${claim.title}`)
    console.log(`      wanted: ${claim.passIf}\n      found:  ${finding.found}`)
  }
  console.log(`${passed} of ${claims.length} reproduced`)
  if (passed < claims.length) process.exitCode = 1
}

/** As it was asked for; where files lie is nobody's business. */
const command = `npm run sim -- ${process.argv
  .slice(2)
  .map((word) => (isAbsolute(word) ? basename(word) : word))
  .join(' ')}`

function compareAll(): void {
  const speed = Number(values.speed)
  const most = values.requests === undefined ? undefined : Number(values.requests)
  const trace = values.trace === undefined ? undefined : faster(readTrace(values.trace, most), speed)
  const workloadOf = (seed: number) => trace ?? faster(synthetic(seed, { count: most ?? 2_000 }), speed)
  const shape = {
    prefill: Number(values.prefill),
    ttftMs: Number(values.ttft),
    tpotMs: Number(values.tpot),
    attainment: Number(values.attainment),
  }
  const comparisons: Comparison[] = []
  for (const name of values.scenario.split(',')) {
    const scenario = scenarioOf(name)
    const policies = values.policy.split(',').map(policyOf)
    const comparison = compare({ scenario, workloadOf, shape, policies, seeds: Number(values.seeds) })
    comparisons.push(comparison)
    console.log(`\n${comparison.workload}, ${scenario.title}, ${values.seeds} seeds`)
    console.log(`${table(comparison)}\n${differences(comparison)}`)
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(comparisons, undefined, 1))
  if (values.html !== undefined) writeFileSync(values.html, reportHtml(comparisons, command))
}

if (values.reproduce) reproduce()
else compareAll()
