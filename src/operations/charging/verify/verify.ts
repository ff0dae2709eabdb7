import type { VerifyReply } from '#contract'
import { countFacts, verifyLedger } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Database } from '#platform/postgres'
import type { RatingSources } from '../charging.ts'
import { checkCorrections } from './corrections.ts'
import { checkDeferred, checkLots, checkWallets } from './lots.ts'
import { checkRecordsPosted, checkTopups, checkPostings } from './postings.ts'
import { checkEscrow, checkPeriods, checkQuarantine, checkRollups, checkSlices } from './projections.ts'
import type { Beat, OnProgress } from './progress.ts'
import { checkRecords } from './records.ts'
import { widenMemory } from './store.ts'

type Step = readonly [what: string, run: (beat: Beat) => Promise<CheckResult | readonly CheckResult[]>]

/**
 * Proves the books from the facts up, at one moment (a single snapshot of the database), while the factory goes on working. Large
 * tables pass through in pages or are summed by PostgreSQL, so memory does not grow with them.
 */
export async function verify(
  database: Database,
  sources: RatingSources,
  onProgress: OnProgress = () => {},
): Promise<VerifyReply> {
  return database.transaction(async (tx) => {
    await widenMemory(tx)
    const total = await countFacts(tx, 'usage')
    const steps: readonly Step[] = [
      ['usage records', (beat) => checkRecords(tx, sources, beat)],
      ['their postings', () => checkRecordsPosted(tx)],
      ['postings', (beat) => checkPostings(tx, beat)],
      ['top-ups', () => checkTopups(tx)],
      ['the ledger', () => verifyLedger(tx)],
      ['wallets', () => checkWallets(tx)],
      ['lots', () => checkLots(tx)],
      ['deferred revenue', () => checkDeferred(tx)],
      ['corrections', () => checkCorrections(tx)],
      ['what is set aside', () => checkEscrow(tx)],
      ['periods', () => checkPeriods(tx)],
      ['slices', () => checkSlices(tx)],
      ['roll-ups', () => checkRollups(tx)],
      ['quarantine', () => checkQuarantine(tx)],
    ]
    const checks: CheckResult[] = []
    for (const [index, [what, run]] of steps.entries()) {
      const tell = (done: number, of: number) =>
        onProgress({ step: index + 1, steps: steps.length, what, done: Math.min(done, of), total: of })
      tell(0, 0)
      checks.push(...[await run((done) => tell(done, total))].flat())
    }
    const all = withEqualCounts(checks)
    return {
      ok: all.every((check) => check.ok),
      checks: all.map((check) => ({ ...check, disagreements: [...check.disagreements] })),
    }
  }, 'repeatable read')
}

/** The first two count the same records in two ways: a check that looked at fewer has proved less than it says. */
function withEqualCounts([records, posted, ...others]: readonly CheckResult[]): CheckResult[] {
  if (!records || !posted) throw new Error('verify looked at no records')
  if (posted.seen === records.seen) return [records, posted, ...others]
  const missing = `saw ${posted.seen} of ${records.seen} records`
  return [records, { ...posted, ok: false, disagreements: [...posted.disagreements, missing].slice(-20) }, ...others]
}
