import type { SlaTarget, UsageRecord } from '#contract'

/**
 * Requests that say nothing of the service (scheduling.md §4): the caller's own mistake, and callers who left before their first
 * token was due.
 */
export function isAboutTheCaller(record: UsageRecord, target: SlaTarget | undefined): boolean {
  if (record.ending === 'client_closed')
    return record.ttftMs === null && record.durationMs <= (target?.ttftMs ?? Infinity)
  return record.ending === 'failed' && record.attempts.at(-1)?.outcome === 'status_4xx'
}

/** In time by what is promised; where nothing is promised, answered at all. */
export function isGood(record: UsageRecord, target: SlaTarget | undefined): boolean {
  const { ending, ttftMs, durationMs, tokens } = record
  if (ending !== 'completed' && ending !== 'client_closed') return false
  if (!target) return true
  const output = Math.max(1, tokens.output + tokens.reasoning)
  // A whole answer has no first token to see: it may take what the first and all the others may.
  if (ttftMs === null) return ending === 'completed' && durationMs <= target.ttftMs + target.tpotMs * (output - 1)
  if (ttftMs > target.ttftMs) return false
  return output === 1 || (durationMs - ttftMs) / (output - 1) <= target.tpotMs
}
