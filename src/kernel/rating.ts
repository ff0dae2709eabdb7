import { pico } from './money.ts'
import type { Pico } from './money.ts'
import { TOKEN_CLASSES } from './tokens.ts'
import type { TokenClass, TokenCounts } from './tokens.ts'

/** Pico per token, for every class: a class without a price cannot be rated, so there is no implicit zero. */
export type TokenPrices = Readonly<Record<TokenClass, Pico>>

/** Reads the decimal strings of a price sheet once, so that rating a request parses nothing. Throws `RangeError` on a negative or inexact price. */
export function parseTokenPrices(prices: Readonly<Record<TokenClass, string>>): TokenPrices {
  const price = (name: TokenClass): Pico => {
    const text = prices[name]
    if (!/^\d{1,38}$/.test(text))
      throw new RangeError(`price of ${name} is not a whole number of pico: ${text.slice(0, 40)}`)
    return pico(BigInt(text))
  }
  return {
    uncachedInput: price('uncachedInput'),
    cacheWrite: price('cacheWrite'),
    cacheRead: price('cacheRead'),
    output: price('output'),
    reasoning: price('reasoning'),
  }
}

/** Tokens × price, summed over the classes. Exact: integers only, nothing rounds, so batching and order cannot change a total. */
export function rate(tokens: TokenCounts, prices: TokenPrices): Pico {
  let sum = 0n
  for (const name of TOKEN_CLASSES) {
    const count = tokens[name]
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`token count of ${name}: ${count}`)
    // Most classes of most requests are empty, and a multiplication of bigints allocates.
    if (count > 0) sum += BigInt(count) * prices[name]
  }
  return pico(sum)
}

/**
 * The most that a request with at most this many input and output tokens can cost, however a supplier splits them into
 * classes: every input token at the dearest input price, every output token at the dearest output price.
 */
export function upperBound(
  { inputTokens, outputTokens }: { inputTokens: number; outputTokens: number },
  prices: TokenPrices,
): Pico {
  const dearestInput = dearest(prices.uncachedInput, prices.cacheWrite, prices.cacheRead)
  const dearestOutput = dearest(prices.output, prices.reasoning)
  return pico(BigInt(Math.ceil(inputTokens)) * dearestInput + BigInt(Math.ceil(outputTokens)) * dearestOutput)
}

function dearest(...prices: readonly bigint[]): bigint {
  return prices.reduce((most, price) => (price > most ? price : most), 0n)
}
