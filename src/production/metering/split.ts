import { NO_TOKENS, TOKEN_CLASSES, rate } from '#kernel'
import type { TokenClass, TokenCounts, TokenPrices } from '#kernel'

/** What was set aside for a request beside the wallet, in the order in which it is used up. */
export type MeansHold =
  | {
      readonly kind: 'units'
      readonly held: bigint
      /** Millionths of the table's unit per token. */
      readonly weights: TokenPrices
      /** The classes of tokens that this pays for. */
      readonly classes: readonly TokenClass[]
    }
  | { readonly kind: 'money'; readonly held: bigint }

/** What a request used of one of its holds; `covered` are the tokens that units paid for. */
export interface Share {
  readonly amount: bigint
  readonly covered: TokenCounts | null
}

export interface Split {
  /** In the order of the holds. */
  readonly shares: readonly Share[]
  /** What the wallet pays. */
  readonly rest: bigint
}

/**
 * Who pays for which tokens. Units cover whole tokens in the order of the classes until they are used up; so does a reservation of
 * money at the sell price, and what it has left over goes towards the tokens that nobody covered. Always within what was held:
 * each share within its hold, and the rest within the price of the tokens less the money held.
 */
export function split(tokens: TokenCounts, prices: TokenPrices, holds: readonly MeansHold[]): Split {
  /** Neither covered by units nor paid by money yet. */
  let open = tokens
  let uncovered = tokens
  const coveredBy = holds.map((hold) => {
    const isUnits = hold.kind === 'units'
    const covered = cover(open, hold.held, isUnits ? hold.weights : prices, isUnits ? hold.classes : TOKEN_CLASSES)
    open = minus(open, covered)
    if (!isUnits) return null
    uncovered = minus(uncovered, covered)
    return covered
  })
  let rest: bigint = rate(uncovered, prices)
  const shares = holds.map((hold, i): Share => {
    const covered = coveredBy[i] ?? null
    if (hold.kind === 'units' && covered) return { amount: rate(covered, hold.weights), covered }
    const amount = hold.held < rest ? hold.held : rest
    rest -= amount
    return { amount, covered: null }
  })
  return { shares, rest }
}

/** The tokens that `held` pays for; of the class in which it runs out, as many as it can. */
function cover(tokens: TokenCounts, held: bigint, weights: TokenPrices, classes: readonly TokenClass[]): TokenCounts {
  const covered = { ...NO_TOKENS }
  let left = held
  for (const name of TOKEN_CLASSES) {
    const count = tokens[name]
    if (count === 0 || !classes.includes(name)) continue
    const weight = weights[name]
    const payable = weight === 0n ? BigInt(count) : left / weight
    covered[name] = payable < BigInt(count) ? Number(payable) : count
    left -= BigInt(covered[name]) * weight
    if (covered[name] < count) break
  }
  return covered
}

function minus(a: TokenCounts, b: TokenCounts): TokenCounts {
  return {
    uncachedInput: a.uncachedInput - b.uncachedInput,
    cacheWrite: a.cacheWrite - b.cacheWrite,
    cacheRead: a.cacheRead - b.cacheRead,
    output: a.output - b.output,
    reasoning: a.reasoning - b.reasoning,
  }
}
