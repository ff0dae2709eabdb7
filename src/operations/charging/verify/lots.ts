import { balances, openCheck } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { ownerOfTokens, walletOf } from '../bucket/model.ts'
import { bucketsOfKind } from '../bucket/store.ts'
import { countFees, countLots, feesDeferred, lotSums, wrongFees, wrongLots, wrongRecognition } from './store.ts'

/** What is owed to tenants by account: credits are positive, so a wallet with money in it is too. */
async function owed(db: Queryable, prefix: string): Promise<Map<string, bigint>> {
  return new Map((await balances(db, prefix)).map((balance) => [balance.account, 0n - balance.amountPico]))
}

/** A wallet is what the ledger owes its tenant in lots, less the credit that the tenant has used. */
export async function checkWallets(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every wallet is what the ledger owes its tenant')
  const accounts = await owed(db, '')
  const pending = new Map<string, bigint>()
  for (const sum of await lotSums(db)) pending.set(sum.bucket, (pending.get(sum.bucket) ?? 0n) + sum.pending)
  const tenants = new Set<string>()
  for (const { id, tenant, posted, escrowed, creditLimit, overrun } of await bucketsOfKind(db, 'wallet')) {
    check.see()
    tenants.add(tenant)
    const account = (code: string) => accounts.get(`${code}:${tenant}`) ?? 0n
    const due = account('2000') + account('2001') + account('1100') + account('1110') - (pending.get(id) ?? 0n)
    if (posted !== due) check.disagree(`wallet ${tenant}: ${posted} posted, the ledger owes ${due}`)
    if (escrowed < 0n || escrowed > posted + creditLimit)
      check.disagree(`wallet ${tenant}: ${escrowed} set aside of ${posted} and ${creditLimit} of credit`)
    if (overrun !== -account('1190'))
      check.disagree(`wallet ${tenant}: an overrun of ${overrun}, the ledger has ${-account('1190')}`)
  }
  for (const [account, due] of accounts) {
    const [, tenant] = /^(?:2000|2001|1100|1110|1190):(.+)$/.exec(account) ?? []
    if (tenant !== undefined && due !== 0n && !tenants.has(tenant))
      check.disagree(`account ${account}: ${due} owed, and there is no wallet`)
  }
  return check.result()
}

/** Every lot is what is left after all that burned it, and lots of a kind are together what the ledger has of them. */
export async function checkLots(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every lot is what was granted less what was used of it')
  check.see(await countLots(db))
  for (const row of await wrongLots(db))
    check.disagree(
      `lot ${row.id}: ${row.remaining ?? 'nothing'} left of ${row.granted ?? 'nothing'}, records burned ${row.burned}, bookings moved ${row.moved}`,
    )
  for (const row of await wrongRecognition(db))
    check.disagree(`lot ${row.id}: ${row.recognised} of ${row.net} recognised, it should be ${row.due}`)
  const sums = await lotSums(db)
  const held = new Map<string, bigint>()
  const active = new Map<string, bigint>()
  for (const { bucket, source, active: burnable, pending } of sums) {
    const tokens = ownerOfTokens(bucket)
    const account = tokens
      ? `8010:${tokens.tenant}/${tokens.table}`
      : `${source === 'paid' ? 2000 : 2001}:${bucket.slice(walletOf('').length)}`
    held.set(account, (held.get(account) ?? 0n) + burnable + pending)
    if (tokens) active.set(bucket, (active.get(bucket) ?? 0n) + burnable)
  }
  for (const prefix of ['2000:', '2001:', '8010:'])
    for (const [account, due] of await owed(db, prefix)) {
      if (due !== (held.get(account) ?? 0n))
        check.disagree(`account ${account}: ${due} owed, its lots have ${held.get(account) ?? 0n}`)
      held.delete(account)
    }
  for (const [account, amount] of held)
    if (amount !== 0n) check.disagree(`account ${account}: nothing owed, its lots have ${amount}`)
  for (const { id, posted } of await bucketsOfKind(db, 'tokens'))
    if (posted !== (active.get(id) ?? 0n))
      check.disagree(`bucket ${id}: ${posted} posted, its lots have ${active.get(id) ?? 0n}`)
  return check.result()
}

/** What is deferred is what lots of tokens and fees that are earned over time have not earned yet. */
export async function checkDeferred(db: Queryable): Promise<CheckResult> {
  const check = openCheck('deferred revenue is what packages and fees have not earned yet')
  check.see(await countFees(db))
  for (const row of await wrongFees(db))
    check.disagree(
      `fee ${row.reference}: amount, refunded and earned are ${row.stored}, booked are ${row.booked ?? 'nothing'}`,
    )
  const due = await feesDeferred(db)
  for (const { bucket, net, recognised } of await lotSums(db)) {
    const owner = ownerOfTokens(bucket)?.tenant
    if (owner !== undefined) due.set(owner, (due.get(owner) ?? 0n) + net - recognised)
  }
  for (const [account, deferred] of await owed(db, '2010:')) {
    const tenant = account.slice('2010:'.length)
    if (deferred !== (due.get(tenant) ?? 0n))
      check.disagree(
        `account ${account}: ${deferred} deferred, packages and fees have ${due.get(tenant) ?? 0n} to earn`,
      )
    due.delete(tenant)
  }
  for (const [tenant, amount] of due)
    if (amount !== 0n)
      check.disagree(`account 2010:${tenant}: nothing deferred, packages and fees have ${amount} to earn`)
  return check.result()
}
