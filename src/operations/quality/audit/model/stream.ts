import {
  STARTING_EXCESS_WEALTH,
  STARTING_WEALTH,
  betOnExcess,
  betOnMean,
  deviationOf,
  isFlagged,
  logWealth,
} from './e-process.ts'
import { isExcess } from './payment.ts'
import type { Slack } from './payment.ts'

export type Side = 'output' | 'input'
export type AuditTest = 'mean' | 'excess'

/** What counts as honest for a supplier's model. Changing it starts the tests anew. */
export interface AuditSettings {
  /** The mean deviation of an honest supplier: 1,000 is a thousandth. */
  readonly tauPpm: number
  /** Tokens that the supplier adds to every request. */
  readonly fixedTokens: number
  /** Of an honest supplier's requests, so many are beyond their tolerance. */
  readonly excessPpm: number
  readonly slack: Slack
}

/** scheduling.md 5.2: a thousandth on average; 4 tokens or 0.5 % of an output, 8 or 1 % of an input. */
export const USUAL_SETTINGS: Readonly<Record<Side, AuditSettings>> = {
  output: { tauPpm: 1000, fixedTokens: 0, excessPpm: 5000, slack: { tokens: 4, ppm: 5000 } },
  input: { tauPpm: 1000, fixedTokens: 0, excessPpm: 5000, slack: { tokens: 8, ppm: 10_000 } },
}

/** One supplier's model seen from one side: where its two tests are. */
export interface AuditState {
  readonly seen: number
  readonly meanWealth: readonly number[]
  readonly excessWealth: readonly number[]
  readonly excesses: number
  readonly reportedTokens: number
  readonly countedTokens: number
}

export const NOTHING_SEEN: AuditState = {
  seen: 0,
  meanWealth: STARTING_WEALTH,
  excessWealth: STARTING_EXCESS_WEALTH,
  excesses: 0,
  reportedTokens: 0,
  countedTokens: 0,
}

export interface TokenClaim {
  readonly reported: number
  readonly counted: number
}

/** One more request. Whether a test flags after it is for `flaggedBy`. */
export function see(state: AuditState, claim: TokenClaim, settings: AuditSettings): AuditState {
  const { reported, counted } = claim
  const beyond = isExcess({ reported: reported - settings.fixedTokens, counted, slack: settings.slack })
  const deviation = deviationOf({ reported, counted, fixedTokens: settings.fixedTokens })
  return {
    seen: state.seen + 1,
    meanWealth: betOnMean(state.meanWealth, deviation, settings.tauPpm / 1_000_000),
    excessWealth: betOnExcess(state.excessWealth, beyond, settings.excessPpm / 1_000_000),
    excesses: state.excesses + (beyond ? 1 : 0),
    reportedTokens: state.reportedTokens + reported,
    countedTokens: state.countedTokens + counted,
  }
}

/** The test that says so, the mean first. */
export function flaggedBy({ meanWealth, excessWealth }: AuditState): AuditTest | undefined {
  if (isFlagged(meanWealth)) return 'mean'
  return isFlagged(excessWealth) ? 'excess' : undefined
}

/** The evidence as people read it: E as a power of ten. */
export const evidenceLog10 = (wealth: readonly number[]): number => logWealth(wealth) / Math.LN10
