/**
 * Token classes are disjoint: a token is counted in exactly one. `output` excludes `reasoning`, and `uncachedInput` excludes
 * what was read from or written to the supplier's cache, so the sum of the five is the supplier's total.
 */
export interface TokenCounts {
  readonly uncachedInput: number
  readonly cacheWrite: number
  readonly cacheRead: number
  readonly output: number
  readonly reasoning: number
}

export type TokenClass = keyof TokenCounts

export const TOKEN_CLASSES: readonly TokenClass[] = ['uncachedInput', 'cacheWrite', 'cacheRead', 'output', 'reasoning']

export const NO_TOKENS: TokenCounts = { uncachedInput: 0, cacheWrite: 0, cacheRead: 0, output: 0, reasoning: 0 }

/** No request of any model reaches this; a supplier that reports more is wrong. */
export const MAX_TOKENS_PER_CLASS = 100_000_000

export function totalTokens(counts: TokenCounts): number {
  return counts.uncachedInput + counts.cacheWrite + counts.cacheRead + counts.output + counts.reasoning
}
