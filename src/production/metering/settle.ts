import type { Ending, Recount, UsageRecord } from '#contract'
import { NO_TOKENS, ZERO, netOfTax, pico, rate, totalTokens } from '#kernel'
import type { Pico, TokenCounts, TokenPrices } from '#kernel'
import { split } from './split.ts'
import type { MeansHold, Share } from './split.ts'
import { readUsage } from './usage.ts'

/** What is known of a request when it has ended. */
export interface EndedRequest {
  readonly ending: Ending
  /** The supplier's usage object as parsed JSON, undefined when it sent none. */
  readonly usage: unknown
  /** Whether the supplier generated anything that we saw; without it a failed attempt cost nothing that we could know of. */
  readonly sawOutput: boolean
  /** Whether the answer has text, which no report of zero output can explain. Called only when needed. */
  readonly hasText: () => boolean
  /** Counts prompt and answer with our own tokenizer. Called only when needed, because it takes time. */
  readonly recount: () => Recount
  /** Asks for the recount even when the supplier's numbers are good: the sample that audits it. */
  readonly isSampled: boolean
  /** The most tokens that the hold covers. */
  readonly inputBound: number
  readonly outputBound: number
  /** The prices of a request with this many input tokens. */
  readonly sell: (inputTokens: number) => TokenPrices
  readonly taxPercent: number
  readonly buy: (inputTokens: number) => TokenPrices
  /** What is held beside the wallet, in the order in which it is used up. */
  readonly means: readonly MeansHold[]
}

export type Settlement = Pick<UsageRecord, 'reported' | 'counted' | 'tokens' | 'basis' | 'note'> & {
  /** What the wallet pays. */
  readonly sell: Pico
  readonly tax: Pico
  readonly buy: Pico
  /** What each of the means pays, in their order. */
  readonly shares: readonly Share[]
}

/**
 * Decides whose count is charged and what it costs. The supplier's numbers are used when they are there, consistent and within
 * what was held; else our own count, never above the hold. A request that we or the supplier failed costs the tenant nothing.
 */
export function settle(request: EndedRequest): Settlement {
  const usage = request.usage === undefined ? undefined : readUsage(request.usage)
  const reported = usage?.ok ? usage.tokens : null
  const doubt =
    usage && !usage.ok ? `supplier's usage is not usable: ${usage.reason}` : reported ? excess(reported, request) : null
  const paysTenant = request.ending === 'completed' || request.ending === 'client_closed'
  if (reported && !doubt) {
    const counted = request.isSampled ? request.recount() : null
    return {
      reported,
      counted,
      tokens: reported,
      basis: 'reported',
      note: usage?.ok ? usage.note : null,
      ...price(reported, request, paysTenant),
    }
  }
  if (request.ending !== 'completed' && !request.sawOutput)
    return {
      reported,
      counted: null,
      tokens: NO_TOKENS,
      basis: 'none',
      note: doubt,
      ...price(NO_TOKENS, request, false),
    }
  const counted = request.recount()
  const tokens = {
    ...NO_TOKENS,
    uncachedInput: Math.min(counted.input ?? request.inputBound, request.inputBound),
    output: Math.min(counted.output ?? 0, request.outputBound),
  }
  return { reported, counted, tokens, basis: 'counted', note: doubt, ...price(tokens, request, paysTenant) }
}

function excess(tokens: TokenCounts, { inputBound, outputBound, hasText }: EndedRequest): string | null {
  const input = tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite
  const output = tokens.output + tokens.reasoning
  if (input > inputBound) return `supplier reported ${input} input tokens, the request can have at most ${inputBound}`
  if (output > outputBound) return `supplier reported ${output} output tokens, the request allowed ${outputBound}`
  if (input === 0) return 'supplier reported no input tokens for a request that has messages'
  if (output === 0 && hasText()) return 'supplier reported no output tokens for an answer that has text'
  return null
}

function price(tokens: TokenCounts, { sell, taxPercent, buy, means }: EndedRequest, paysTenant: boolean) {
  const hasTokens = totalTokens(tokens) > 0
  const input = tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead
  const cost = hasTokens ? rate(tokens, buy(input)) : ZERO
  if (!hasTokens || !paysTenant) return { sell: ZERO, tax: ZERO, buy: cost, shares: means.map(nothingOf) }
  if (means.length === 0) return { ...taxed(rate(tokens, sell(input)), taxPercent), buy: cost, shares: NO_SHARES }
  const { shares, rest } = split(tokens, sell(input), means)
  return { ...taxed(pico(rest), taxPercent), buy: cost, shares }
}

function taxed(gross: Pico, taxPercent: number) {
  return { sell: gross, tax: pico(gross - netOfTax(gross, taxPercent)) }
}

const NO_SHARES: readonly Share[] = []

function nothingOf({ kind }: MeansHold): Share {
  return { amount: 0n, covered: kind === 'units' ? NO_TOKENS : null }
}
