import type { HeaderView } from '#platform/http'
import type { Flight } from './flight.ts'

const MAX_REFUSAL_BYTES = 65_536
const MAX_RETRY_AFTER_MS = 300_000

/** What a refusal is gathered in. */
export interface RefusalCollector {
  add(piece: Buffer): void
  end(): void
}

/** Gathers what a supplier says when it does not serve: how long to wait, and its words if they are about the request itself. */
export function collectRefusal(status: number, headers: HeaderView, flight: Flight): RefusalCollector {
  const pieces: Buffer[] = []
  let size = 0
  flight.retryAfterMs = retryAfterMs(headers)
  return {
    add(piece) {
      size += piece.length
      if (size <= MAX_REFUSAL_BYTES) pieces.push(Buffer.from(piece))
    },
    end() {
      flight.refusal = size <= MAX_REFUSAL_BYTES ? { status, body: Buffer.concat(pieces) } : undefined
    },
  }
}

/** Retry-After in seconds (RFC 9110 §10.2.3; the date form is not used by suppliers) or OpenAI's `retry-after-ms`. */
function retryAfterMs(headers: HeaderView): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN)
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const value = Number.isFinite(ms) ? ms : seconds * 1000
  return Number.isFinite(value) && value >= 0 ? Math.min(value, MAX_RETRY_AFTER_MS) : undefined
}
