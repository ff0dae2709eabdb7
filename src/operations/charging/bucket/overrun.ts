import type { Transaction } from '#platform/postgres'
import { book } from '../bookings/service.ts'
import { movesOf, movesOfLots, payable } from '../fees/payable.ts'
import { activeLots, moveLots } from '../lots/store.ts'
import { availableOf, lockBuckets, moveBuckets } from './store.ts'
import type { Bucket } from './store.ts'

/**
 * Pays what a wallet owes beyond itself out of the paid money that is in it, as a payment would, before any of that money goes
 * elsewhere. The wallet is locked; it comes back as it is then. What cannot be paid leaves nothing that could go elsewhere.
 */
export async function overrunPaid(
  tx: Transaction,
  wallet: Bucket,
  { cause, nowMs }: { readonly cause: string; readonly nowMs: number },
): Promise<Bucket> {
  if (wallet.overrun === 0n) return wallet
  const lots = await activeLots(tx, [wallet.id])
  const paid = lots.reduce((sum, { source, remaining }) => (source === 'paid' ? sum + remaining : sum), 0n)
  const amount = [paid, availableOf(wallet)].reduce((least, each) => (each < least ? each : least), wallet.overrun)
  if (amount <= 0n) return wallet
  const { pieces } = await payable(tx, wallet, amount, nowMs, { mayUseCredit: false })
  await moveLots(tx, movesOfLots(pieces, -1n))
  await moveBuckets(tx, [{ id: wallet.id, posted: -amount, escrowed: 0n, overrun: -amount }])
  await book(tx, {
    key: `settlement:${cause}`,
    booking: { kind: 'settlement', tenant: wallet.tenant, amount },
    memo: `overrun settled before ${cause}`,
    nowMs,
    moves: movesOf(pieces, -1n),
  })
  const [after] = await lockBuckets(tx, [wallet.id])
  return after ?? wallet
}
