import type { UsageRecord } from '#contract'
import type { Clock } from '#platform/clock'
import type { Database, Transaction } from '#platform/postgres'
import { lockAccounts } from '../bucket/accounts.ts'
import { ownerOfTokens } from '../bucket/model.ts'
import { paidLot } from '../bucket/service.ts'
import { availableOf, moveBuckets, moveWrittenOff } from '../bucket/store.ts'
import type { Bucket } from '../bucket/store.ts'
import { book } from '../bookings/service.ts'
import { findBooking } from '../bookings/store.ts'
import type { BurnColumns } from '../ingest/burn.ts'
import { payerOf } from '../ingest/model.ts'
import { activeLots, insertLot, lotsById, moveLots } from '../lots/store.ts'
import type { LotRow } from '../lots/store.ts'
import { correctionReused, unknownRequest } from '../problems.ts'
import { redo } from './model.ts'
import type { Standing } from './model.ts'
import { correctionsOf, insertCorrection, recordedUsage } from './store.ts'
import type { Correction } from './store.ts'

export interface Decision {
  readonly by: string
  readonly reason: string
  /** Of the whole correction: repeating it corrects what is not corrected yet, and nothing twice. */
  readonly reference: string
}

export interface Corrected {
  readonly corrected: number
  readonly unchanged: number
}

export interface Deps {
  readonly database: Database
  readonly clock: Clock
}

/** Gives a request back: its price, and the tokens that it drew from lots. Caps and reservations stay used. Throws `unknown_request`, `correction_reused`. */
export async function refundUsage(
  { database, clock }: Deps,
  { usageId, ...decision }: Decision & { readonly usageId: string },
): Promise<Corrected> {
  return database.transaction(async (tx) => {
    const record = await recordOf(tx, usageId)
    const free = { sellPico: 0n, taxPico: 0n, sellSheet: record.sellSheet }
    const isCorrected = await correct(tx, { record, kind: 'refund', ...free, decision, nowMs: clock.nowMs() })
    return { corrected: isCorrected ? 1 : 0, unchanged: isCorrected ? 0 : 1 }
  })
}

export async function recordOf(tx: Transaction, id: string): Promise<UsageRecord> {
  const [found] = await recordedUsage(tx, [id])
  if (!found) throw unknownRequest({ id })
  return found.record
}

export interface Change {
  readonly record: UsageRecord
  readonly kind: 'rerate' | 'refund'
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly sellSheet: string
  readonly decision: Decision
  readonly nowMs: number
}

/** Whether anything was booked. Throws `correction_reused`. */
export async function correct(tx: Transaction, change: Change): Promise<boolean> {
  const { record, kind, sellPico, taxPico, sellSheet, decision, nowMs } = change
  const payer = payerOf(record)
  const owners = (record.draws ?? []).flatMap(({ bucket }) => ownerOfTokens(bucket)?.tenant ?? [])
  const accounts = await lockAccounts(
    tx,
    [payer, ...owners].map((tenant) => ({ tenant })),
  )
  const wallet = accounts.get(payer)?.wallet
  const key = keyOf(decision, record.id)
  if (!wallet) return false
  if (await findBooking(tx, key)) {
    for (const past of await correctionsOf(tx, [record.id])) isSameDecision(past, key, change)
    return false
  }
  const { before, version } = await standing(tx, record)
  const after = { sellPico, taxPico, drawsKept: kind === 'rerate' }
  if (!before.drawsKept || isSame(before, after)) return false
  const burned = await lotsById(tx, before.burn.lots ?? [])
  const { overrun, writtenOff, settled, unlotted } = originOf(before, wallet, burned)
  if (settled + unlotted > 0n) await insertLot(tx, paidLot({ wallet, key, lotPico: settled + unlotted, nowMs }))
  const open = await activeLots(tx, [wallet.id])
  const lots = [...open, ...burned.filter((lot) => !open.some(({ id }) => id === lot.id))]
  const again = redo(before, after, {
    wallet: wallet.id,
    lots,
    available: availableOf(wallet) + before.sellPico - overrun - writtenOff,
    atMs: record.completedAtMs,
  })
  await moveLots(tx, again.moves)
  await moveBuckets(tx, [
    {
      id: wallet.id,
      posted: before.sellPico - overrun - writtenOff - sellPico + (again.burn.overrunPico ?? 0n),
      escrowed: 0n,
      overrun: (again.burn.overrunPico ?? 0n) - overrun,
    },
  ])
  await moveWrittenOff(tx, wallet.id, -writtenOff)
  for (const { tenant, table, units } of again.tokens) {
    const bucket = accounts.get(tenant)?.tokens.get(table)
    if (bucket) await moveBuckets(tx, [{ id: bucket.id, posted: -units, escrowed: 0n }])
  }
  const { reason, by } = decision
  // The row names its booking, so it comes after it; the posting holds up everybody else for that much longer.
  await book(tx, {
    key,
    booking: {
      kind: 'correction',
      tenant: payer,
      service: record.service,
      before: { ...partsOf(before), overrun },
      settled,
      unlotted,
      writtenOff,
      after: partsOf({ sellPico, taxPico, burn: again.burn }),
      tokens: [...again.tokens],
    },
    memo: `${kind} of ${record.id}: ${reason}`,
    nowMs,
    about: record.id,
    moves: again.moves.map((move) => ({ lot: move.id, amount: move.remaining })),
  })
  await insertCorrection(tx, {
    usageId: record.id,
    tenant: record.tenant,
    version,
    kind,
    booking: key,
    sellPico,
    taxPico,
    sellSheet,
    drawsKept: after.drawsKept,
    burn: again.burn,
    reason,
    by,
    madeAtMs: nowMs,
  })
  return true
}

