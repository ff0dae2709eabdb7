import { NOTHING_SEEN, USUAL_SETTINGS, flaggedBy, isFlagged, see } from '#quality'
import type { AuditState, TokenClaim } from '#quality'
import { honestRequests, inflatedRequests } from '../../audit/suppliers.ts'
import type { Claim } from './claim.ts'

const SEEDS = 30
const MOST = 20_000
/** Median requests until the test of the mean flags a supplier that adds so many per cent (scheduling reference §5.2). */
const REFERENCE = [
  [2, 564],
  [5, 221],
  [10, 112],
] as const

function untilFlag(claims: Iterable<TokenClaim>, isOver: (state: AuditState) => boolean): number {
  let state: AuditState = NOTHING_SEEN
  for (const claim of claims) {
    state = see(state, claim, USUAL_SETTINGS.output)
    if (isOver(state)) return state.seen
    if (state.seen >= MOST) return Number.POSITIVE_INFINITY
  }
  return Number.POSITIVE_INFINITY
}

export const auditClaim: Claim = {
  row: 14,
  title: 'Suppliers that inflate token counts are flagged by an anytime-valid test',
  passIf: 'medians no more than 20 % above 564, 221, 112 requests for + 2, 5, 10 %; no honest supplier flagged',
  check() {
    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed)
    const medians = REFERENCE.map(([percent]) => {
      const counts = seeds.map((seed) =>
        untilFlag(inflatedRequests({ seed, percent }), ({ meanWealth }) => isFlagged(meanWealth)),
      )
      return counts.toSorted((one, other) => one - other)[SEEDS >> 1]!
    })
    const alarms = seeds.filter((seed) =>
      Number.isFinite(untilFlag(honestRequests({ seed }), (state) => flaggedBy(state) !== undefined)),
    ).length
    return {
      passed: medians.every((median, i) => median <= 1.2 * REFERENCE[i]![1]) && alarms === 0,
      found: `${REFERENCE.map(([percent], i) => `+ ${percent} %: ${medians[i]!}`).join(', ')}; ${alarms} of ${SEEDS} honest flagged`,
    }
  },
}
