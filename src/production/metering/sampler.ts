/**
 * Chooses which requests are recounted: all of them while there are few, at most `perSecond` when there are many. Counting a long
 * answer takes milliseconds, so the bound is what keeps it off a busy gateway's path.
 */
export function createSampler({
  perSecond,
  nowMs,
}: {
  readonly perSecond: number
  readonly nowMs: () => number
}): () => boolean {
  let left = perSecond
  let windowStartMs = nowMs()
  return () => {
    const now = nowMs()
    if (now - windowStartMs >= 1000) {
      windowStartMs = now
      left = perSecond
    }
    if (left <= 0) return false
    left--
    return true
  }
}
