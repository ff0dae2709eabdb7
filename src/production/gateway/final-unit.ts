/** An answer shorter than this is not worth asking for: who cannot pay for so much of each choice is refused. */
export const LEAST_OUTPUT_TOKENS = 256

/**
 * The last unit that an account can afford (RFC 8506 §5.6): where it does not cover all that a request may use, the answer may be shorter.
 * Output counts over all choices together.
 */
export interface FinalUnit {
  readonly least: number
  /** Choices: each has the same cap. */
  readonly step: number
  readonly most: number
  /** What money must be held for an answer of at most so much. Never less for more. */
  readonly costOf: (outputBound: number) => bigint
}

/**
 * Whether a request's answer may be made shorter to be affordable: where its client has said so, or has named no number of its own and
 * not said that it wants all that it may have.
 */
export function finalUnitOf(
  request: { readonly maxOutputTokens: number | undefined; readonly choices: number },
  outputCap: number,
  wish: 'affordable' | 'exact' | undefined,
  costOf: FinalUnit['costOf'],
): FinalUnit | undefined {
  const isWanted = wish === undefined ? request.maxOutputTokens === undefined : wish === 'affordable'
  if (!isWanted || outputCap <= LEAST_OUTPUT_TOKENS) return undefined
  const { choices: step } = request
  return { least: LEAST_OUTPUT_TOKENS * step, step, most: outputCap * step, costOf }
}

/** The longest answer that costs no more than this; undefined below the least. */
export function affordable(
  { least, step, most }: Pick<FinalUnit, 'least' | 'step' | 'most'>,
  budget: bigint,
  costOf: FinalUnit['costOf'],
): number | undefined {
  if (costOf(least) > budget) return undefined
  let [fits, tooMuch] = [least / step, most / step + 1]
  while (tooMuch - fits > 1) {
    const middle = Math.floor((fits + tooMuch) / 2)
    if (costOf(middle * step) <= budget) fits = middle
    else tooMuch = middle
  }
  return fits * step
}
