import { stringify } from 'csv-stringify/sync'
import type { Queryable } from '#platform/postgres'
import { observationsOf } from './model/observation.ts'
import type { Leg, Observation } from './model/observation.ts'
import { recordPages } from './records.ts'

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
  for await (const records of recordPages(db, { leg, party, fromMs, toMs })) {
    const seen = records
      .flatMap(observationsOf)
      .filter((each) => each.leg === leg && each.party === party && each.atMs >= fromMs && each.atMs < toMs)
    if (seen.length > 0) yield stringify(seen.map(rowOf))
  }
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
