import type { PriceSheet, UsageRecord } from '#contract'
import { parsePriceSheet } from '#kernel'
import type { Calendars } from '#kernel'
import type { Database, Transaction } from '#platform/postgres'
import { isBilled } from '../model.ts'
import { cannotPrice, unknownRequest } from '../problems.ts'
import { priceAgain } from './model.ts'
import { asRecorded, correct, isSame, isSameDecision, keyOf, recordOf } from './service.ts'
import type { Change, Corrected, Decision, Deps } from './service.ts'
import { correctionsOf, recordedUsage, usageIdsAfter } from './store.ts'
import type { UsageFilter } from './store.ts'

export interface Rerate extends Decision {
  readonly which: { readonly usageIds: readonly string[] } | { readonly filter: UsageFilter }
  /** The sheet that a request should have been rated by; undefined leaves it as it is. */
  readonly price: (record: UsageRecord) => Promise<PriceSheet | undefined>
  readonly calendars?: Calendars
}

export interface RerateOutlook extends Corrected {
  /** Of the total price of all requests. */
  readonly changePico: bigint
}

const PAGE = 500

/**
 * Rates requests again, each in a transaction of its own: what was booked is mirrored, what should have been is booked. Requests that
 * were given back, or that failed, stay free. Throws `cannot_price`, `unknown_request`, `correction_reused`.
 */
export async function rerate(deps: Deps, request: Rerate): Promise<Corrected> {
  let [corrected, unchanged] = [0, 0]
  for await (const ids of pages(deps.database, request.which))
    for (const id of ids) {
      const isCorrected = await deps.database.transaction((tx) => rerateOne(tx, id, request, deps.clock.nowMs()))
      if (isCorrected) corrected += 1
      else unchanged += 1
    }
  return { corrected, unchanged }
}

/**
 * What rating again would do, with nothing booked: of how many requests the price changes, and of all of them by how much. Throws
 * what `rerate` throws.
 */
export async function previewRerate({ database }: Pick<Deps, 'database'>, request: Rerate): Promise<RerateOutlook> {
  let [corrected, unchanged, changePico] = [0, 0, 0n]
  for await (const ids of pages(database, request.which)) {
    const found = new Map((await recordedUsage(database, ids)).map((each) => [each.record.id, each]))
    const past = Map.groupBy(await correctionsOf(database, ids), ({ usageId }) => usageId)
    for (const id of ids) {
      const recorded = found.get(id)
      if (!recorded) throw unknownRequest({ id })
      const again = await priceOf(recorded.record, request)
      const corrections = past.get(id) ?? []
      const isBooked = corrections.some((each) =>
        isSameDecision(each, keyOf(request, id), { kind: 'rerate', ...again }),
      )
      const before = corrections.at(-1) ?? asRecorded(recorded)
      if (!again || isBooked || !before.drawsKept || isSame(before, { ...again, drawsKept: true })) unchanged += 1
      else {
        corrected += 1
        changePico += again.sellPico - before.sellPico
      }
    }
  }
  return { corrected, unchanged, changePico }
}

async function* pages(database: Database, which: Rerate['which']): AsyncGenerator<readonly string[]> {
  if ('usageIds' in which) {
    const ids = [...new Set(which.usageIds)]
    for (let at = 0; at < ids.length; at += PAGE) yield ids.slice(at, at + PAGE)
    return
  }
  for (let after = ''; ;) {
    const ids = await usageIdsAfter(database, which.filter, { id: after, limit: PAGE })
    const last = ids.at(-1)
    if (last === undefined) return
    yield ids
    after = last
  }
}

async function rerateOne(tx: Transaction, id: string, request: Rerate, nowMs: number): Promise<boolean> {
  const record = await recordOf(tx, id)
  const again = await priceOf(record, request)
  return again ? correct(tx, { record, kind: 'rerate', ...again, decision: request, nowMs }) : false
}

/** What a request is to cost; undefined: it stays as it is. */
async function priceOf(
  record: UsageRecord,
  request: Rerate,
): Promise<Pick<Change, 'sellPico' | 'taxPico' | 'sellSheet'> | undefined> {
  const filed = isBilled(record.ending) ? await request.price(record) : undefined
  if (!filed) return undefined
  const terms = {
    sheet: parsePriceSheet(filed),
    taxPercent: filed.taxPercent,
    calendars: request.calendars ?? new Map(),
  }
  const price = priceAgain(record, terms)
  if (!price) throw cannotPrice({ id: record.id, sheet: filed.id })
  return { ...price, sellSheet: filed.id }
}
