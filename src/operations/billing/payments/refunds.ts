import { fenToPico } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { payoutEntries } from '../model/postings.ts'
import { invalidAmount, refundReused, unknownRefund } from '../problems.ts'
import { assertNoneOverstated } from '../fapiao/overstated.ts'
import { rollUp } from '../rollup/service.ts'
import { lockAccount } from '../run/store.ts'
import { findRefund, insertRefund, setPaid } from './refund-store.ts'
import type { Refund } from './refund-store.ts'

export interface RefundRequest {
  readonly reference: string
  readonly tenant: string
  readonly amountFen: bigint
  readonly by: string
}

/**
 * Sets paid money of a wallet aside to be paid back; nobody can spend it from then on. Once per reference. Throws `refund_reused`,
 * `invalid_amount`, `insufficient_balance`, `fapiao_not_reversed`.
 */
export async function requestRefund(deps: BillingDeps, request: RefundRequest): Promise<Refund> {
  const { reference, tenant, amountFen, by } = request
  if (amountFen <= 0n) throw invalidAmount({ amount: `${amountFen} fen` })
  await rollUp(deps.database, deps.taxOf)
  return deps.database.transaction(async (tx) => {
    await lockAccount(tx, tenant)
    const isNew = await insertRefund(tx, { reference, tenant, amountFen, atMs: deps.clock.nowMs(), by })
    const refund = await refundByReference(tx, reference)
    if (refund.tenant !== tenant || refund.amountFen !== amountFen) throw refundReused({ reference })
    const memo = `refund ${reference}`
    if (!isNew) return refund
    await assertNoneOverstated(tx, tenant)
    await deps.charging.withdraw(tx, { tenant, amountPico: fenToPico(amountFen), reference, memo })
    return refund
  })
}

/** Books that the bank has paid a refund. Repeating it changes nothing. Throws `unknown_refund`, `fapiao_not_reversed`. */
export async function payRefund(
  deps: BillingDeps,
  { reference, by }: { reference: string; by: string },
): Promise<Refund> {
  await rollUp(deps.database, deps.taxOf)
  return deps.database.transaction(async (tx) => {
    const { tenant } = await refundByReference(tx, reference)
    await lockAccount(tx, tenant)
    const refund = await refundByReference(tx, reference)
    if (refund.state === 'paid') return refund
    await assertNoneOverstated(tx, tenant)
    const atMs = deps.clock.nowMs()
    await setPaid(tx, { reference, atMs, by })
    await deps.charging.postReceivable(tx, {
      ...{
        key: `payout:${reference}`,
        kind: 'payout',
        memo: `refund ${reference}`,
        bookedAtMs: atMs,
        evidence: null,
        facts: 1,
      },
      entries: payoutEntries(refund.tenant, refund.amountFen),
    })
    return refundByReference(tx, reference)
  })
}

async function refundByReference(tx: Transaction, reference: string): Promise<Refund> {
  const refund = await findRefund(tx, reference)
  if (!refund) throw unknownRefund({ reference })
  return refund
}
