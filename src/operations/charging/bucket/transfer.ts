import { post } from '#ledger'
import type { Posted, PostingInput } from '#ledger'
import type { Transaction } from '#platform/postgres'
import { book } from '../bookings/service.ts'
import { findBooking } from '../bookings/store.ts'
import { movesOf, movesOfLots, payable } from '../fees/payable.ts'
import { insertLot, moveLots } from '../lots/store.ts'
import { MOST_PICO } from '../model.ts'
import { invalidAmount, notShared, transferReused } from '../problems.ts'
import { isSharedNow } from '../shares/service.ts'
import { lockAccounts } from './accounts.ts'
import { overrunPaid } from './overrun.ts'
import { paidLot } from './service.ts'
import { moveBuckets, moveReceivable } from './store.ts'

export interface Transfer {
  readonly from: string
  readonly to: string
  readonly amountPico: bigint
  readonly reference: string
  readonly memo: string
  /** Only to a tenant that the payer shares its wallet with now. */
  readonly mustShare?: boolean
}

/**
 * Moves paid money, never gifts or credit, between wallets, once the payer's overrun is paid. Throws `insufficient_balance`, `transfer_reused`, `invalid_amount`,
 * `not_shared`.
 */
export async function transfer(tx: Transaction, request: Transfer, nowMs: number): Promise<{ booked: boolean }> {
  const { from, to, amountPico: amount, reference, memo } = request
  if (amount <= 0n || amount > MOST_PICO || from === to) throw invalidAmount({ amount: `${amount}` })
  const accounts = await lockAccounts(tx, [{ tenant: from }, { tenant: to }])
  const [source, target] = [accounts.get(from)?.wallet, accounts.get(to)?.wallet]
  if (!source || !target) throw new Error('wallets were opened and are not there')
  const key = `transfer:${reference}`
  const before = (await findBooking(tx, key))?.booking
  if (before) {
    if (before.kind !== 'transfer' || before.tenant !== from || before.to !== to || before.amount !== amount)
      throw transferReused({ reference })
    return { booked: false }
  }
  if (request.mustShare === true && !(await isSharedNow(tx, { owner: from, member: to, atMs: nowMs })))
    throw notShared({ from, to })
  const free = await overrunPaid(tx, source, { cause: key, nowMs })
  const { pieces } = await payable(tx, free, amount, nowMs, { mayUseCredit: false })
  const repaid = amount < target.overrun ? amount : target.overrun
  await moveLots(tx, movesOfLots(pieces, -1n))
  if (amount > repaid) await insertLot(tx, paidLot({ wallet: target, key, lotPico: amount - repaid, nowMs }))
  await moveBuckets(tx, [
    { id: source.id, posted: -amount, escrowed: 0n },
    { id: target.id, posted: amount - repaid, escrowed: 0n, overrun: -repaid },
  ])
  const booking = { kind: 'transfer', tenant: from, to, amount, repaid } as const
  await book(tx, { key, booking, memo, nowMs, moves: movesOf(pieces, -1n) })
  return { booked: true }
}

export interface Withdrawal {
  readonly tenant: string
  readonly amountPico: bigint
  readonly reference: string
  readonly memo: string
}

/** Sets paid money aside to be paid back to the tenant (2400), once its overrun is paid. Throws `insufficient_balance`, `transfer_reused`, `invalid_amount`. */
export async function withdraw(tx: Transaction, request: Withdrawal, nowMs: number): Promise<{ booked: boolean }> {
  const { tenant, amountPico: amount, reference, memo } = request
  if (amount <= 0n || amount > MOST_PICO) throw invalidAmount({ amount: `${amount}` })
  const wallet = (await lockAccounts(tx, [{ tenant }])).get(tenant)?.wallet
  if (!wallet) throw new Error(`the wallet of ${tenant} was opened and is not there`)
  const key = `withdrawal:${reference}`
  const before = (await findBooking(tx, key))?.booking
  if (before) {
    if (before.kind !== 'withdrawal' || before.tenant !== tenant || before.amount !== amount)
      throw transferReused({ reference })
    return { booked: false }
  }
  const free = await overrunPaid(tx, wallet, { cause: key, nowMs })
  const { pieces } = await payable(tx, free, amount, nowMs, { mayUseCredit: false })
  await moveLots(tx, movesOfLots(pieces, -1n))
  await moveBuckets(tx, [{ id: wallet.id, posted: -amount, escrowed: 0n }])
  const booking = { kind: 'withdrawal', tenant, amount } as const
  await book(tx, { key, booking, memo, nowMs, moves: movesOf(pieces, -1n) })
  return { booked: true }
}

/**
 * Posts what another room does with receivables (an invoice, its payment, a write-off), and keeps wallets in step: a receivable is
 * credit in use, so what is paid of it can be spent again. Posting again under the same key changes nothing.
 */
export async function postReceivable(tx: Transaction, input: PostingInput): Promise<Posted> {
  const changes = new Map<string, { credit: bigint; overrun: bigint }>()
  for (const { account, amountPico } of input.entries) {
    const [, code, tenant] = /^(1100|1110|1190):(.+)$/.exec(account) ?? []
    if (tenant === undefined) continue
    const change = changes.get(tenant) ?? { credit: 0n, overrun: 0n }
    changes.set(tenant, change)
    if (code === '1190') change.overrun += amountPico
    else change.credit += amountPico
  }
  const accounts = await lockAccounts(
    tx,
    [...changes.keys()].map((tenant) => ({ tenant })),
  )
  const posted = await post(tx, input)
  if (posted.repeated) return posted
  for (const [tenant, { credit, overrun }] of changes) {
    const wallet = accounts.get(tenant)?.wallet
    // Payments settle overruns as top-ups; what another room takes off them was written off.
    if (wallet) await moveReceivable(tx, { id: wallet.id, credit, overrun, writtenOff: -overrun })
  }
  return posted
}
