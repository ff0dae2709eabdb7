import type { AttemptOutcome } from '#contract'

export const MAX_ATTEMPTS = 3

/** What to do after an attempt that brought no answer yet. */
export type Next = 'elsewhere' | 'again_or_elsewhere' | 'tell_client'

/**
 * Whether an attempt that failed before the first byte may be repeated. Generation has no side effect at the supplier but its
 * cost, which is ours, so a request may be sent again even when it may already have been received.
 */
export function afterFailure(outcome: AttemptOutcome): Next {
  switch (outcome) {
    case 'status_4xx':
    case 'client_closed':
    case 'total_timeout':
    case 'overrun':
      return 'tell_client'
    case 'reset':
    case 'connect_failed':
    case 'status_5xx':
    case 'cut':
    case 'garbage':
      return 'again_or_elsewhere'
    case 'refused':
    case 'status_429':
    case 'first_byte_timeout':
    case 'idle_timeout':
      return 'elsewhere'
    case 'served':
    case 'lost_race':
    case 'displaced':
    case 'diverged':
      return 'tell_client'
  }
}

/** How a supplier's status is understood. 401, 403 and 404 are about our credentials and its model's name, so to the client they are a broken supplier. */
export function outcomeOfStatus(status: number): AttemptOutcome {
  if (status >= 200 && status < 300) return 'served'
  if (status === 429) return 'status_429'
  if (status === 401 || status === 403 || status === 402 || status === 404 || status === 407) return 'refused'
  if (status === 408 || status === 409 || status === 425 || status >= 500) return 'status_5xx'
  if (status >= 400) return 'status_4xx'
  return 'garbage'
}

/** Its own to say, a client's leaving, or a busy signal: no illness of the endpoint. */
const NEUTRAL: ReadonlySet<AttemptOutcome> = new Set([
  'client_closed',
  'total_timeout',
  'overrun',
  'status_429',
  'lost_race',
  'displaced',
  'diverged',
])
/** Credentials, account or address: ours to mend, and nothing that waiting heals. */
const MISCONFIGURED: ReadonlySet<number | null> = new Set([401, 402, 403, 404, 407])

/** What an attempt's end says of the endpoint. `broke_off`: in the middle of an answer. */
export type Health = 'well' | 'failed' | 'broke_off' | 'misconfigured' | 'nothing'

export function healthOf(outcome: AttemptOutcome, status: number | null, hasBegun: boolean): Health {
  if (MISCONFIGURED.has(status)) return 'misconfigured'
  // A refused prompt was read and answered.
  if (outcome === 'served' || outcome === 'status_4xx') return 'well'
  if (NEUTRAL.has(outcome)) return 'nothing'
  return hasBegun ? 'broke_off' : 'failed'
}
