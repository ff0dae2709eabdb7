import type { BalanceView } from '#contract'
import { post, postingId } from '#ledger'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { MOST_PICO, topupEntries } from '../model.ts'
import { invalidAmount, topupReused } from '../problems.ts'
import { allWallets, insertTopup, lockWallets, moveWallets, openWallets, topupByReference, wallet } from './store.ts'
import type { Wallet } from './store.ts'

export interface Topup {
  readonly tenant: string
  readonly amountPico: bigint
  /** The payment's id. Booking it again books nothing. */
  readonly reference: string
}

/**
 * Opens and locks the wallets of several top-ups. Without it, the second top-up of a transaction would wait for a wallet while
 * the first one's posting holds up everybody who posts, and that may be for ever.
 */
export async function lockForTopups(tx: Transaction, tenants: readonly string[]): Promise<void> {
  const distinct = [...new Set(tenants)]
  await openWallets(tx, distinct)
  await lockWallets(tx, distinct)
}

/** The top-up inside a caller's transaction, for changes that are all or nothing. `booked` is false for a repetition. */
export async function topupIn(
  tx: Transaction,
  { tenant, amountPico, reference }: Topup,
  nowMs: number,
): Promise<{ booked: boolean }> {
  if (amountPico <= 0n || amountPico > MOST_PICO) throw invalidAmount({ amount: `${amountPico}` })
  const key = `topup:${reference}`
  await lockForTopups(tx, [tenant])
  const isNew = await insertTopup(tx, { reference, tenant, amountPico, postingId: postingId(key), bookedAtMs: nowMs })
  if (!isNew) {
    const before = await topupByReference(tx, reference)
    if (before?.tenant !== tenant || before.amountPico !== amountPico) throw topupReused({ reference })
    return { booked: false }
  }
  await moveWallets(tx, [{ tenant, postedPico: amountPico, escrowedPico: 0n }])
  const entries = topupEntries({ tenant, amountPico })
  await post(tx, {
    key,
    kind: 'topup',
    memo: `top-up ${reference}`,
    bookedAtMs: nowMs,
    entries,
    evidence: null,
    facts: 1,
  })
  return { booked: true }
}

export async function topup(
  { database, clock }: { database: Database; clock: Clock },
  request: Topup,
): Promise<BalanceView> {
  await database.transaction((tx) => topupIn(tx, request, clock.nowMs()))
  return balance(database, request.tenant)
}

/** A tenant that never had money has a balance of zero. */
export async function balance(db: Queryable, tenant: string): Promise<BalanceView> {
  return toView((await wallet(db, tenant)) ?? { tenant, postedPico: 0n, escrowedPico: 0n })
}

export async function wallets(db: Queryable): Promise<BalanceView[]> {
  return (await allWallets(db)).map(toView)
}

function toView({ tenant, postedPico, escrowedPico }: Wallet): BalanceView {
  const availablePico = `${postedPico - escrowedPico}`
  return { tenant, currency: 'CNY', postedPico: `${postedPico}`, escrowedPico: `${escrowedPico}`, availablePico }
}
