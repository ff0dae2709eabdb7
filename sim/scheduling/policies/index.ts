import type { PolicyKind } from '../policy.ts'
import { hcl } from './hcl.ts'
import { nearest, shareRule } from './market-rules.ts'
import { ours } from './ours.ts'
import { p2c } from './p2c.ts'
import { cacheAware, chwbl, dynamo, hashed, llmD } from './prefix.ts'
import { leastInFlight, lowestLatency, priceWeighted, random, roundRobin } from './simple.ts'

const POLICIES: readonly PolicyKind[] = [
  ours('ours', 'ours'),
  ours('ours-no-contracts', 'ours without contracts', { commitments: true }),
  ours('ours-no-affinity', 'ours without affinity', { affinity: true }),
  ours('ours-effect', 'ours, effect first', { strategy: 'effect' }),
  ours('ours-cost', 'ours, cost first', { strategy: 'cost' }),
  random,
  roundRobin,
  priceWeighted,
  shareRule,
  lowestLatency,
  leastInFlight,
  p2c,
  hcl('hcl', 'HCL, raw', { normalised: false }),
  hcl('hcl-normalised', 'HCL, by limit', { normalised: true }),
  hashed,
  chwbl,
  cacheAware,
  llmD,
  dynamo,
  nearest,
]

export const POLICY_NAMES: readonly string[] = POLICIES.map(({ name }) => name)

export function policyOf(name: string): PolicyKind {
  const found = POLICIES.find((each) => each.name === name)
  if (!found) throw new Error(`no policy ${name}; there are ${POLICY_NAMES.join(', ')}`)
  return found
}
