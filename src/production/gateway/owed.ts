import type { Attempt, AttemptOutcome } from '#contract'
import { NO_TOKENS, ZERO, rate, totalTokens } from '#kernel'
import type { Pico, TokenCounts } from '#kernel'
import { readUsage } from '#metering'
import type { Settlement } from '#metering'
import type { Flight, RunningAttempt } from './flight.ts'
import { pricesOf } from './pricing.ts'
import { countText, recountOf, textOf } from './recount.ts'

/**
 * Notes what we owe for an attempt that the record's own tokens do not tell: a lost race cost its prompt, a part of an answer what
 * was generated until it broke, a continuation also the words that it was given to go on from.
 */
export function owe(flight: Flight, attempt: RunningAttempt, ended: Attempt): void {
  const { resume, buySheet, usage } = attempt
  const { tokenizer } = flight.service
  const isAnswering = attempt.firstTokenMs !== undefined
  flight.owed ??= []
  flight.owed.push({
    attempt: ended,
    run: attempt.run,
    buySheet,
    isFree: !isAnswering && ended.outcome !== 'lost_race',
    extraInputTokens: resume?.mode === 'prefill' ? countText(tokenizer, resume.sent) : 0,
    outputTokens: isAnswering ? countText(tokenizer, resume ? attempt.generated : textOf(flight)) : 0,
    usage,
  })
}

/** Whether an attempt that ended so is owed for something else than the record's tokens. */
export function isOwedApart({ resume }: RunningAttempt, outcome: AttemptOutcome): boolean {
  if (outcome === 'lost_race') return true
  // An answer that was generated anew, whole, is what the record tells.
  return resume !== undefined && !(resume.mode === 'again' && outcome === 'served')
}

/** Writes what is owed into the attempts, and gives back what the last of them costs, if that is not what the record's tokens cost. */
export function settleOwed(flight: Flight, settlement: Settlement): Pico | undefined {
  if (!flight.owed) return undefined
  const moment = { tier: flight.tier, atMs: flight.acceptedAtMs }
  const ownInput = inputOf(settlement.tokens) || (recountOf(flight).input ?? 0)
  let last: Pico | undefined
  for (const { attempt, buySheet, isFree, extraInputTokens, outputTokens, usage } of flight.owed) {
    const reported = usage === undefined ? undefined : readUsage(usage)
    const tokens: TokenCounts = isFree
      ? NO_TOKENS
      : reported?.ok
        ? reported.tokens
        : { ...NO_TOKENS, uncachedInput: ownInput + extraInputTokens, output: outputTokens }
    const cost = totalTokens(tokens) === 0 ? ZERO : rate(tokens, pricesOf(buySheet, moment, inputOf(tokens)))
    attempt.tokens = { ...tokens }
    if (attempt === flight.attempts.at(-1)) last = cost
    else {
      attempt.buyPico = cost.toString()
      attempt.buySheet = buySheet.id
    }
  }
  return last
}

function inputOf({ uncachedInput, cacheWrite, cacheRead }: TokenCounts): number {
  return uncachedInput + cacheWrite + cacheRead
}
