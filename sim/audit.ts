/**
 * The tests of token counts against simulated suppliers: `npm run sim:audit -- [--seeds 30] [--requests 50000]`. Prints after how
 * many requests each kind of inflation is flagged, and ends with 1 if an honest supplier is, or if one that adds 2 % to all requests
 * takes more than 1.2 times the median of the reference (564 requests, docs of the design, 5.2).
 */
import { parseArgs } from 'node:util'
import { NOTHING_SEEN, USUAL_SETTINGS, flaggedBy, isFlagged, see } from '#quality'
import type { AuditState, TokenClaim } from '#quality'
import { honestRequests, inflatedRequests } from './audit/suppliers.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '30' }, requests: { type: 'string', default: '50000' } },
})
const seeds = Number(values.seeds)
const most = Number(values.requests)
const REFERENCE_AT_2_PERCENT = 564

/** By the test of the mean alone, which is what the reference states, or by whichever of the two is first. */
function untilFlag(claims: Iterable<TokenClaim>, only?: 'mean'): number {
  let state: AuditState = NOTHING_SEEN
  for (const claim of claims) {
    state = see(state, claim, USUAL_SETTINGS.output)
    if (only === 'mean' ? isFlagged(state.meanWealth) : flaggedBy(state)) return state.seen
    if (state.seen >= most) break
  }
  return Infinity
}

const CASES = [
  ['honest', {}],
  ['+0.5 % on all', { percent: 0.5 }],
  ['+1 % on all', { percent: 1 }],
  ['+2 % on all', { percent: 2 }],
  ['+5 % on all', { percent: 5 }],
  ['+10 % on all', { percent: 10 }],
  ['+5 % on a fifth', { percent: 5, share: 0.2 }],
  ['+30 % on a fiftieth', { percent: 30, share: 0.02 }],
] as const

const shown = (count: number) => (Number.isFinite(count) ? String(count) : 'never').padStart(8)
const columns = ['flagged', 'median', 'worst', 'by mean', 'median'].map((each) => each.padStart(8)).join(' ')
console.log(`${'supplier'.padEnd(22)} ${columns}`)
for (const [name, kind] of CASES) {
  const claims = (seed: number) => ('percent' in kind ? inflatedRequests({ seed, ...kind }) : honestRequests({ seed }))
  const flags = (only?: 'mean') =>
    Array.from({ length: seeds }, (_, seed) => untilFlag(claims(seed), only)).toSorted((a, b) => a - b)
  const [both, mean] = [flags(), flags('mean')]
  const flagged = (some: readonly number[]) => `${some.filter(Number.isFinite).length}/${seeds}`.padStart(8)
  const median = (some: readonly number[]) => some[Math.floor(some.length / 2)] ?? Infinity
  const told = [flagged(both), shown(median(both)), shown(both.at(-1) ?? Infinity), flagged(mean), shown(median(mean))]
  console.log(`${name.padEnd(22)} ${told.join(' ')}`)
  if (name === 'honest' && Number.isFinite(both[0])) process.exitCode = 1
  if (name === '+2 % on all' && median(mean) > 1.2 * REFERENCE_AT_2_PERCENT) process.exitCode = 1
}
