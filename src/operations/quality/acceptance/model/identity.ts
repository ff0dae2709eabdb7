/** What a model says first to each of a fixed set of questions, at temperature 0, asked several times. */
export type FirstWords = Readonly<Record<string, readonly string[]>>

/** A chance of one in a thousand that the same model is taken for another. */
export const IDENTITY_ALPHA = 0.001
const PERMUTATIONS = 2000

export interface IdentityResult {
  /** How differently two sets of answers are distributed, from 0 (the same) to 1; the mean over questions. */
  readonly distance: number
  /** How often chance alone makes as large a distance. */
  readonly pValue: number
  readonly isSame: boolean
}

/**
 * Whether two samples of first words can come from one model: the mean total variation distance over questions, held against
 * that of `PERMUTATIONS` random divisions of the same answers (a permutation test, which needs no assumption about the model but that
 * answers to a question are exchangeable). `next` gives numbers in [0, 1).
 *
 * It notices another model or heavy quantisation where greedy answers change; it does not notice a change that leaves the first words of
 * these questions alone, and a supplier that recognises the questions can answer them from elsewhere.
 */
export function compareIdentity(before: FirstWords, now: FirstWords, next: () => number): IdentityResult {
  const questions = Object.keys(before).filter(
    (each) => (now[each]?.length ?? 0) > 0 && (before[each]?.length ?? 0) > 0,
  )
  const pairs = questions.map((each) => ({ before: before[each] ?? [], now: now[each] ?? [] }))
  if (pairs.length === 0) return { distance: 1, pValue: 0, isSame: false }
  const distance = mean(pairs.map((pair) => variationDistance(pair.before, pair.now)))
  let asFar = 0
  for (let round = 0; round < PERMUTATIONS; round++) {
    const shuffled = pairs.map((pair) => {
      const all = shuffle([...pair.before, ...pair.now], next)
      return variationDistance(all.slice(0, pair.before.length), all.slice(pair.before.length))
    })
    if (mean(shuffled) >= distance - 1e-12) asFar += 1
  }
  const pValue = (asFar + 1) / (PERMUTATIONS + 1)
  return { distance, pValue, isSame: pValue >= IDENTITY_ALPHA }
}

function variationDistance(a: readonly string[], b: readonly string[]): number {
  const share = (list: readonly string[], word: string) => list.filter((each) => each === word).length / list.length
  const words = new Set([...a, ...b])
  return [...words].reduce((sum, word) => sum + Math.abs(share(a, word) - share(b, word)), 0) / 2
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length

/** Fisher and Yates. */
function shuffle(list: string[], next: () => number): string[] {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1))
    const [a, b] = [list[at] ?? '', list[other] ?? '']
    list[at] = b
    list[other] = a
  }
  return list
}
