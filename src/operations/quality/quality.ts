import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { runAcceptance } from './acceptance/service.ts'
import type { AcceptanceOptions, AcceptanceProgress, Subject } from './acceptance/service.ts'
import { answerCase, decideCase, decideSettings } from './audit/decisions.ts'
import { evidenceCsv } from './audit/evidence.ts'
import { OPEN_STATES, scoreOf } from './audit/model/case.ts'
import type { AuditCase, CaseState } from './audit/model/case.ts'
import type { AuditSettings } from './audit/model/stream.ts'
import { claimBasis } from './audit/payment.ts'
import type { ClaimBasis } from './audit/payment.ts'
import type { AuditTermsOf } from './audit/service.ts'
import { digest } from './digest/service.ts'
import type { QualityEvent } from './events.ts'
import { watchBudgets } from './sli/alerts.ts'
import { applyCredits, decideCredit } from './sli/credits.ts'
import type { CreditMoney } from './sli/credits.ts'
import type { Leg } from './sli/model/observation.ts'
import { MINUTE_MS } from './sli/model/minute.ts'
import type { CreditState, SlaCredit, SliSums } from './sli/model/report.ts'
import type { DeclaredTerms } from './sli/model/terms.ts'
import { computeReports, monthOf } from './sli/reports.ts'
import { requestsCsv } from './sli/requests-csv.ts'
import type { SupplierSlaOf } from './sli/service.ts'
import { readAlerts } from './store/alerts.ts'
import type { Alert } from './store/alerts.ts'
import { readCredits, readReports } from './store/sla.ts'
import type { CreditQuery, ReportRow } from './store/sla.ts'
import { addTerms, readTerms, sumMinutes } from './store/sli.ts'
import { penaltiesOf } from './penalties.ts'
import type { BuyPricesOf, SupplierPenalty } from './penalties.ts'
import { termsBackdated, unknownAcceptance, unknownCase, unknownCredit } from './problems.ts'
import { readAcceptances } from './store/acceptances.ts'
import type { AcceptanceRow } from './store/acceptances.ts'
import { readCases } from './store/audit-cases.ts'
import { readStreams } from './store/audit-streams.ts'
import type { StreamKey, StreamRow } from './store/audit-streams.ts'
import { addEvent, eventsOf } from './store/events.ts'

export interface QualityDeps {
  readonly database: Database
  readonly clock: Clock
  readonly auditTermsOf: AuditTermsOf
  readonly supplierSlaOf: SupplierSlaOf
  readonly money: CreditMoney
  readonly buyPrices: () => Promise<BuyPricesOf>
  /** Ed25519, PEM (PKCS 8): the installation's own. */
  readonly signingKey: string
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
  /** What was promised, as declared. Agreements with suppliers hold before it. */
  terms(): Promise<DeclaredTerms[]>
  /** Throws `terms_backdated`. */
  declareTerms(terms: DeclaredTerms, said: Said): Promise<void>
  /** What a span of time came to, by service and tier; widened to whole minutes. */
  indicators(query: { fromMs: number; toMs: number; leg?: Leg; party?: string }): Promise<SliSums[]>
  /** Job: alerts on error budgets that burn too fast. */
  watch(): Promise<{ opened: number; closed: number }>
  alerts(query: { limit: number }): Promise<Alert[]>
  /** Everybody's reports of a month that is over, with the credits and penalties that follow. Throws `period_not_over`. */
  computeReports(period: string, by: string): Promise<ReportRow[]>
  reports(query: { period: string; leg?: Leg; party?: string }): Promise<ReportRow[]>
  /** Every request of a party in a month, from which its report can be computed again. Throws `period_not_over`. */
  reportCsv(query: { leg: Leg; party: string; period: string }): AsyncGenerator<string>
  credits(query: CreditQuery): Promise<SlaCredit[]>
  /** With what happened to it, and what stands on the other side of it: penalties behind a credit, credits behind a penalty. */
  credit(id: string): Promise<{ credit: SlaCredit; events: QualityEvent[]; otherSide: SlaCredit[] }>
  /** Throws `unknown_credit`, `illegal_transition`, `same_person`. */
  decideCredit(id: string, to: CreditState, said: Said): Promise<SlaCredit>
  /** For settlement: what it takes off a supplier's month, in whole fen. */
  penaltiesOf(query: { supplier: string; period: string }): Promise<SupplierPenalty[]>
  /** Runs conformance, identity and load for real and keeps the signed report; what follows for the order is the caller's. */
  accept(
    subject: Subject,
    options: AcceptanceOptions,
    onProgress: (progress: AcceptanceProgress) => void,
  ): Promise<AcceptanceRow>
  acceptances(query: { supplier?: string; callOff?: string }): Promise<AcceptanceRow[]>
  /** Throws `unknown_acceptance`. */
  acceptance(id: string): Promise<AcceptanceRow>
  /** Job: approved credits go into wallets. */
  applyCredits(): Promise<{ applied: number }>
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
      const open = await readCases(database, { states: OPEN_STATES })
      const byModel = Map.groupBy(open, ({ supplier, model }) => JSON.stringify([supplier, model]))
      return [...byModel.values()].flatMap((cases) => {
        const [first] = cases
        return first ? [{ supplier: first.supplier, model: first.model, scorePpm: scoreOf(cases) }] : []
      })
    },
    terms: () => readTerms(database),
    async declareTerms(terms, { by, reason }) {
      const nowMs = clock.nowMs()
      if (terms.validFromMs <= nowMs) throw termsBackdated({ validFromMs: terms.validFromMs })
      await database.transaction(async (tx) => {
        await addTerms(tx, terms)
        await addEvent(tx, { subject: 'sla terms', what: 'declared', by, reason, atMs: nowMs })
      })
    },
    indicators: ({ fromMs, toMs, ...who }) =>
      sumMinutes(database, {
        ...who,
        fromMs: fromMs - (fromMs % MINUTE_MS),
        toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS,
      }),
    watch: () => watchBudgets(database, { supplierSlaOf: deps.supplierSlaOf, nowMs: clock.nowMs() }),
    alerts: (query) => readAlerts(database, query),
    computeReports: (period, by) =>
      computeReports(database, { supplierSlaOf: deps.supplierSlaOf, period, by, nowMs: clock.nowMs() }),
    reports: (query) => readReports(database, query),
    reportCsv: ({ leg, party, period }) => requestsCsv(database, { leg, party, ...monthOf(period, clock.nowMs()) }),
    credits: (query) => readCredits(database, query),
    async credit(id) {
      const [credit] = await readCredits(database, { id })
      if (!credit) throw unknownCredit({ id })
      const { period, service, tier, leg } = credit
      const otherSide = await readCredits(database, {
        leg: leg === 'customer' ? 'supplier' : 'customer',
        ...{ period, service, tier },
      })
      return { credit, events: await eventsOf(database, id), otherSide }
    },
    decideCredit: (id, to, said) => database.transaction((tx) => decideCredit(tx, id, to, decision(said))),
    penaltiesOf: (query) => penaltiesOf(database, query, deps),
    accept: (subject, options, onProgress) => runAcceptance(deps, subject, options, onProgress),
    acceptances: (query) => readAcceptances(database, query),
    async acceptance(id) {
      const [found] = await readAcceptances(database, { id })
      if (!found) throw unknownAcceptance({ id })
      return found
    },
    applyCredits: () => applyCredits(database, deps.money, { nowMs: clock.nowMs() }),
  }
}
