import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'

/** What an agreement says about a supplier's statements. */
export interface StatementTerms {
  /** Null where there is no agreement. */
  readonly agreement: string | null
  readonly taxPercent: number
  /** Differences up to the larger of the two settle themselves, line by line and in sum. */
  readonly tolerance: { readonly absPico: bigint; readonly bps: number }
}

/** A penalty that another room computed from its evidence; settlement books it once somebody approved. */
export interface PenaltyProposal {
  readonly id: string
  readonly kind: 'sla' | 'lateness' | 'audit'
  readonly amountPico: bigint
  readonly reason: string
  readonly evidence: string | null
}

/** A service of the operator that a supplier was asked for in a month, as charging sums it. */
export interface SupplierUsage {
  readonly supplier: string
  readonly requests: number
  readonly accruedPico: bigint
}

export interface SettlementDeps {
  readonly database: Database
  readonly clock: Clock
  /** The agreement in force at an instant; undefined: none. */
  readonly termsOf: (supplier: string, atMs: number) => Promise<StatementTerms | undefined>
  /** What the month's evidence says the supplier owes us. */
  readonly penaltiesOf: (ask: { supplier: string; period: string }) => Promise<readonly PenaltyProposal[]>
  readonly usageOf: (span: { fromMs: number; toMs: number }) => Promise<readonly SupplierUsage[]>
  readonly knownSupplier: (supplier: string) => Promise<boolean>
}
