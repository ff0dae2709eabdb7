import { netOfTax, pico } from '#kernel'
import { postingId } from '#ledger'
import type { Database, Transaction } from '#platform/postgres'
import { lockAccount } from '../bucket/accounts.ts'
import { overrunPaid } from '../bucket/overrun.ts'
import { lockBuckets, moveBuckets } from '../bucket/store.ts'
import { book } from '../bookings/service.ts'
import { findBooking, outstandingMoves } from '../bookings/store.ts'
import type { Move } from '../bookings/store.ts'
import { moveLots } from '../lots/store.ts'
import { MOST_PICO } from '../model.ts'
import { amountAboveFee, feeReused, invalidAmount, unknownFee } from '../problems.ts'
import { earnedAt, refundParts } from './model.ts'
import { movesOf, movesOfLots, payable } from './payable.ts'
import { changeFee, feesToRecognise, findFee, insertFee, lockFee } from './store.ts'
import type { Fee } from './store.ts'

export interface FeeRequest {
  readonly tenant: string
  /** Gross. */
  readonly amountPico: bigint
  readonly taxPercent: number
  /** What it is charged for. Charging it again charges nothing. */
  readonly reference: string
  readonly memo: string
  /** `package`: earned as the lot is used up that is granted with `netPico` beside it. */
  readonly revenue: Fee['revenue']
  /** Earned in equal parts per day of this time; absent: at once. */
  readonly recognise?: { readonly fromMs: number; readonly toMs: number }
}

/**
 * Charges a fee: lots of paid money first, then credit. Gifts pay for usage only. Throws `insufficient_balance`, `fee_reused`,
 * `invalid_amount`.
 */
export async function chargeFee(
  tx: Transaction,
  request: FeeRequest,
  nowMs: number,
): Promise<{ booked: boolean; postingId: string }> {
  const { tenant, amountPico: amount, reference, memo, revenue } = request
  if (amount < 0n || amount > MOST_PICO) throw invalidAmount({ amount: `${amount}` })
  const { wallet } = await lockAccount(tx, tenant)
  const key = `fee:${reference}`
  const fee = feeOf(request, nowMs)
  const before = await findFee(tx, reference)
  if (before) {
    if (!isSame(before, fee)) throw feeReused({ reference })
    return { booked: false, postingId: postingId(key) }
  }
  const { pieces, credit } = await payable(tx, wallet, amount, nowMs)
  await insertFee(tx, { ...fee, credit })
  await moveLots(tx, movesOfLots(pieces, -1n))
  await moveBuckets(tx, [{ id: wallet.id, posted: -amount, escrowed: 0n }])
  const { net } = fee
  const isDeferred = revenue === 'package' || fee.term !== null
  const booking = { kind: 'fee', tenant, paid: amount - credit, credit, net, tax: amount - net, isDeferred } as const
  const posted = await book(tx, { key, booking, memo, nowMs, about: reference, moves: movesOf(pieces, -1n) })
  return { booked: true, ...posted }
}

function feeOf({ tenant, amountPico, taxPercent, reference, revenue, recognise }: FeeRequest, nowMs: number): Fee {
  return {
    reference,
    tenant,
    amount: amountPico,
    net: netOfTax(pico(amountPico), taxPercent),
    credit: 0n,
    revenue,
    term: revenue === 'package' ? null : (recognise ?? null),
    recognised: 0n,
    refunded: 0n,
    refundedNet: 0n,
    chargedAtMs: nowMs,
  }
}

function isSame(a: Fee, b: Fee): boolean {
  const text = ({ tenant, amount, net, revenue, term }: Fee) =>
    [tenant, amount, net, revenue, term?.fromMs, term?.toMs].join(' ')
  return text(a) === text(b)
}

export interface FeeRefund {
  readonly feeReference: string
  readonly amountPico: bigint
  /** Of the refund. Repeating it refunds nothing more. */
  readonly reference: string
  readonly memo: string
}

/**
 * Gives a fee back, in part or whole: credit first, then the lots in the reverse of the order in which they burned. What the wallet
 * owes beyond itself is paid of it at once. Throws
 * `unknown_fee`, `amount_above_fee`, `fee_reused`, `invalid_amount`.
 */
