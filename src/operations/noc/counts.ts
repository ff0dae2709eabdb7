import type { ServiceTier, Strategy } from '#contract'

/** What was counted of one kind of traffic, in a span of time. */
export interface Counts {
  readonly requests: number
  readonly shed: number
  readonly valid: number
  readonly good: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly durationMs: number
}

/** Traffic of one kind: what was turned away has no supplier. */
export interface Kind {
  readonly service: string
  readonly tier: ServiceTier
  readonly supplier: string | null
  readonly strategy: Strategy | null
  readonly regions: readonly string[] | null
}

export const NOTHING: Counts = {
  requests: 0,
  shed: 0,
  valid: 0,
  good: 0,
  inputTokens: 0,
  outputTokens: 0,
  durationMs: 0,
}

export function keyOf({ service, tier, supplier, strategy, regions }: Kind): string {
  return [service, tier, supplier ?? '', strategy ?? '', regions?.join() ?? '*'].join(' ')
}

export function plus(a: Counts, b: Counts, sign: 1 | -1 = 1): Counts {
  return {
    requests: a.requests + sign * b.requests,
    shed: a.shed + sign * b.shed,
    valid: a.valid + sign * b.valid,
    good: a.good + sign * b.good,
    inputTokens: a.inputTokens + sign * b.inputTokens,
    outputTokens: a.outputTokens + sign * b.outputTokens,
    durationMs: a.durationMs + sign * b.durationMs,
  }
}

export function sum(all: Iterable<Counts>): Counts {
  let total = NOTHING
  for (const one of all) total = plus(total, one)
  return total
}
