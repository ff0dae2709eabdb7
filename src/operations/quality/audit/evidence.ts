import { stringify } from 'csv-stringify/sync'
import type { Queryable } from '#platform/postgres'
import { factPage } from '../store/audit-facts.ts'
import type { FactRow } from '../store/audit-facts.ts'
import type { StreamKey } from '../store/audit-streams.ts'
import { deviationOf } from './model/e-process.ts'
import { NOTHING_SEEN, evidenceLog10, see } from './model/stream.ts'
import type { AuditSettings, AuditState } from './model/stream.ts'

const PAGE = 2000
export const EVIDENCE_COLUMNS = [
  'number',
  'request',
  'completed_at',
  'reported_tokens',
  'counted_tokens',
  'deviation',
  'log10_e_mean',
  'log10_e_excess',
] as const

/**
 * The evidence of an epoch as CSV, request by request, with where each test was after it. It is computed from the facts and not
 * from what the tests remember, so it proves what was flagged, and anybody can compute it again from the first five columns.
 */
export async function* evidenceCsv(
  db: Queryable,
  { epoch, settings, ...key }: StreamKey & { epoch: number; settings: AuditSettings },
): AsyncGenerator<string> {
  yield stringify([EVIDENCE_COLUMNS])
  let state: AuditState = NOTHING_SEEN
  for (let after = 0; ;) {
    const facts = await factPage(db, { ...key, epoch, after, limit: PAGE })
    const last = facts.at(-1)
    if (!last) return
    const lines = facts.map((fact) => {
      state = see(state, fact, settings)
      return lineOf(fact, state, settings)
    })
    yield stringify(lines)
    after = last.number
  }
}

function lineOf(fact: FactRow, { meanWealth, excessWealth }: AuditState, { fixedTokens }: AuditSettings): string[] {
  return [
    `${fact.number}`,
    fact.request,
    new Date(fact.completedAtMs).toISOString(),
    `${fact.reported}`,
    `${fact.counted}`,
    deviationOf({ ...fact, fixedTokens }).toFixed(6),
    evidenceLog10(meanWealth).toFixed(6),
    evidenceLog10(excessWealth).toFixed(6),
  ]
}
