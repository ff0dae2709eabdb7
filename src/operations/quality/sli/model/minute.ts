import type { Observation } from './observation.ts'
import { limitOf } from './terms.ts'
import type { SlaScope, SlaTerms } from './terms.ts'

export const MINUTE_MS = 60_000

export interface MinuteRow extends SlaScope {
  readonly minuteMs: number
  readonly agreedRpm: number | null
  readonly ttftLimitMs: number | null
  readonly tpotLimitMs: number | null
  readonly requests: number
  readonly failed: number
  readonly excluded: number
  readonly ttftValid: number
  readonly ttftGood: number
  readonly tpotValid: number
  readonly tpotGood: number
  readonly netPico: bigint
  readonly taxPico: bigint
}

export const minuteOf = (atMs: number): number => atMs - (atMs % MINUTE_MS)

export function emptyMinute(scope: SlaScope, minuteMs: number, terms: SlaTerms | undefined): MinuteRow {
  return {
    leg: scope.leg,
    party: scope.party,
    service: scope.service,
    tier: scope.tier,
    minuteMs,
    agreedRpm: terms?.requestsPerMinute ?? null,
    ttftLimitMs: limitOf(terms, 'ttft'),
    tpotLimitMs: limitOf(terms, 'tpot'),
    ...{ requests: 0, failed: 0, excluded: 0, ttftValid: 0, ttftGood: 0, tpotValid: 0, tpotGood: 0 },
    netPico: 0n,
    taxPico: 0n,
  }
}

/**
 * One more request of a minute. Failures count in availability alone, latencies only of what was answered: one mistake is not counted
 * twice. Who left before the limit for the first token was over proves nothing; who left after it saw a late one.
 */
export function count(row: MinuteRow, seen: Observation): MinuteRow {
  const money = { netPico: row.netPico + seen.netPico, taxPico: row.taxPico + seen.taxPico }
  const { ttftLimitMs, tpotLimitMs } = row
  const leftEarly = seen.leftAfterMs !== null && (ttftLimitMs === null || seen.leftAfterMs <= ttftLimitMs)
  if (seen.outcome === 'excluded' || leftEarly) return { ...row, ...money, excluded: row.excluded + 1 }
  if (seen.outcome === 'bad') return { ...row, ...money, requests: row.requests + 1, failed: row.failed + 1 }
  const first = seen.ttftMs ?? seen.leftAfterMs
  const isFirstSeen = ttftLimitMs !== null && first !== null
  const isPaced = tpotLimitMs !== null && seen.tpotMs !== null
  return {
    ...row,
    ...money,
    requests: row.requests + 1,
    ttftValid: row.ttftValid + (isFirstSeen ? 1 : 0),
    ttftGood: row.ttftGood + (isFirstSeen && first <= ttftLimitMs ? 1 : 0),
    tpotValid: row.tpotValid + (isPaced ? 1 : 0),
    tpotGood: row.tpotGood + (isPaced && (seen.tpotMs ?? 0) <= tpotLimitMs ? 1 : 0),
  }
}

/**
 * Failures that are the asker's own. At or below the agreed rate every failure is the provider's; above it, as many failures as there
 * were requests beyond the rate are the asker's.
 */
export function excusedOf({
  requests,
  failed,
  agreedRpm,
}: Pick<MinuteRow, 'requests' | 'failed' | 'agreedRpm'>): number {
  return agreedRpm === null ? 0 : Math.max(0, Math.min(failed, requests - agreedRpm))
}
