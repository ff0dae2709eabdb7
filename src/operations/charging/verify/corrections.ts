import { openCheck } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { findBooking, movesBehind } from '../bookings/store.ts'
import { asRecorded, partsOf } from '../corrections/service.ts'
import type { Standing } from '../corrections/model.ts'
import { correctedIdsAfter, correctionsOf, recordedUsage } from '../corrections/store.ts'
import type { Correction } from '../corrections/store.ts'
import { lotsById } from '../lots/store.ts'
import { misburnOf } from './records.ts'

const PAGE = 200

/**
 * What a request costs is its record and all corrections of it: each continues the one before, its booking says the same, and what it
 * moved of lots is the difference.
 */
export async function checkCorrections(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every correction continues what was booked before')
  for (let after = ''; ;) {
    const ids = await correctedIdsAfter(db, { id: after, limit: PAGE })
    const last = ids.at(-1)
    if (last === undefined) return check.result()
    const corrections = await correctionsOf(db, ids)
    const usage = new Map((await recordedUsage(db, ids)).map((each) => [each.record.id, each]))
    const moves = await movesBehind(
      db,
      corrections.map(({ booking }) => booking),
    )
    const before = new Map<string, Standing & { readonly version: number }>()
    for (const correction of corrections) {
      check.see()
      const recorded = usage.get(correction.usageId)
      const previous = before.get(correction.usageId) ?? (recorded && { ...asRecorded(recorded), version: 0 })
      before.set(correction.usageId, correction)
      const flaw =
        recorded && previous
          ? ((await burnFlaw(db, recorded.record, correction)) ??
            (await bookingFlaw(db, previous, correction)) ??
            movesFlaw(previous, correction, moves.get(correction.booking) ?? []))
          : 'corrects no record'
      if (flaw) check.disagree(`correction ${correction.version} of ${correction.usageId}: ${flaw}`)
    }
    after = last
  }
}

type Recorded = Awaited<ReturnType<typeof recordedUsage>>[number]['record']

async function burnFlaw(db: Queryable, record: Recorded, correction: Correction): Promise<string | undefined> {
  const { sellPico, taxPico, drawsKept, burn } = correction
  const { draws, ...rest } = record
  const lots = new Map((await lotsById(db, burn.lots ?? [])).map((lot) => [lot.id, lot]))
  const corrected = {
    ...rest,
    ...(draws && drawsKept ? { draws } : {}),
    sellPico: `${sellPico}`,
    taxPico: `${taxPico}`,
  }
  return misburnOf({ record: corrected, burn }, lots)
}

async function bookingFlaw(
  db: Queryable,
  previous: Standing & { readonly version: number },
  correction: Correction,
): Promise<string | undefined> {
  if (correction.version !== previous.version + 1) return `follows version ${previous.version}`
  const booking = (await findBooking(db, correction.booking))?.booking
  if (booking?.kind !== 'correction') return 'is not booked'
  const text = (parts: ReturnType<typeof partsOf>) =>
    [parts.sell, parts.gift, parts.credit, parts.overrun, parts.tax].join(' ')
  const parts = partsOf(previous)
  if (text(booking.before) !== text({ ...parts, overrun: parts.overrun - booking.settled - booking.writtenOff }))
    return 'its booking mirrors something else'
  if (text(booking.after) !== text(partsOf(correction))) return 'its booking says something else'
  return undefined
}

function movesFlaw(
  previous: Standing,
  correction: Correction,
  moves: readonly { readonly lot: string; readonly amount: bigint }[],
): string | undefined {
  const due = new Map<string, bigint>()
  const add = (lot: string, amount: bigint) => due.set(lot, (due.get(lot) ?? 0n) + amount)
  for (const [index, lot] of (previous.burn.lots ?? []).entries()) add(lot, previous.burn.lotAmounts?.[index] ?? 0n)
  for (const [index, lot] of (correction.burn.lots ?? []).entries())
    add(lot, -(correction.burn.lotAmounts?.[index] ?? 0n))
  for (const { lot, amount } of moves) add(lot, -amount)
  const [wrong] = [...due].filter(([, amount]) => amount !== 0n)
  return wrong && `lot ${wrong[0]} is off by ${wrong[1]}`
}
