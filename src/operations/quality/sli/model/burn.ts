import type { SlaTerm } from '#contract'
import { WHOLE_PPM, validAndGood } from './report.ts'
import type { SliSums } from './report.ts'

/** The error budget burns so many times too fast over the long window, and over the short one still. */
export interface BurnRule {
  readonly name: string
  readonly atLeast: number
  readonly longMinutes: number
  readonly shortMinutes: number
}

/** scheduling.md 4: 14.4× spends a fiftieth of a month's budget in an hour; 6× a twentieth in six hours. */
export const BURN_RULES: readonly BurnRule[] = [
  { name: '14.4x/1h', atLeast: 14.4, longMinutes: 60, shortMinutes: 5 },
  { name: '6x/6h', atLeast: 6, longMinutes: 360, shortMinutes: 30 },
]

/** How many times faster than a month's budget allows. */
export function burnOf(sums: SliSums, { measure, targetPpm }: SlaTerm): number {
  const { valid, good } = validAndGood(sums, measure)
  const budget = Math.max(1, WHOLE_PPM - targetPpm) / WHOLE_PPM
  return valid === 0 ? 0 : (valid - good) / valid / budget
}

/** The burn that alerts, or undefined. The short window ends an alert soon after the cause is gone. */
export function alertsAt(rule: BurnRule, term: SlaTerm, long: SliSums, short: SliSums): number | undefined {
  const burn = burnOf(long, term)
  return burn >= rule.atLeast && burnOf(short, term) >= rule.atLeast ? burn : undefined
}
