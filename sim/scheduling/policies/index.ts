import type { PolicyKind } from '../policy.ts'
import { ours } from './ours.ts'
import { p2c } from './p2c.ts'
import { leastInFlight, lowestLatency, priceWeighted, random, roundRobin } from './simple.ts'

export const POLICIES: readonly PolicyKind[] = [
  ours('ours', 'ours'),
  ours('ours-no-contracts', 'ours without contracts', { commitments: true }),
  ours('ours-no-affinity', 'ours without affinity', { affinity: true }),
  ours('ours-effect', 'ours, effect first', { strategy: 'effect' }),
  ours('ours-cost', 'ours, cost first', { strategy: 'cost' }),
  random,
  roundRobin,
  priceWeighted,
  lowestLatency,
  leastInFlight,
  p2c,
]

export function policyOf(name: string): PolicyKind {
  const found = POLICIES.find((each) => each.name === name)
  if (!found) throw new Error(`no policy ${name}; there are ${POLICIES.map((each) => each.name).join(', ')}`)
  return found
}
