/** Lets text through until one of the stop sequences begins; the sequence itself is never let through. */
export interface StopFilter {
  /** Returns what can be shown by now: a tail that may turn out to begin a stop sequence is kept back. */
  push(text: string): { readonly text: string; readonly stopped: boolean }
  /** The kept tail, once it is known that nothing follows. */
  flush(): string
}

export function createStopFilter(stops: readonly string[]): StopFilter {
  let kept = ''
  return {
    push(text) {
      kept += text
      const at = firstOf(kept, stops)
      if (at >= 0) {
        const shown = kept.slice(0, at)
        kept = ''
        return { text: shown, stopped: true }
      }
      const hold = tailLength(kept, stops)
      const shown = kept.slice(0, kept.length - hold)
      kept = kept.slice(kept.length - hold)
      return { text: shown, stopped: false }
    },
    flush() {
      const rest = kept
      kept = ''
      return rest
    },
  }
}

function firstOf(text: string, stops: readonly string[]): number {
  let first = -1
  for (const stop of stops) {
    const at = text.indexOf(stop)
    if (at >= 0 && (first < 0 || at < first)) first = at
  }
  return first
}

/** Length of the longest end of `text` that is the beginning of a stop sequence. */
function tailLength(text: string, stops: readonly string[]): number {
  let longest = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) {
        longest = length
        break
      }
    }
  }
  // A stop sequence may begin in the middle of a pair of surrogates only by mistake; half a character is never shown.
  return longest > 0 && isLowSurrogate(text.charCodeAt(text.length - longest)) ? longest + 1 : longest
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
