import { exponential, gamma, normalFrom, stream } from './random.ts'
import { workloadOf } from './workload.ts'
import type { Row, Workload } from './workload.ts'

export interface SyntheticShape {
  readonly count?: number
  readonly perSecond?: number
  /** Of the times between arrivals; 1: Poisson. */
  readonly variation?: number
  readonly tenants?: number
  readonly meanInput?: number
  readonly meanOutput?: number
  /** Conversations whose requests begin with the same blocks; 0: none. */
  readonly conversations?: number
}

const SPREAD = 0.8

/** Lengths are lognormal, arrivals Poisson or burstier (gamma), tenants by Zipf's law. */
export function synthetic(seed: number, shape: SyntheticShape = {}): Workload {
  const { count = 2_000, perSecond = 16, variation = 1, tenants = 20, meanInput = 1_150, meanOutput = 210 } = shape
  const [gaps, sizes, who] = [stream(seed, 'arrivals'), stream(seed, 'sizes'), stream(seed, 'tenants')]
  const lognormal = (mean: number) =>
    Math.max(1, Math.round(mean * Math.exp(SPREAD * normalFrom(sizes(), sizes()) - SPREAD ** 2 / 2)))
  const meanGapMs = 1_000 / perSecond
  let atMs = 0
  const rows = Array.from({ length: count }, (): Row => {
    const shapeOfGaps = 1 / variation ** 2
    atMs += variation === 1 ? exponential(gaps, meanGapMs) : gamma(gaps, shapeOfGaps, meanGapMs / shapeOfGaps)
    const inputTokens = lognormal(meanInput)
    return {
      arrivalMs: atMs,
      inputTokens,
      outputTokens: lognormal(meanOutput),
      tenant: zipf(who(), tenants),
      ...(shape.conversations ? { blocks: conversation(who(), shape.conversations, inputTokens) } : {}),
    }
  })
  return workloadOf('synthetic', rows)
}

/** The k-th is asked for 1/k times as often as the first. */
export function zipf(uniform: number, many: number): number {
  let sum = 0
  for (let k = 1; k <= many; k++) sum += 1 / k
  let left = uniform * sum
  for (let k = 0; k < many; k++) {
    left -= 1 / (k + 1)
    if (left < 0) return k
  }
  return many - 1
}

function conversation(uniform: number, conversations: number, inputTokens: number): number[] {
  const which = zipf(uniform, conversations)
  return Array.from({ length: Math.floor(inputTokens / 512) }, (_, depth) => 1 + which * 1_000 + depth)
}
