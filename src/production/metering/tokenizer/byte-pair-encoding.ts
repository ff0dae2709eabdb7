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

/**
 * `merges` are "left right" in order of rank. A merged symbol that is missing from the vocabulary falls back to one token
 * per byte, as every byte has a token in a byte-level vocabulary.
 */
export function createWordCounter({ tokens, merges }: { tokens: readonly string[]; merges: readonly string[] }): WordCounter {
  const symbols = new Map<string, number>()
  const spelling: string[] = []
  function symbolOf(text: string): number {
    const known = symbols.get(text)
    if (known !== undefined) return known
    symbols.set(text, spelling.length)
    spelling.push(text)
    return spelling.length - 1
  }
  const symbolOfByte = BYTE_LETTERS.map(symbolOf)
  const mergeOfPair = new Map<number, Merge>()
  merges.forEach((line, rank) => {
    const gap = line.indexOf(' ', 1)
    if (gap < 1) return
    const left = symbolOf(line.slice(0, gap))
    const right = symbolOf(line.slice(gap + 1))
    const pair = left * PAIR_BASE + right
    if (!mergeOfPair.has(pair)) mergeOfPair.set(pair, { rank, symbol: symbolOf(spelling[left]! + spelling[right]!) })
  })
  const vocabulary = new Set(tokens)
  const tokensOfSymbol = spelling.map((text) => (vocabulary.has(text) ? 1 : text.length))

  return (word) => {
    const bytes = Buffer.from(word, 'utf8')
    if (bytes.length === 1) return 1
    return mergeAll(bytes)
  }

  /** Applies the lowest-ranked, then leftmost merge until none is left; n log n, as one word can be a whole hostile prompt. */
  function mergeAll(bytes: Buffer): number {
    const length = bytes.length
    const symbol = new Int32Array(length)
    const next = new Int32Array(length)
    const previous = new Int32Array(length)
    for (let i = 0; i < length; i++) {
      symbol[i] = symbolOfByte[bytes[i]!]!
      next[i] = i + 1 < length ? i + 1 : -1
      previous[i] = i - 1
    }
    const queue = createQueue()
    function offer(left: number): void {
      const right = left < 0 ? -1 : next[left]!
      if (right < 0) return
      const merge = mergeOfPair.get(symbol[left]! * PAIR_BASE + symbol[right]!)
      if (merge) queue.push(merge.rank * POSITION_BASE + left)
    }
    for (let i = 0; i + 1 < length; i++) offer(i)
    for (let key = queue.pop(); key >= 0; key = queue.pop()) {
      const left = key % POSITION_BASE
      const rank = (key - left) / POSITION_BASE
      const right = symbol[left]! < 0 ? -1 : next[left]!
      if (right < 0) continue
      const merge = mergeOfPair.get(symbol[left]! * PAIR_BASE + symbol[right]!)
      // The queue is never searched for outdated entries: one that no longer describes the pair at its place is skipped.
      if (!merge || merge.rank !== rank) continue
      symbol[left] = merge.symbol
      symbol[right] = -1
      next[left] = next[right]!
      if (next[right]! >= 0) previous[next[right]!] = left
      offer(previous[left]!)
      offer(left)
    }
    let count = 0
    for (let i = 0; i >= 0; i = next[i]!) count += tokensOfSymbol[symbol[i]!]!
    return count
  }
}

/** A binary heap of non-negative numbers; `pop` yields the smallest, or −1 when it is empty. */
function createQueue() {
  const heap: number[] = []
  return {
    push(key: number): void {
      let at = heap.length
      heap.push(key)
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (heap[parent]! <= key) break
        heap[at] = heap[parent]!
        at = parent
      }
      heap[at] = key
    },
    pop(): number {
      const top = heap[0]
      if (top === undefined) return -1
      const key = heap.pop()!
      const size = heap.length
      if (size === 0) return top
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= size) break
        if (child + 1 < size && heap[child + 1]! < heap[child]!) child++
        if (heap[child]! >= key) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = key
      return top
    },
  }
}
