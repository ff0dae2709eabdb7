import { balances, openCheck } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { countQuarantine, openQuarantine } from '../quarantine/store.ts'
import { allWallets } from '../wallet/store.ts'
import { countRollups, countSlices, wrongEscrows, wrongRollups, wrongSlices } from './store.ts'

export async function checkWallets(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every wallet is what the ledger owes its tenant')
  const owed = new Map((await balances(db, '2000:')).map((balance) => [balance.account, 0n - balance.amountPico]))
  for (const { tenant, postedPico, escrowedPico } of await allWallets(db)) {
    check.see()
    const account = `2000:${tenant}`
    const due = owed.get(account) ?? 0n
    if (postedPico !== due) check.disagree(`wallet ${tenant}: ${postedPico} posted, the ledger owes ${due}`)
    if (escrowedPico < 0n || escrowedPico > postedPico)
      check.disagree(`wallet ${tenant}: ${escrowedPico} set aside of ${postedPico}`)
    owed.delete(account)
  }
  for (const [account, due] of owed)
    if (due !== 0n) check.disagree(`account ${account}: ${due} owed, and there is no wallet`)
  return check.result()
}

export async function checkEscrow(db: Queryable): Promise<CheckResult> {
  const check = openCheck('what wallets have set aside is what open slices have left')
  check.see((await allWallets(db)).length)
  for (const row of await wrongEscrows(db))
    check.disagree(`wallet ${row.tenant}: ${row.escrowed} set aside, open slices have ${row.open} left`)
  return check.result()
}

export async function checkSlices(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every slice has settled what its records cost')
  check.see(await countSlices(db))
  for (const row of await wrongSlices(db)) {
    const strangers = Number(row.strangers) > 0 ? `, ${row.strangers} records of another tenant or gateway` : ''
    check.disagree(
      `slice ${row.id}: ${row.settled} settled by ${row.records} records, found ${row.sold} by ${row.found}${strangers}`,
    )
  }
  return check.result()
}

export async function checkRollups(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every roll-up is the sum of its records')
  check.see(await countRollups(db))
  for (const row of await wrongRollups(db))
    check.disagree(`roll-up ${row.cell}: ${row.stored ?? 'missing'}, its records sum to ${row.summed ?? 'nothing'}`)
  return check.result()
}

export async function checkQuarantine(db: Queryable): Promise<CheckResult> {
  const check = openCheck('no usage record waits in quarantine')
  check.see((await countQuarantine(db)).all)
  for (const row of await openQuarantine(db, 100)) check.disagree(`record ${row.id}: ${row.reason}`)
  return check.result()
}
