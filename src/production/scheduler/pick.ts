import type { Terms } from './score.ts'

/** So many are put in order and explained; the others follow as the file has them. No request tries more. */
export const ORDERED = 8

export function isBetter({ tier, rank }: Terms, a: number, b: number): boolean {
  const byTier = (tier[a] as number) - (tier[b] as number)
  return byTier < 0 || (byTier === 0 && (rank[a] as number) < (rank[b] as number))
}

/** Writes the best few, in order, into `best`; how many there are. */
export function pickBest(terms: Terms, eligible: Int32Array, count: number, best: Int32Array): number {
  let filled = 0
  for (let k = 0; k < count; k++) {
    const i = eligible[k] as number
    if (filled === ORDERED && !isBetter(terms, i, best[ORDERED - 1] as number)) continue
    let at = filled < ORDERED ? filled++ : ORDERED - 1
    for (; at > 0 && isBetter(terms, i, best[at - 1] as number); at--) best[at] = best[at - 1] as number
    best[at] = i
  }
  return filled
}

/** Moves the seat to the front; one that was not among the best takes the last one's place first. */
export function putFirst(best: Int32Array, ordered: number, first: number): void {
  let at = 0
  while (at < ordered - 1 && best[at] !== first) at++
  for (; at > 0; at--) best[at] = best[at - 1] as number
  best[0] = first
}
