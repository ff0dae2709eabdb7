/** Whether a supplier's model may be used now, by the breaker's name. A half-open breaker lets one request through to find out. */
export interface Breakers {
  allows(name: string): boolean
  /** An attempt starts; if the breaker is open, it is the probe. */
  began(name: string): void
  /** The attempt ended: well, badly, or in a way that says nothing of the supplier. */
  ended(name: string, how: 'well' | 'badly' | 'neutral'): void
}

interface Breaker {
  failuresInARow: number
  openUntilMs: number
  openedTimes: number
  probing: boolean
}

const FAILURES_TO_OPEN = 5
const FIRST_OPEN_MS = 1_000
const LONGEST_OPEN_MS = 30_000

export function createBreakers(nowMs: () => number): Breakers {
  const breakers = new Map<string, Breaker>()
  const of = (name: string): Breaker => {
    let breaker = breakers.get(name)
    if (!breaker) {
      breaker = { failuresInARow: 0, openUntilMs: 0, openedTimes: 0, probing: false }
      breakers.set(name, breaker)
    }
    return breaker
  }
  const isOpen = (breaker: Breaker) => breaker.failuresInARow >= FAILURES_TO_OPEN
  return {
    allows(name) {
      const breaker = of(name)
      return !isOpen(breaker) || (nowMs() >= breaker.openUntilMs && !breaker.probing)
    },
    began(name) {
      const breaker = of(name)
      if (isOpen(breaker)) breaker.probing = true
    },
    ended(name, how) {
      const breaker = of(name)
      breaker.probing = false
      if (how === 'neutral') return
      if (how === 'well') {
        breaker.failuresInARow = 0
        breaker.openedTimes = 0
        return
      }
      breaker.failuresInARow++
      if (!isOpen(breaker)) return
      breaker.openUntilMs = nowMs() + Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** breaker.openedTimes)
      breaker.openedTimes++
    },
  }
}
