import { engineBusy } from './problems.ts'

/** A place where one answer is generated at a time; what it computed last may be worth reusing. */
export interface Place {
  /** How many leading tokens of this prompt the place has computed already. */
  reusable(prompt: readonly number[]): number
}

export interface Pool<P extends Place> {
  /**
   * Waits for a place, first come first served, and takes the free one that can reuse most. Rejects with `engineBusy` at once
   * when too many wait already, and with the signal's reason when the caller gives up.
   */
  take(prompt: readonly number[], signal: AbortSignal): Promise<P>
  giveBack(place: P): void
  readonly busy: number
  readonly waiting: number
}

interface Waiter<P> {
  readonly prompt: readonly number[]
  readonly accept: (place: P) => void
}

const RETRY_AFTER_SECONDS = 1

export function createPool<P extends Place>(
  places: readonly P[],
  { maxWaiting }: { readonly maxWaiting: number },
): Pool<P> {
  /** Longest unused first, so that what was computed last survives longest. */
  const free = [...places]
  const waiters: Waiter<P>[] = []

  function takeBest(prompt: readonly number[]): P | undefined {
    let best = 0
    let most = -1
    free.forEach((place, index) => {
      const reusable = place.reusable(prompt)
      if (reusable > most) {
        best = index
        most = reusable
      }
    })
    return free.splice(best, 1)[0]
  }

  return {
    async take(prompt, signal) {
      signal.throwIfAborted()
      const place = takeBest(prompt)
      if (place) return place
      if (waiters.length >= maxWaiting)
        throw engineBusy({ queued: waiters.length, retryAfterSeconds: RETRY_AFTER_SECONDS })
      const { promise, resolve, reject } = Promise.withResolvers<P>()
      const waiter: Waiter<P> = { prompt, accept: resolve }
      waiters.push(waiter)
      const giveUp = () => {
        const at = waiters.indexOf(waiter)
        if (at < 0) return
        waiters.splice(at, 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        return await promise
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
    },
    giveBack(place) {
      free.push(place)
      const next = waiters.shift()
      const chosen = next && takeBest(next.prompt)
      if (next && chosen) next.accept(chosen)
    },
    get busy() {
      return places.length - free.length
    },
    get waiting() {
      return waiters.length
    },
  }
}
