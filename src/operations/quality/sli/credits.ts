import { post } from '#ledger'
import type { Charging } from '#charging'
import type { Database, Transaction } from '#platform/postgres'
import { illegalTransition, samePerson, unknownCredit } from '../problems.ts'
import { addEvent } from '../store/events.ts'
import { lockCredit, readCredits, saveCreditState } from '../store/sla.ts'
import { creditEntries, mayCreditBecome } from './model/report.ts'
import type { CreditState, SlaCredit } from './model/report.ts'
import type { Decision } from '../audit/decisions.ts'

/** How a credit gets into a customer's wallet: as a payment of ours, once per reference. */
export type CreditMoney = Pick<Charging, 'topupIn' | 'lockForTopups'>

/**
 * Moves a credit or a penalty. Who computed it cannot approve it; approval posts a credit once, and hands a penalty on to settlement. Throws `unknown_credit`,
 * `illegal_transition`, `same_person`.
 */
export async function decideCredit(
  tx: Transaction,
  id: string,
  to: CreditState,
  decision: Decision,
): Promise<SlaCredit> {
  const { by, reason, nowMs } = decision
  const before = await lockCredit(tx, id)
  if (!before) throw unknownCredit({ id })
  if (!mayCreditBecome(before.state, to)) throw illegalTransition({ id, from: before.state, to })
  if ((to === 'approved' || to === 'waived') && before.proposedBy === by) throw samePerson({ id })
  await saveCreditState(tx, id, to)
  await addEvent(tx, { subject: id, what: to, by, reason, atMs: nowMs })
  if (to === 'approved' && before.leg === 'customer') {
    await post(tx, {
      key: `sla:${id}`,
      kind: 'sla_credit',
      memo: `${id}: ${before.ppm} ppm of ${before.period}`,
      bookedAtMs: nowMs,
      entries: creditEntries(before),
      evidence: null,
      facts: 1,
    })
  }
  return { ...before, state: to }
}

/**
 * Gives approved credits to their customers: the wallet is topped up by what was approved, once, and what was owed for it is settled
 * against the clearing account that the top-up came from.
 */
export async function applyCredits(
  database: Database,
  money: CreditMoney,
  { nowMs }: { readonly nowMs: number },
): Promise<{ applied: number }> {
  const due = await readCredits(database, { leg: 'customer', state: 'approved' })
  for (const { id } of due) await database.transaction((tx) => applyCredit(tx, money, id, nowMs))
  return { applied: due.length }
}

async function applyCredit(tx: Transaction, money: CreditMoney, id: string, nowMs: number): Promise<void> {
  const credit = await lockCredit(tx, id)
  if (credit?.state !== 'approved') return
  const amountPico = credit.netPico + credit.taxPico
  await saveCreditState(tx, id, 'applied')
  await addEvent(tx, { subject: id, what: 'applied', by: 'tokenfactory', reason: 'into the wallet', atMs: nowMs })
  await money.lockForTopups(tx, [credit.party])
  await money.topupIn(tx, { tenant: credit.party, amountPico, reference: `sla-${id}` })
  await post(tx, {
    key: `sla-given:${id}`,
    kind: 'sla_credit_given',
    memo: `${id} is in the wallet`,
    bookedAtMs: nowMs,
    entries: [
      { account: `2300:${credit.party}`, amountPico },
      { account: '1010', amountPico: -amountPico },
    ],
    evidence: null,
    facts: 1,
  })
}
