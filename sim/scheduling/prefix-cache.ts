/** An engine's cache of prompt blocks, least recently used out first. Blocks are numbered over the whole prompt before them. */
export interface PrefixCache {
  /** How many of the leading blocks are there; looking does not refresh them. */
  leading(blocks: ArrayLike<number>): number
  keep(blocks: ArrayLike<number>): void
  clear(): void
}

export function createPrefixCache(mostBlocks: number): PrefixCache {
  // A Map remembers the order in which keys were put in.
  const kept = new Map<number, true>()
  return {
    leading(blocks) {
      let found = 0
      while (found < blocks.length && kept.has(blocks[found]!)) found++
      return found
    },
    keep(blocks) {
      // From the last to the first, so that a prefix outlives what hangs on it.
      for (let i = blocks.length - 1; i >= 0; i--) {
        const block = blocks[i]!
        kept.delete(block)
        kept.set(block, true)
      }
      while (kept.size > mostBlocks) kept.delete(kept.keys().next().value!)
    },
    clear: () => kept.clear(),
  }
}
