import { sortableId } from '#kernel'
import type { RequestId } from '#kernel'
import type { Clock } from '#platform/clock'
import { randomWords } from './crypto.ts'

/** A maker of request ids (`req_` and 26 characters) that sort by time to the millisecond. */
export function createRequestIds(clock: Clock): () => RequestId {
  const random = randomWords()
  return () => `req_${sortableId(clock.nowMs(), random)}` as RequestId
}
