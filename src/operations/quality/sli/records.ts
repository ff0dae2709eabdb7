import { recordsCompleted } from '#charging'
import type { UsageRecord } from '#contract'
import type { Queryable } from '#platform/postgres'
import { spansSeen } from '../store/sli.ts'
import type { Leg } from './model/observation.ts'

/** No request takes longer, so whatever was accepted in a month was completed by then. */
const LONGEST_REQUEST_MS = 3_600_000
const SPAN_MS = 600_000
const PAGE = 1000

/** Pages of records in which a party may have a part, of requests accepted in a span of time. Needs as much memory as a page. */
export async function* recordPages(
  db: Queryable,
  query: { leg: Leg; party: string; fromMs: number; toMs: number },
): AsyncGenerator<readonly UsageRecord[]> {
  for (const at of await spansOfCompletion(db, query)) {
    for (let after = ''; ;) {
      const records = await recordsCompleted(db, { fromMs: at, toMs: at + SPAN_MS, after, limit: PAGE })
      if (records.length > 0) yield records
      if (records.length < PAGE) break
      after = records.at(-1)?.id ?? ''
    }
  }
}

/** Spans in which something of what a party began may have ended: where nobody was seen, nothing is looked for. */
async function spansOfCompletion(
  db: Queryable,
  query: { leg: Leg; party: string; fromMs: number; toMs: number },
): Promise<number[]> {
  const began = await spansSeen(db, { ...query, spanMs: SPAN_MS })
  const reach = Array.from({ length: LONGEST_REQUEST_MS / SPAN_MS + 1 }, (_, at) => at * SPAN_MS)
  return [...new Set(began.flatMap((at) => reach.map((later) => at + later)))].toSorted((a, b) => a - b)
}
