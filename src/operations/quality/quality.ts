import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { answerCase, decideCase, decideSettings } from './audit/decisions.ts'
import { evidenceCsv } from './audit/evidence.ts'
import { isEnded, scoreOf } from './audit/model/case.ts'
import type { AuditCase, CaseState } from './audit/model/case.ts'
import type { AuditSettings } from './audit/model/stream.ts'
import { claimBasis } from './audit/payment.ts'
import type { ClaimBasis } from './audit/payment.ts'
import type { AuditTermsOf } from './audit/service.ts'
import { digest } from './digest/service.ts'
import type { QualityEvent } from './events.ts'
import { unknownCase } from './problems.ts'
import { readCases } from './store/audit-cases.ts'
import { readStreams } from './store/audit-streams.ts'
import type { StreamKey, StreamRow } from './store/audit-streams.ts'
import { eventsOf } from './store/events.ts'

export interface QualityDeps {
  readonly database: Database
  readonly clock: Clock
  readonly auditTermsOf: AuditTermsOf
}

interface Said {
  readonly by: string
  readonly reason: string
}

/** A supplier's model and how far it is to be trusted, in millionths. */
export interface QualityScore {
  readonly supplier: string
  readonly model: string
  readonly scorePpm: number
}

export interface Quality {
  /** Job: judges what was booked since the last time, once. */
  digest(): Promise<{ records: number }>
  /** Where the tests of token counts are; of all suppliers, or one. */
  audits(query: { supplier?: string }): Promise<StreamRow[]>
  cases(query: { supplier?: string }): Promise<AuditCase[]>
  /** Throws `unknown_case`. */
  case(id: string): Promise<{ case: AuditCase; events: QualityEvent[] }>
  /** Throws `unknown_case`, `illegal_transition`, `same_person`. */
  decideCase(id: string, to: CaseState, said: Said): Promise<AuditCase>
  /** Throws `unknown_case`. */
  answerCase(id: string, said: Said): Promise<AuditCase>
  decideSettings(key: StreamKey, settings: AuditSettings, said: Said): Promise<void>
  /** The evidence of a case as CSV. Throws `unknown_case`. */
  evidence(id: string): Promise<AsyncGenerator<string>>
  /** For settlement: on whose count a supplier's claim for a model is paid, and how much of it. */
  claimBasis(query: { supplier: string; model: string; fromMs: number; toMs: number }): Promise<ClaimBasis>
  /** Only suppliers' models that have a case that is not over; all others have full trust. */
  scores(): Promise<QualityScore[]>
}

export function createQuality(deps: QualityDeps): Quality {
  const { database, clock } = deps
  const decision = (said: Said) => ({ ...said, nowMs: clock.nowMs() })
  const one = async (id: string): Promise<AuditCase> => {
    const [found] = await readCases(database, { id })
    if (!found) throw unknownCase({ id })
    return found
  }
  return {
    digest: () => digest(deps),
    audits: ({ supplier }) => readStreams(database, supplier),
    cases: (query) => readCases(database, query),
    case: async (id) => ({ case: await one(id), events: await eventsOf(database, id) }),
    decideCase: (id, to, said) => database.transaction((tx) => decideCase(tx, id, to, decision(said))),
    answerCase: (id, said) => database.transaction((tx) => answerCase(tx, id, decision(said))),
    decideSettings: (key, settings, said) =>
      database.transaction((tx) => decideSettings(tx, key, settings, decision(said))),
    async evidence(id) {
      const { supplier, model, side, epoch, settings } = await one(id)
      return evidenceCsv(database, { supplier, model, side, epoch, settings })
    },
    claimBasis: (query) => claimBasis(database, query, deps.auditTermsOf),
    async scores() {
      const open = (await readCases(database, {})).filter(({ state }) => !isEnded(state))
      const byModel = Map.groupBy(open, ({ supplier, model }) => JSON.stringify([supplier, model]))
      return [...byModel.values()].flatMap((cases) => {
        const [first] = cases
        return first ? [{ supplier: first.supplier, model: first.model, scorePpm: scoreOf(cases) }] : []
      })
    },
  }
}
