/** Bytes of request bodies that may be in memory at once, so that no key can make the gateway buffer without end. */
export interface BodyBudget {
  /** Sets bytes aside and returns the means to give them back (once; more often does nothing), undefined when there is no room. */
  reserve(bytes: number): (() => void) | undefined
  readonly used: number
}

/** Smaller bodies are bounded well enough by the number of connections. */
export const UNBUDGETED_BYTES = 16_384

export function createBodyBudget(maxBytes: number): BodyBudget {
  let used = 0
  return {
    get used() {
      return used
    },
    reserve(bytes) {
      if (used + bytes > maxBytes) return undefined
      used += bytes
      let held = bytes
      return () => {
        used -= held
        held = 0
      }
    },
  }
}
