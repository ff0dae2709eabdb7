import type { Hold, Part, Refusal } from './types.ts'

/** How one part is set aside. */
interface Placing {
  /** At once, or not. */
  take(part: Part): Hold | undefined
  wait(part: Part, done: (outcome: Hold | Refusal) => void): void
  /** Fetches what the part will need, for nobody yet. */
  ahead(part: Part): void
}

/**
 * All parts or none. Nothing is waited for while another part could be taken by somebody who waits for ours: parts are taken in
 * the order given, so requests that share buckets queue at the first they share and never hold what the other needs.
 */
export function createPlaceAll({ take, wait, ahead }: Placing) {
  return (parts: readonly Part[], done: (outcome: readonly Hold[] | Refusal) => void): void => {
    const holds: Hold[] = []
    for (const part of parts) {
      const hold = take(part)
      if (!hold) break
      holds.push(hold)
    }
    if (holds.length === parts.length) {
      done(holds)
      return
    }
    // The first part waits; the grants of those behind it need not wait for its own.
    for (const part of parts.slice(holds.length + 1)) ahead(part)
    takeRest(parts, holds, done)
  }

  function takeRest(parts: readonly Part[], holds: Hold[], done: (outcome: readonly Hold[] | Refusal) => void): void {
    const part = parts[holds.length]
    if (!part) {
      done(holds)
      return
    }
    const onOutcome = (outcome: Hold | Refusal): void => {
      if ('refused' in outcome) {
        for (const hold of holds) hold.void()
        done(outcome)
        return
      }
      holds.push(outcome)
      takeRest(parts, holds, done)
    }
    const hold = take(part)
    if (hold) onOutcome(hold)
    else wait(part, onOutcome)
  }
}
