import type { LivePoint } from '#contract'
import { NO_TOKENS, TOKEN_CLASSES, totalTokens } from '#kernel'
import type { TokenCounts } from '#kernel'
import { sumPico } from '../../kit/format.ts'

export interface LiveTotals {
  readonly requests: number
  readonly failed: number
  readonly tokens: TokenCounts
  readonly allTokens: number
  readonly sellPico: bigint
  /** The newest minute that has a latency. Percentiles of minutes cannot be combined, so none are made up for the window. */
  readonly latest: LivePoint | undefined
}

export function liveTotals(points: readonly LivePoint[]): LiveTotals {
  const tokens = addTokens(points.map((point) => point.tokens))
  return {
    requests: sum(points.map((point) => point.requests)),
    failed: sum(points.map((point) => point.failed)),
    tokens,
    allTokens: totalTokens(tokens),
    sellPico: sumPico(points.map((point) => point.sellPico)),
    latest: points.findLast((point) => point.ttftMsP50 !== null || point.outputTokensPerSecond !== null),
  }
}

export function addTokens(counts: readonly TokenCounts[]): TokenCounts {
  const total = { ...NO_TOKENS }
  for (const count of counts) for (const name of TOKEN_CLASSES) total[name] += count[name]
  return total
}

/** Everything on the way in, and everything on the way out. */
export function inputAndOutput(tokens: TokenCounts): { readonly input: number; readonly output: number } {
  return {
    input: tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite,
    output: tokens.output + tokens.reasoning,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
