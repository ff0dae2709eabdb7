import type { Queryable } from '#platform/postgres'
import { chainHash, GENESIS_HASH, postingId } from './chain.ts'
import { openCheck } from './check.ts'
import type { CheckResult } from './check.ts'
import { chain } from './service.ts'
import { chainHead, countBalances, countPostings, unbalancedPostings, wrongBalances } from './store.ts'

/**
 * Proves the books from the entries up: every posting sums to zero, every balance is the sum of its entries, the chain is whole.
 * Pass a read-only transaction at `repeatable read`, so that the checks look at one moment.
 */
export async function verifyLedger(db: Queryable): Promise<CheckResult[]> {
  return [await checkPostings(db), await checkBalances(db), await checkChain(db)]
}

async function checkPostings(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every posting sums to zero')
  check.see(await countPostings(db))
  for (const row of await unbalancedPostings(db)) {
    check.disagree(`posting ${row.id}: entries sum to ${row.total}, ${row.found} of ${row.expected} entries`)
  }
  return check.result()
}

async function checkBalances(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every balance is the sum of its entries')
  check.see(await countBalances(db))
  for (const row of await wrongBalances(db)) {
    check.disagree(
      `account ${row.account}: balance ${row.projected ?? 'missing'}, entries sum to ${row.summed ?? 'nothing'}`,
    )
  }
  return check.result()
}

async function checkChain(db: Queryable): Promise<CheckResult> {
  const check = openCheck('the hash chain is whole')
  let seq = 0
  let hash = GENESIS_HASH
  for await (const page of chain(db)) {
    for (const posting of page) {
      check.see()
      if (posting.seq !== seq + 1) check.disagree(`posting ${posting.id}: number ${posting.seq} follows ${seq}`)
      if (posting.prevHash !== hash) check.disagree(`posting ${posting.id}: does not continue posting number ${seq}`)
      if (posting.id !== postingId(posting.key))
        check.disagree(`posting ${posting.id}: id does not follow from its key`)
      if (posting.hash !== chainHash(posting)) check.disagree(`posting ${posting.id}: content does not match its hash`)
      seq = posting.seq
      hash = posting.hash
    }
  }
  const head = await chainHead(db)
  if (head?.seq !== seq || head.hash !== hash)
    check.disagree(`head of the chain: at number ${head?.seq ?? 'none'}, last posting is ${seq}`)
  return check.result()
}