/**
 * Where the part of a price came from that no lot gave. Of its overrun, what is still open is simply not owed any more; what was
 * written off nobody has paid; the rest payments have settled, and it comes back as money. So does what was paid before there were lots.
 */
function originOf(before: Standing, wallet: Bucket, burned: readonly LotRow[]) {
  const recorded = before.burn.overrunPico ?? 0n
  const overrun = recorded < wallet.overrun ? recorded : wallet.overrun
  const rest = recorded - overrun
  const writtenOff = rest < wallet.writtenOff ? rest : wallet.writtenOff
  const ofWallet = new Set(burned.filter(({ bucket }) => bucket === wallet.id).map(({ id }) => id))
  const inLots = (before.burn.lots ?? []).reduce(
    (sum, id, index) => (ofWallet.has(id) ? sum + (before.burn.lotAmounts?.[index] ?? 0n) : sum),
    0n,
  )
  const unlotted = before.sellPico - (before.burn.creditPico ?? 0n) - recorded - inLots
  return { overrun, writtenOff, settled: rest - writtenOff, unlotted }
}

export function keyOf({ reference }: Pick<Decision, 'reference'>, id: string): string {
  return `correction:${reference}/${id}`
}

/** Whether a correction is what was decided under this key. Throws `correction_reused` if something else was. */
export function isSameDecision(past: Correction, key: string, { kind, sellSheet }: Partial<Change>): boolean {
  if (past.booking !== key) return false
  if (past.kind !== kind || (kind === 'rerate' && past.sellSheet !== sellSheet))
    throw correctionReused({ id: past.usageId, kind: past.kind, sheet: past.sellSheet })
  return true
}

/** What is booked for a request now, and which version a correction of it is. */
async function standing(tx: Transaction, record: UsageRecord): Promise<{ before: Standing; version: number }> {
  const last = (await correctionsOf(tx, [record.id])).at(-1)
  if (last) return { before: last, version: last.version + 1 }
  const [found] = await recordedUsage(tx, [record.id])
  if (!found) throw unknownRequest({ id: record.id })
  return { before: asRecorded(found), version: 1 }
}

export function asRecorded({ record, burn }: { record: UsageRecord; burn: BurnColumns }): Standing {
  const [sellPico, taxPico] = [BigInt(record.sellPico), BigInt(record.taxPico)]
  return { sellPico, taxPico, sellSheet: record.sellSheet, drawsKept: true, burn }
}

export function isSame(before: Standing, after: { sellPico: bigint; taxPico: bigint; drawsKept: boolean }): boolean {
  return after.drawsKept && before.sellPico === after.sellPico && before.taxPico === after.taxPico
}

/** The parts of a price as they are in the books. */
export function partsOf({
  sellPico,
  taxPico,
  burn,
}: {
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly burn: BurnColumns
}) {
  return {
    sell: sellPico,
    gift: burn.giftPico ?? 0n,
    credit: burn.creditPico ?? 0n,
    overrun: burn.overrunPico ?? 0n,
    tax: burn.bookedTaxPico ?? taxPico,
  }
}
