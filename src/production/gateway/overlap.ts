/**
 * Joins what another supplier says to what the reader has already: takes away what it repeats, and notices when it says something
 * else. `push` gives back what is new, undefined once the two differ.
 */
export interface Overlap {
  push(piece: string): string | undefined
  /** Whether all that the reader has was said again, so that whatever follows continues it. */
  readonly isJoined: boolean
}

/** For an answer that is generated again from its beginning: it must begin with all of `sent`. */
export function repeating(sent: string): Overlap {
  let matched = 0
  let differs = false
  return {
    push(piece) {
      const open = Math.min(piece.length, sent.length - matched)
      if (differs || !sent.startsWith(piece.slice(0, open), matched)) {
        differs = true
        return undefined
      }
      matched += open
      return piece.slice(open)
    },
    get isJoined() {
      return !differs && matched === sent.length
    },
  }
}

/**
 * For an answer that goes on after `sent` without `space`, the white space at its end: suppliers refuse to continue a text that ends
 * in it. Whatever of that space is said again is taken away; saying less of it is no difference, because the reader has it.
 */
export function continuing(space: string): Overlap {
  let matched = 0
  let isOver = space === ''
  return {
    push(piece) {
      let at = 0
      while (!isOver && at < piece.length) {
        if (piece[at] !== space[matched]) isOver = true
        else {
          at++
          isOver = ++matched === space.length
        }
      }
      return piece.slice(at)
    },
    isJoined: true,
  }
}
