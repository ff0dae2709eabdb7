import type { VerifyReply } from '#contract'
import { verifyLedger } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Database } from '#platform/postgres'
import type { RatingSources } from '../charging.ts'
import { checkCorrections } from './corrections.ts'
import { checkDeferred, checkLots, checkWallets } from './lots.ts'
import { checkRecordsPosted, checkTopups, checkPostings } from './postings.ts'
import { checkEscrow, checkPeriods, checkQuarantine, checkRollups, checkSlices } from './projections.ts'
import { checkRecords } from './records.ts'

/**
 * Proves the books from the facts up, at one moment (a single snapshot of the database), while the factory goes on working. Large
 * tables pass through in pages or are summed by PostgreSQL, so memory does not grow with them.
 */
export async function verify(database: Database, sources: RatingSources): Promise<VerifyReply> {
  return database.transaction(async (tx) => {
    const records = await checkRecords(tx, sources)
    const posted = await checkRecordsPosted(tx)
    const checks: CheckResult[] = [
      records,
      // Two ways to count the same records: a check that looked at fewer has proved less than it says.
      posted.seen === records.seen
        ? posted
        : {
            ...posted,
            ok: false,
            disagreements: [...posted.disagreements, `saw ${posted.seen} of ${records.seen} records`].slice(-20),
          },
      ...(await checkPostings(tx)),
      await checkTopups(tx),
      ...(await verifyLedger(tx)),
      await checkWallets(tx),
      await checkLots(tx),
      await checkDeferred(tx),
      await checkCorrections(tx),
      await checkEscrow(tx),
      await checkPeriods(tx),
      await checkSlices(tx),
      await checkRollups(tx),
      await checkQuarantine(tx),
    ]
    return {
      ok: checks.every((check) => check.ok),
      checks: checks.map((check) => ({ ...check, disagreements: [...check.disagreements] })),
    }
  }, 'repeatable read')
}
