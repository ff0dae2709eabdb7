/**
 * Bounds what retries add to an outage. A retry that brings an answer was a shift of load and not more of it, so only retries that
 * came to nothing are counted, against a share of the service's recent requests: when everything fails, nearly all requests are
 * tried once.
 */
export interface RetryBudget {
  noteRequest(service: string): void
  noteWasted(service: string): void
  mayRetry(service: string): boolean
}

/** The share that DESIGN and Envoy's retry budgets have in common: scheduling.md §2.8. */
const WASTED_SHARE = 0.1
/** A service with little traffic has a few anyway, enough for its breakers to open. */
const LEAST_WASTED = 10
const WINDOW_MS = 10_000

interface Counts {
  windowStartMs: number
  requests: number
  wasted: number
  requestsBefore: number
  wastedBefore: number
}

/** Two windows side by side, the older one weighed by how much of it is still recent. */
export function createRetryBudget(nowMs: () => number): RetryBudget {
  const services = new Map<string, Counts>()
  const countsOf = (service: string): Counts => {
    let counts = services.get(service)
    if (!counts) {
      counts = { windowStartMs: nowMs(), requests: 0, wasted: 0, requestsBefore: 0, wastedBefore: 0 }
      services.set(service, counts)
    }
    const elapsed = nowMs() - counts.windowStartMs
    if (elapsed < WINDOW_MS) return counts
    const isNext = elapsed < 2 * WINDOW_MS
    counts.requestsBefore = isNext ? counts.requests : 0
    counts.wastedBefore = isNext ? counts.wasted : 0
    counts.requests = 0
    counts.wasted = 0
    counts.windowStartMs += WINDOW_MS * Math.floor(elapsed / WINDOW_MS)
    return counts
  }
  return {
    noteRequest(service) {
      countsOf(service).requests++
    },
    noteWasted(service) {
      countsOf(service).wasted++
    },
    mayRetry(service) {
      const counts = countsOf(service)
      const before = 1 - (nowMs() - counts.windowStartMs) / WINDOW_MS
      const wasted = counts.wasted + counts.wastedBefore * before
      return wasted < Math.max(LEAST_WASTED, WASTED_SHARE * (counts.requests + counts.requestsBefore * before))
    },
  }
}
