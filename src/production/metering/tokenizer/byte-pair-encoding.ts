import { BYTE_LETTERS } from './byte-alphabet.ts'

/** Counts the tokens of one word under a byte-level BPE vocabulary. */
export type WordCounter = (word: string) => number

interface Merge {
  readonly rank: number
  readonly symbol: number
}

/** Symbols are numbered densely from 0; a pair of them is one exact number. */
const PAIR_BASE = 2 ** 24
/** Positions within a word stay below this, so that rank and position make one exact number that sorts like the pair. */
const POSITION_BASE = 2 ** 28
const NONE = -1

/**
 * `merges` are "left right" in order of rank. A merged symbol that is missing from the vocabulary falls back to one token
 * per byte, as every byte has a token in a byte-level vocabulary.
 */
export function createWordCounter({
  tokens,
  merges,
}: {
  tokens: readonly string[]
  merges: readonly string[]
}): WordCounter {
  const symbols = new Map<string, number>()
  const spelling: string[] = []
  function symbolOf(text: string): number {
    const known = symbols.get(text)
    if (known !== undefined) return known
    symbols.set(text, spelling.length)
    spelling.push(text)
    return spelling.length - 1
  }
  const symbolOfByte = Int32Array.from(BYTE_LETTERS, symbolOf)
  const mergeOfPair = new Map<number, Merge>()
  merges.forEach((line, rank) => {
    const gap = line.indexOf(' ', 1)
    if (gap < 1) return
    const left = line.slice(0, gap)
    const right = line.slice(gap + 1)
    const pair = symbolOf(left) * PAIR_BASE + symbolOf(right)
    if (!mergeOfPair.has(pair)) mergeOfPair.set(pair, { rank, symbol: symbolOf(left + right) })
  })
  const vocabulary = new Set(tokens)
  const tokensOfSymbol = Int32Array.from(spelling, (text) => (vocabulary.has(text) ? 1 : text.length))

  return (word) => {
    const bytes = Buffer.from(word, 'utf8')
    if (bytes.length === 1) return 1
    return mergeAll(bytes)
  }

  /** Applies the lowest-ranked, then leftmost merge until none is left; n log n, as one word can be a whole hostile prompt. */
  function mergeAll(bytes: Buffer): number {
    const length = bytes.length
    const symbol = Int32Array.from(bytes, (byte) => at(symbolOfByte, byte))
    const next = Int32Array.from({ length }, (_, i) => (i + 1 < length ? i + 1 : NONE))
    const previous = Int32Array.from({ length }, (_, i) => i - 1)
    const queue = createQueue()

    function mergeAt(left: number): Merge | undefined {
      const right = left === NONE || at(symbol, left) === NONE ? NONE : at(next, left)
      return right === NONE ? undefined : mergeOfPair.get(at(symbol, left) * PAIR_BASE + at(symbol, right))
    }
    function offer(left: number): void {
      const merge = mergeAt(left)
      if (merge) queue.push(merge.rank * POSITION_BASE + left)
    }
    for (let i = 0; i < length; i++) offer(i)
    for (let key = queue.pop(); key !== NONE; key = queue.pop()) {
      const left = key % POSITION_BASE
      const merge = mergeAt(left)
      // The queue is never searched for outdated entries: one that no longer describes the pair at its place is skipped.
      if (!merge || merge.rank !== (key - left) / POSITION_BASE) continue
      const right = at(next, left)
      const after = at(next, right)
      symbol[left] = merge.symbol
      symbol[right] = NONE
      next[left] = after
      if (after !== NONE) previous[after] = left
      offer(at(previous, left))
      offer(left)
    }
    let count = 0
    for (let i = 0; i !== NONE; i = at(next, i)) count += at(tokensOfSymbol, at(symbol, i))
    return count
  }
}

/** All indexes here are in range by construction; the fallback is for the type checker. */
function at(list: Int32Array | readonly number[], index: number): number {
  return list[index] ?? NONE
}

/** A binary heap of non-negative numbers; `pop` yields the smallest, or `NONE` when it is empty. */
function createQueue() {
  const heap: number[] = []
  return {
    push(key: number): void {
      let place = heap.length
      heap.push(key)
      while (place > 0) {
        const parent = (place - 1) >> 1
        if (at(heap, parent) <= key) break
        heap[place] = at(heap, parent)
        place = parent
      }
      heap[place] = key
    },
    pop(): number {
      const key = heap.pop()
      if (key === undefined) return NONE
      const size = heap.length
      if (size === 0) return key
      const top = at(heap, 0)
      let place = 0
      for (;;) {
        let child = 2 * place + 1
        if (child >= size) break
        if (child + 1 < size && at(heap, child + 1) < at(heap, child)) child++
        if (at(heap, child) >= key) break
        heap[place] = at(heap, child)
        place = child
      }
      heap[place] = key
      return top
    },
  }
}
