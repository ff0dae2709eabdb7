/**
 * Two tests of a supplier's token counts that may be looked at after every request, for ever. Each keeps the wealth of a bet
 * against honesty: if the supplier is honest, wealth reaches `FLAG_AT` with a probability of at most 1 in `FLAG_AT` over the
 * whole future (Ville's inequality). Wealth is kept as natural logarithms. These are statistics and no money.
 */
export const FLAG_AT = 1000
/** Deviations beyond this part of our count are taken as this much. */
export const CLIP = 0.5
/** How boldly each bet is placed; the wealth of the test is their mean. */
export const BETS: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4]
/** Multiples of the honest share of requests beyond tolerance that the other test bets on: at the usual share, up to every fifth. */
export const MULTIPLES: readonly number[] = [2, 4, 10, 20, 40]

const MOST_SHARE = 0.9

export const STARTING_WEALTH: readonly number[] = BETS.map(() => 0)
export const STARTING_EXCESS_WEALTH: readonly number[] = MULTIPLES.map(() => 0)

/** By how much a claim is above our count, as a part of it. `fixedTokens`: what the supplier adds to every request, such as an end marker. */
export function deviationOf({
  reported,
  counted,
  fixedTokens,
}: {
  readonly reported: number
  readonly counted: number
  readonly fixedTokens: number
}): number {
  const part = (reported - counted - fixedTokens) / Math.max(counted, 1)
  return Math.min(CLIP, Math.max(-CLIP, part))
}

/** Mean inflation: `E = mean_j Π (1 + λ_j (x − τ) / B)`. `tau`: the mean deviation that counts as honest. */
export function betOnMean(wealth: readonly number[], deviation: number, tau: number): number[] {
  return BETS.map((bet, at) => (wealth[at] ?? 0) + Math.log1p((bet * (deviation - tau)) / CLIP))
}

/**
 * Few, large excesses, which a mean over many requests hides: `E = mean_k Π (p_k/p_0)^y ((1−p_k)/(1−p_0))^(1−y)`, where y says
 * whether a request was beyond its tolerance, and p_0 is the share of honest requests that are.
 */
export function betOnExcess(wealth: readonly number[], isExcess: boolean, honestShare: number): number[] {
  return MULTIPLES.map((multiple, at) => {
    const share = Math.min(MOST_SHARE, honestShare * multiple)
    const factor = isExcess ? share / honestShare : (1 - share) / (1 - honestShare)
    return (wealth[at] ?? 0) + Math.log(factor)
  })
}

/** The logarithm of the mean of what each bet has become. */
export function logWealth(wealth: readonly number[]): number {
  const most = Math.max(...wealth)
  return most + Math.log(wealth.reduce((sum, each) => sum + Math.exp(each - most), 0) / wealth.length)
}

export const isFlagged = (wealth: readonly number[]): boolean => logWealth(wealth) >= Math.log(FLAG_AT)
