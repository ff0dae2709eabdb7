import { stringify } from 'csv-stringify/sync'
import { recordsCompleted } from '#charging'
import type { Queryable } from '#platform/postgres'
import { spansSeen } from '../store/sli.ts'
import { observationsOf } from './model/observation.ts'
import type { Leg, Observation } from './model/observation.ts'

/** No request takes longer, so whatever was accepted in a month was completed by then. */
const LONGEST_REQUEST_MS = 3_600_000
const SPAN_MS = 600_000
const PAGE = 1000

export const SLA_COLUMNS = [
  'request',
  'accepted_at',
  'service',
  'tier',
  'outcome',
  'ttft_ms',
  'tpot_ms',
  'left_after_ms',
  'net_pico',
  'tax_pico',
] as const

/**
 * Every request of a party in a span of time, as it was judged: enough to compute the report again with the terms that it states. A
 * supplier has a row for each time it was asked. Needs as much memory as a page.
 */
export async function* requestsCsv(
  db: Queryable,
  { leg, party, fromMs, toMs }: { leg: Leg; party: string; fromMs: number; toMs: number },
): AsyncGenerator<string> {
  yield stringify([SLA_COLUMNS])
  for (const at of await spansOfCompletion(db, { leg, party, fromMs, toMs })) {
    for (let after = ''; ;) {
      const records = await recordsCompleted(db, { fromMs: at, toMs: at + SPAN_MS, after, limit: PAGE })
      const seen = records
        .flatMap(observationsOf)
        .filter((each) => each.leg === leg && each.party === party && each.atMs >= fromMs && each.atMs < toMs)
      if (seen.length > 0) yield stringify(seen.map(rowOf))
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

function rowOf(seen: Observation): string[] {
  const number = (value: number | null) => (value === null ? '' : `${value}`)
  return [
    seen.request,
    new Date(seen.atMs).toISOString(),
    seen.service,
    seen.tier,
    seen.outcome,
    number(seen.ttftMs),
    number(seen.tpotMs),
    number(seen.leftAfterMs),
    `${seen.netPico}`,
    `${seen.taxPico}`,
  ]
}
