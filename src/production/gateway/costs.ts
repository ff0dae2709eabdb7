import type { TokenPrices } from '#kernel'
import type { Endpoint, TokenCosts } from '#scheduler'
import { pricesOf, sheetAt } from './pricing.ts'
import type { Sheet } from './pricing.ts'

const asNumbers = new WeakMap<TokenPrices, TokenCosts>()

/** What the scheduler weighs a deployment by: its price sheets as numbers, read once per sheet and variant. */
export function costsOf(sheets: readonly Sheet[]): Endpoint['costsAt'] {
  return (atMs, tier, inputTokens) => {
    const sheet = sheetAt(sheets, atMs)
    return sheet && numbersOf(pricesOf(sheet, { tier, atMs }, inputTokens))
  }
}

function numbersOf(prices: TokenPrices): TokenCosts {
  const known = asNumbers.get(prices)
  if (known) return known
  const made = {
    input: Number(prices.uncachedInput),
    cachedInput: Number(prices.cacheRead),
    output: Number(prices.output),
  }
  asNumbers.set(prices, made)
  return made
}
