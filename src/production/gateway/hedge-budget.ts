/** How many second copies of a request may be sent, earned by requests that ended well: a slow day of every supplier empties it. */
export interface HedgeBudget {
  earn(service: string): void
  /** Takes one, if there is one. */
  take(service: string): boolean
}

/** Per answer (scheduling.md §2.7): at most one request in twenty is sent twice. */
const EARNED = 0.05
const MOST = 10

export function createHedgeBudget(): HedgeBudget {
  const tokens = new Map<string, number>()
  const of = (service: string) => tokens.get(service) ?? 1
  return {
    earn(service) {
      tokens.set(service, Math.min(MOST, of(service) + EARNED))
    },
    take(service) {
      if (of(service) < 1) return false
      tokens.set(service, of(service) - 1)
      return true
    },
  }
}
