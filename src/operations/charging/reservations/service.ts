import type { Database, Transaction } from '#platform/postgres'
import { walletOf } from '../bucket/model.ts'
import { availableOf, lockBuckets, moveBuckets, openWallets } from '../bucket/store.ts'
import { sliceId } from '../slices/model.ts'
import { endSlice, insertSlices, lockSlices } from '../slices/store.ts'
import type { NewSlice } from '../slices/store.ts'
import { openHolder, overdueSlices } from './store.ts'

/** Money of a wallet that is set aside on an operator's word, until it is given back or until its time is over. */
export interface Reservation {
  /** Whoever reserves numbers what it reserves; a number is used once. */
  readonly number: number
  readonly tenant: string
  readonly amountPico: bigint
  readonly untilMs: number
}

export type ReserveOutcome =
  | { readonly outcome: 'reserved' }
  | { readonly outcome: 'insufficient'; readonly availablePico: bigint }

/** A reservation is a slice that no gateway holds: no gateway's name has a colon. */
const HOLDER = 'reserve:balance'
const JOURNAL = 'reservations'
const EPOCH = 1
const idOf = (number: number): string => sliceId({ gateway: HOLDER, epoch: EPOCH, seq: number })

export async function reserveIn(
  tx: Transaction,
  { number, tenant, amountPico, untilMs }: Reservation,
  nowMs: number,
): Promise<ReserveOutcome> {
  await openHolder(tx, { id: HOLDER, epoch: EPOCH, journal: JOURNAL })
  await openWallets(tx, [tenant])
  const [wallet] = await lockBuckets(tx, [walletOf(tenant)])
  const availablePico = wallet ? availableOf(wallet) : 0n
  if (!wallet || availablePico < amountPico) return { outcome: 'insufficient', availablePico }
  const slice: NewSlice = {
    id: idOf(number),
    gateway: HOLDER,
    journal: JOURNAL,
    epoch: EPOCH,
    seq: number,
    bucket: wallet.id,
    amount: amountPico,
    tight: true,
    ...{ settled: 0n, records: 0, state: 'open' },
    grantedAtMs: nowMs,
    validUntilMs: untilMs,
  }
  if ((await insertSlices(tx, [slice])) === 0) throw new Error(`the reservation ${number} was made before`)
  await moveBuckets(tx, [{ id: wallet.id, posted: 0n, escrowed: amountPico }])
  return { outcome: 'reserved' }
}

/** Gives it back; once it is over, nothing more. */
export async function unreserveIn(
  tx: Transaction,
  { number, tenant }: Pick<Reservation, 'number' | 'tenant'>,
  nowMs: number,
): Promise<void> {
  await lockBuckets(tx, [walletOf(tenant)])
  const [slice] = await lockSlices(tx, [idOf(number)])
  if (slice?.state !== 'open') return
  await endSlice(tx, { id: slice.id, state: 'closed', nowMs })
  await moveBuckets(tx, [{ id: slice.bucket, posted: 0n, escrowed: slice.settled - slice.amount }])
}

/** Gives back what is over, each in a transaction of its own. */
export async function endReservations(database: Database, nowMs: number): Promise<{ ended: number }> {
  const overdue = await overdueSlices(database, HOLDER, nowMs)
  for (const one of overdue) await database.transaction((tx) => unreserveIn(tx, one, nowMs))
  return { ended: overdue.length }
}
