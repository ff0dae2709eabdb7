import type { HeaderView } from '#platform/http'
import { outcomeOfStatus } from '#scheduler'
import type { Flight, RunningAttempt } from './flight.ts'

const MAX_REFUSAL_BYTES = 65_536
const MAX_RETRY_AFTER_MS = 300_000

/** What a refusal is gathered in. */
export interface RefusalCollector {
  add(piece: Buffer): void
  end(): void
}

/** Gathers what a supplier says when it does not serve: how long to wait, and its words if they are about the request itself. */
export function collectRefusal(
  status: number,
  headers: HeaderView,
  { flight, attempt }: { flight: Flight; attempt: RunningAttempt },
): RefusalCollector {
  const pieces: Buffer[] = []
  let size = 0
  attempt.retryAfterMs = retryAfterMs(headers)
  if (attempt.retryAfterMs !== undefined)
    flight.retryAfterMs = Math.min(flight.retryAfterMs ?? Number.POSITIVE_INFINITY, attempt.retryAfterMs)
  return {
    add(piece) {
      size += piece.length
      if (size <= MAX_REFUSAL_BYTES) pieces.push(Buffer.from(piece))
    },
    end() {
      // What is said against the request itself is worth more to its client than whatever else goes wrong after it.
      if (outcomeOfStatus(status) === 'status_4xx' && size <= MAX_REFUSAL_BYTES)
        flight.refusal = { status, body: Buffer.concat(pieces) }
    },
  }
}

/** Codes and words by which suppliers say that a prompt does not fit their model's context. */
const TOO_LONG_CODES = new Set(['context_length_exceeded', 'string_above_max_length', 'request_too_large'])
const TOO_LONG_WORDS = /context (?:length|window)|maximum context|too many tokens|prompt is too long|input is too long/i

/** Whether a larger context might serve what was refused. */
export function isTooLong(refusal: { readonly status: number; readonly body: Buffer } | undefined): boolean {
  if (!refusal) return false
  if (refusal.status === 413) return true
  try {
    const { error } = JSON.parse(refusal.body.toString('utf8')) as {
      error?: { code?: unknown; message?: unknown } | null
    }
    if (typeof error?.code === 'string' && TOO_LONG_CODES.has(error.code)) return true
    return typeof error?.message === 'string' && TOO_LONG_WORDS.test(error.message)
  } catch {
    return false
  }
}

/** Retry-After in seconds (RFC 9110 §10.2.3; the date form is not used by suppliers) or OpenAI's `retry-after-ms`. */
function retryAfterMs(headers: HeaderView): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN)
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const value = Number.isFinite(ms) ? ms : seconds * 1000
  return Number.isFinite(value) && value >= 0 ? Math.min(value, MAX_RETRY_AFTER_MS) : undefined
}