export async function refundFee(
  tx: Transaction,
  { feeReference, amountPico: amount, reference, memo }: FeeRefund,
  nowMs: number,
): Promise<{ booked: boolean; postingId: string }> {
  if (amount <= 0n) throw invalidAmount({ amount: `${amount}` })
  const found = await findFee(tx, feeReference)
  if (!found) throw unknownFee({ reference: feeReference })
  const { wallet } = await lockAccount(tx, found.tenant)
  const fee = (await lockFee(tx, feeReference)) ?? found
  const key = `fee_refund:${reference}`
  const before = await findBooking(tx, key)
  if (before) {
    const { booking } = before
    const isSame =
      booking.kind === 'fee_refund' && before.about === feeReference && booking.paid + booking.credit === amount
    if (!isSame) throw feeReused({ reference })
    return { booked: false, postingId: before.postingId }
  }
  if (fee.refunded + amount > fee.amount)
    throw amountAboveFee({ reference: feeReference, left: `${fee.amount - fee.refunded}` })
  const { net, tax, credit, paid } = refundParts(fee, amount)
  const notEarned = fee.term ? fee.net - fee.refundedNet - fee.recognised : 0n
  const deferred = fee.revenue === 'package' ? 0n : net < notEarned ? net : notEarned
  const bought = fee.revenue === 'package' ? net : 0n
  const earned = net - deferred - bought
  const moves = reversed(await outstandingMoves(tx, `fee:${feeReference}`, feeReference), paid)
  await changeFee(tx, {
    reference: feeReference,
    recognised: fee.term ? fee.recognised - earned : 0n,
    refunded: fee.refunded + amount,
    refundedNet: fee.refundedNet + net,
  })
  await moveLots(
    tx,
    moves.map((move) => ({ id: move.lot, remaining: move.amount, recognised: 0n })),
  )
  await moveBuckets(tx, [{ id: wallet.id, posted: amount, escrowed: 0n }])
  const booking = { kind: 'fee_refund', tenant: fee.tenant, paid, credit, tax, deferred, earned, bought } as const
  const posted = await book(tx, { key, booking, memo, nowMs, about: feeReference, moves })
  const [after = wallet] = await lockBuckets(tx, [wallet.id])
  await overrunPaid(tx, after, { cause: key, nowMs })
  return { booked: true, ...posted }
}

/** What goes back into lots, the last to burn first. */
export function reversed(taken: readonly Move[], amount: bigint): Move[] {
  const moves: Move[] = []
  let left = amount
  for (const { lot, amount: negative } of taken.toReversed()) {
    const part = left < -negative ? left : -negative
    if (part > 0n) moves.push({ lot, amount: part })
    left -= part
  }
  if (left !== 0n) throw new Error(`${left} more is to be given back than was taken from lots`)
  return moves
}

const PAGE = 200

/** Moves what is earned by now of fees that are earned over time from deferred revenue to revenue. Repeating it moves nothing. */
export async function recogniseRevenue(database: Database, nowMs: number): Promise<{ fees: number }> {
  let fees = 0
  for (let after: string | undefined = ''; after !== undefined;) {
    after = await database.transaction(async (tx): Promise<string | undefined> => {
      const page = await feesToRecognise(tx, { nowMs, afterReference: after ?? '', limit: PAGE })
      const due = page.map((fee) => ({ fee, amount: dueOf(fee, nowMs) })).filter(({ amount }) => amount > 0n)
      for (const { fee, amount } of due) await changeFee(tx, { ...fee, recognised: fee.recognised + amount })
      for (const { fee, amount } of due)
        await book(tx, {
          key: `recognition:${fee.reference}@${nowMs}`,
          booking: { kind: 'recognition', tenant: fee.tenant, amount },
          memo: `earned of ${fee.reference}`,
          nowMs,
          about: fee.reference,
        })
      fees += due.length
      return page.length === PAGE ? page.at(-1)?.reference : undefined
    })
  }
  return { fees }
}

function dueOf(fee: Fee, nowMs: number): bigint {
  const [earned, most] = [earnedAt(fee, nowMs), fee.net - fee.refundedNet]
  return (earned < most ? earned : most) - fee.recognised
}
