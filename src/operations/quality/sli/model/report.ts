import { hash } from 'node:crypto'
import type { SlaTerm } from '#contract'
import { divideHalfEven } from '#kernel'
import type { SlaScope, SlaTerms } from './terms.ts'

export const WHOLE_PPM = 1_000_000

/** What a span of time came to for one service and tier of a party. */
export interface SliSums extends SlaScope {
  readonly requests: number
  readonly failed: number
  /** Of the failed ones, those that are the asker's own. */
  readonly excused: number
  readonly excluded: number
  readonly ttftValid: number
  readonly ttftGood: number
  readonly tpotValid: number
  readonly tpotGood: number
  readonly netPico: bigint
  readonly taxPico: bigint
}

export interface MeasureResult extends SlaTerm {
  readonly valid: number
  readonly good: number
  /** Rounded down; all of nothing is 100 %. */
  readonly attainmentPpm: number
  readonly isMissed: boolean
  readonly penaltyPpm: number
}

export interface ReportLine extends SliSums {
  readonly measures: readonly MeasureResult[]
  /** The worst measure decides: one bad hour that misses several is not paid for several times. */
  readonly penaltyPpm: number
  readonly creditNetPico: bigint
  readonly creditTaxPico: bigint
}

export function validAndGood(
  sums: Omit<SliSums, keyof SlaScope>,
  measure: SlaTerm['measure'],
): { valid: number; good: number } {
  if (measure === 'ttft') return { valid: sums.ttftValid, good: sums.ttftGood }
  if (measure === 'tpot') return { valid: sums.tpotValid, good: sums.tpotGood }
  return { valid: sums.requests - sums.excused, good: sums.requests - sums.failed }
}

export function judge(sums: SliSums, term: SlaTerm): MeasureResult {
  const { valid, good } = validAndGood(sums, term.measure)
  const attainmentPpm = valid === 0 ? WHOLE_PPM : Number((BigInt(good) * BigInt(WHOLE_PPM)) / BigInt(valid))
  const due = term.steps.filter(({ belowPpm }) => attainmentPpm < belowPpm).map(({ penaltyPpm }) => penaltyPpm)
  return {
    ...term,
    valid,
    good,
    attainmentPpm,
    isMissed: attainmentPpm < term.targetPpm,
    penaltyPpm: Math.max(0, ...due),
  }
}

export function reportLine(sums: SliSums, terms: SlaTerms | undefined): ReportLine {
  const measures = (terms?.measures ?? []).map((term) => judge(sums, term))
  const penaltyPpm = Math.max(0, ...measures.map((each) => each.penaltyPpm))
  const part = (amount: bigint) => divideHalfEven(amount * BigInt(penaltyPpm), BigInt(WHOLE_PPM))
  return { ...sums, measures, penaltyPpm, creditNetPico: part(sums.netPico), creditTaxPico: part(sums.taxPico) }
}

export function creditId({ leg, party, service, tier }: SlaScope, period: string): string {
  const name = JSON.stringify([leg, party, service, tier, period])
  return `${leg === 'customer' ? 'slc' : 'pen'}_${hash('sha256', name, 'hex').slice(0, 20)}`
}

export type CreditState = 'computed' | 'contested' | 'approved' | 'applied' | 'waived'

/** `contested`: who would pay, or thinks it too little, says so; somebody decides again. */
const TRANSITIONS: Readonly<Record<CreditState, readonly CreditState[]>> = {
  computed: ['contested', 'approved', 'waived'],
  contested: ['approved', 'waived'],
  approved: ['applied'],
  applied: [],
  waived: [],
}
export const mayCreditBecome = (from: CreditState, to: CreditState): boolean => TRANSITIONS[from].includes(to)

export interface SlaCredit extends SlaScope {
  readonly id: string
  readonly period: string
  /** Of the report that it follows from. */
  readonly version: number
  readonly ppm: number
  readonly netPico: bigint
  readonly taxPico: bigint
  readonly state: CreditState
  readonly proposedBy: string
}

/**
 * What an approved credit moves in the books (charging.md 2.3, row 13). A penalty (row 11) is booked by settlement, which takes it off
 * what is paid: it gets approved ones as proposals.
 */
export function creditEntries({ party, netPico, taxPico }: Pick<SlaCredit, 'party' | 'netPico' | 'taxPico'>) {
  return [
    { account: `4100:${party}`, amountPico: netPico },
    { account: '2200', amountPico: taxPico },
    { account: `2300:${party}`, amountPico: -(netPico + taxPico) },
  ]
}
