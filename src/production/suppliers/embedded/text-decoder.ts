/** Turns tokens into text as they come, never showing part of a character. */
export interface TextDecoder<Token> {
  push(token: Token): string
  /** What is left when no token follows; bytes that never became a character show as U+FFFD. */
  flush(): string
}

/** So many tokens without a clean end are no character any more: the model writes bytes at random. */
const MAX_PENDING = 64
const INCOMPLETE_END = /\uFFFD+$/

/**
 * `detokenize` gives the text of some tokens that follow `before`. A character split over tokens comes out of it as U+FFFD at
 * the end, so an end like that waits for the next token.
 */
export function createTextDecoder<Token>(
  detokenize: (tokens: readonly Token[], before: readonly Token[]) => string,
): TextDecoder<Token> {
  let pending: Token[] = []
  let before: readonly Token[] = []
  let shown = 0

  function reset(): void {
    before = pending.slice(-4)
    pending = []
    shown = 0
  }

  return {
    push(token) {
      pending.push(token)
      const text = detokenize(pending, before)
      const stable = pending.length >= MAX_PENDING ? text : text.replace(INCOMPLETE_END, '')
      const fresh = stable.slice(shown)
      if (stable.length === text.length) reset()
      else shown = Math.max(shown, stable.length)
      return fresh
    },
    flush() {
      const rest = pending.length === 0 ? '' : detokenize(pending, before).slice(shown)
      reset()
      return rest
    },
  }
}
