/** Remembers what short words count. */
export interface WordCache {
  get(word: string): number | undefined
  set(word: string, count: number): void
}

/** Longer words are rare enough that remembering them only costs memory. */
const MAX_WORD_LENGTH = 48

/**
 * Holds at most twice `generationSize` words. Two generations instead of a list in order of use: a hit costs one look-up, and
 * a word that was used since the last turn survives it.
 */
export function createWordCache(generationSize = 32_768): WordCache {
  let young = new Map<string, number>()
  let old = new Map<string, number>()
  function set(word: string, count: number): void {
    if (word.length > MAX_WORD_LENGTH) return
    if (young.size >= generationSize) {
      old = young
      young = new Map()
    }
    young.set(word, count)
  }
  return {
    get(word) {
      const count = young.get(word)
      if (count !== undefined) return count
      const aged = old.get(word)
      if (aged !== undefined) set(word, aged)
      return aged
    },
    set,
  }
}
