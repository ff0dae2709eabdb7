import type { MarketShape } from './default-market.ts'
import { measure } from './measures.ts'
import type { Measures } from './measures.ts'
import type { PolicyKind } from './policy.ts'
import { buildWorld } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'
import { estimate } from './statistics.ts'
import type { Estimate } from './statistics.ts'
import { COLUMNS } from './table.ts'
import type { Tally } from './tally.ts'
import type { Workload } from './workload.ts'
import { simulate } from './world.ts'

/** Several policies under the same demand, suppliers, incidents and luck, over several seeds. */
export interface Comparison {
  readonly scenario: string
  readonly workload: string
  readonly rows: readonly ComparisonRow[]
}

export interface ComparisonRow {
  readonly policy: { readonly name: string; readonly title: string }
  /** One per seed. */
  readonly runs: readonly Measures[]
  /** One per column of the table. */
  readonly estimates: readonly Estimate[]
}

export interface ComparisonPlan {
  readonly scenario: Scenario
  /** The demand of a seed: a trace is always the same, a synthetic one is not. */
  readonly workloadOf: (seed: number) => Workload
  readonly shape: MarketShape
  readonly policies: readonly PolicyKind[]
  readonly seeds: number
  readonly observe?: (policy: PolicyKind, seed: number, tally: Tally) => void
}

export function compare({ scenario, workloadOf, shape, policies, seeds, observe }: ComparisonPlan): Comparison {
  const runs = policies.map((): Measures[] => [])
  for (let seed = 1; seed <= seeds; seed++) {
    const world = buildWorld(scenario, workloadOf(seed), shape, seed)
    policies.forEach((policy, i) => {
      const tally = simulate(world, policy, seed)
      observe?.(policy, seed, tally)
      runs[i]!.push(measure(tally))
    })
  }
  return {
    scenario: scenario.name,
    workload: workloadOf(1).name,
    rows: policies.map(({ name, title }, i) => ({
      policy: { name, title },
      runs: runs[i]!,
      estimates: COLUMNS.map((column) => estimate(runs[i]!.map((run) => column.of(run)))),
    })),
  }
}
