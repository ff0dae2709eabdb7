import type { UsageRecord } from '#contract'

/** The usage in one posting of one payer, day in China (when it was completed), tenant, service and price sheet. */
export interface UsageCell {
  readonly postingId: string
  readonly payer: string
  /** `2026-11-25`. */
  readonly day: string
  readonly tenant: string
  readonly service: string
  readonly sheet: string
  readonly requests: number
  readonly tokens: bigint
  readonly sellPico: bigint
  /** The parts of it that gifts and credit cover. */
  readonly giftPico: bigint
  readonly creditPico: bigint
  /** Tax on what is not a gift, as posted. */
  readonly taxPico: bigint
  readonly buyPico: bigint
}

/** One record as it is in the books: what it says, and who covers its price; or what a later correction of it changed. */
export interface BookedRecord {
  readonly record: UsageRecord
  readonly postingId: string
  /** The correction's name; null for the record itself. */
  readonly correction: string | null
  readonly sellPico: bigint
  readonly giftPico: bigint
  readonly creditPico: bigint
  readonly taxPico: bigint
}

/** Which records of some postings are wanted; all conditions hold together. */
export interface RecordQuery {
  readonly postingIds: readonly string[]
  readonly payer?: string
  readonly service?: string
  readonly sheet?: string
  /** Completed from `fromMs` (inclusive) to `toMs` (exclusive). */
  readonly fromMs: number
  readonly toMs: number
  /** Id of the last record of the page before. */
  readonly after?: string
  readonly limit: number
}

/** The usage in one posting of one day and service, summed from the records as gateways wrote them. */
export interface WrittenUsage {
  readonly postingId: string
  readonly day: string
  readonly service: string
  readonly requests: number
  readonly tokens: bigint
  readonly sellPico: bigint
  readonly buyPico: bigint
}

/** A fee that was charged, or (below zero) given back. */
export interface FeeFact {
  readonly postingId: string
  readonly reference: string
  readonly tenant: string
  readonly grossPico: bigint
  readonly creditPico: bigint
  readonly taxPico: bigint
  readonly bookedAtMs: number
}
