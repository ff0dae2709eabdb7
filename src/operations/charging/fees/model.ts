import { DAY_MS, divideHalfEven } from '#kernel'
import type { Fee } from './store.ts'

/** What is earned of a fee at this time: in equal parts per day of its term, each when the day is over, and all of it at the end. */
export function earnedAt({ net, term }: Pick<Fee, 'net' | 'term'>, atMs: number): bigint {
  if (!term || atMs >= term.toMs) return net
  const days = Math.ceil((term.toMs - term.fromMs) / DAY_MS)
  const over = Math.max(0, Math.floor((atMs - term.fromMs) / DAY_MS))
  return divideHalfEven(net * BigInt(over), BigInt(days))
}

export interface RefundParts {
  readonly net: bigint
  readonly tax: bigint
  readonly credit: bigint
  readonly paid: bigint
}

/**
 * The parts of the next refund of a fee. Net is cumulative, so that refunds of the whole sum to the whole. A fee burned lots first and
 * credit last, so credit comes back first.
 */
export function refundParts(fee: Fee, amount: bigint): RefundParts {
  const after = fee.refunded + amount
  const net = fee.amount === 0n ? 0n : divideHalfEven(fee.net * after, fee.amount) - fee.refundedNet
  const creditLeft = fee.credit > fee.refunded ? fee.credit - fee.refunded : 0n
  const credit = amount < creditLeft ? amount : creditLeft
  return { net, tax: amount - net, credit, paid: amount - credit }
}
