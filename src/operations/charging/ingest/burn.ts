import type { UsageRecord } from '#contract'
import { divideHalfEven } from '#kernel'
import type { Entry } from '#ledger'
import { ownerOfTokens, walletOf } from '../bucket/model.ts'
import { burn, openPurse, recognisedAt } from '../lots/model.ts'
import type { Lot, Piece, Purse } from '../lots/model.ts'
import type { LotMove } from '../lots/store.ts'
import { isBilled, usageEntries } from '../model.ts'
import type { TokenBurn, Usage } from '../model.ts'
import { payerOf } from './model.ts'
import type { RecordColumns } from './model.ts'

/** Which lots a record burned, and who covers what they left of its price: what the row keeps beside the record. */
export interface BurnColumns {
  /** Null: none. */
  readonly lots: readonly string[] | null
  readonly lotAmounts: readonly bigint[] | null
  /** Null for zero. */
  readonly giftPico: bigint | null
  readonly creditPico: bigint | null
  readonly overrunPico: bigint | null
  /** Tax on what is not a gift; null where that is the record's own tax. */
  readonly bookedTaxPico: bigint | null
}

const NOTHING: BurnColumns = {
  lots: null,
  lotAmounts: null,
  giftPico: null,
  creditPico: null,
  overrunPico: null,
  bookedTaxPico: null,
}

export interface Stock {
  readonly lots: readonly Lot[]
  /** What a bucket has beyond what is promised to open slices, credit included. */
  readonly available: ReadonlyMap<string, bigint>
  /** Slices that were given back by themselves: what comes late on them is promised nothing any more. */
  readonly isReclaimed: (slice: string) => boolean
}

export interface Burnt {
  /** One per record, in the same order. */
  readonly columns: readonly BurnColumns[]
  readonly moves: readonly LotMove[]
  readonly tokens: readonly TokenBurn[]
}

/**
 * Decides which lots the records burn, one after the other. What a wallet's lots do not cover is credit, which the limit was
 * checked for when the slice was granted. On a reclaimed slice only what is still available is taken; the rest is an overrun.
 */
export function burnRecords(records: readonly UsageRecord[], stock: Stock): Burnt {
  const purses = new Map<string, Purse>()
  for (const [bucket, lots] of Map.groupBy(stock.lots, (lot) => lot.bucket)) purses.set(bucket, openPurse(lots))
  const empty = openPurse([])
  const available = new Map(stock.available)
  const columns = records.map((record) => {
    const sell = BigInt(record.sellPico)
    if (sell === 0n && !record.draws) return NOTHING
    const pieces: Piece[] = []
    const bucket = walletOf(payerOf(record))
    let due = sell
    if (sell > 0n && record.slice !== null && stock.isReclaimed(record.slice)) {
      const rest = available.get(bucket) ?? 0n
      due = sell < rest ? sell : rest
      available.set(bucket, rest - due)
    }
    if (due > 0n) pieces.push(...burn(purses.get(bucket) ?? empty, due, record.completedAtMs))
    const money = partsOf(pieces, { sell, due, tax: BigInt(record.taxPico) })
    for (const draw of record.draws ?? [])
      if (draw.kind === 'tokens' && draw.amount !== '0')
        pieces.push(...burn(purses.get(draw.bucket) ?? empty, BigInt(draw.amount), record.completedAtMs))
    if (pieces.length === 0) return { ...NOTHING, ...money }
    return { lots: pieces.map(({ lot }) => lot.id), lotAmounts: pieces.map(({ amount }) => amount), ...money }
  })
  return { columns, ...movesOf(purses) }
}

/** The money of one record, without what its tokens move. */
export function entriesOf(columns: RecordColumns, burn: BurnColumns): Entry[] {
  return usageEntries(usageOf(columns, burn))
}

/** The money of a batch: summed by its parties before it becomes entries, because most records of a batch have them in common. */
export function batchEntries(
  rows: readonly { readonly columns: RecordColumns; readonly burn: BurnColumns }[],
): Entry[] {
  const sums = new Map<string, Mutable<Usage>>()
  for (const { columns, burn } of rows) {
    const { payer, tenant, service, supplier, ending } = columns
    const parties = `${payer ?? tenant}\n${service}\n${supplier}\n${isBilled(ending) ? 'billed' : ''}`
    const sum = sums.get(parties)
    if (!sum) {
      sums.set(parties, usageOf(columns, burn))
      continue
    }
    sum.sellPico += columns.sellPico
    sum.giftPico += burn.giftPico ?? 0n
    sum.creditPico += burn.creditPico ?? 0n
    sum.overrunPico += burn.overrunPico ?? 0n
    sum.taxPico += burn.bookedTaxPico ?? columns.taxPico
    sum.buyPico += columns.buyPico
  }
  return [...sums.values()].flatMap(usageEntries)
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

function usageOf(columns: RecordColumns, burn: BurnColumns): Usage {
  return {
    payer: columns.payer ?? columns.tenant,
    service: columns.service,
    supplier: columns.supplier,
    billed: isBilled(columns.ending),
    sellPico: columns.sellPico,
    giftPico: burn.giftPico ?? 0n,
    creditPico: burn.creditPico ?? 0n,
    overrunPico: burn.overrunPico ?? 0n,
    taxPico: burn.bookedTaxPico ?? columns.taxPico,
    buyPico: columns.buyPico,
  }
}

type Parts = Pick<BurnColumns, 'giftPico' | 'creditPico' | 'overrunPico' | 'bookedTaxPico'>

/** Who covers the price of one record, given what it burned of the wallet's lots. */
export function partsOf(
  pieces: readonly { readonly lot: Pick<Lot, 'source'>; readonly amount: bigint }[],
  { sell, due, tax }: { sell: bigint; due: bigint; tax: bigint },
): Parts {
  let gift = 0n
  let burned = 0n
  for (const { lot, amount } of pieces) {
    burned += amount
    if (lot.source !== 'paid') gift += amount
  }
  const [credit, overrun] = [due - burned, sell - due]
  return {
    giftPico: gift || null,
    creditPico: credit || null,
    overrunPico: overrun || null,
    bookedTaxPico: gift === 0n ? null : taxOn(sell - gift, { sell, tax }),
  }
}

/** The share of a record's tax that falls on a part of its price, because what gifts cover is not taxed. */
export function taxOn(part: bigint, { sell, tax }: { sell: bigint; tax: bigint }): bigint {
  return divideHalfEven(tax * part, sell)
}

function movesOf(purses: ReadonlyMap<string, Purse>): { moves: LotMove[]; tokens: TokenBurn[] } {
  const moves: LotMove[] = []
  const tokens: TokenBurn[] = []
  for (const [bucket, { lots, left }] of purses) {
    for (const [index, lot] of lots.entries()) {
      const remaining = left[index] ?? 0n
      if (remaining === lot.remaining) continue
      const recognised = recognisedAt(lot, remaining) - lot.recognised
      moves.push({ id: lot.id, remaining: remaining - lot.remaining, recognised })
      const owner = ownerOfTokens(bucket)
      if (owner) tokens.push({ ...owner, units: lot.remaining - remaining, revenuePico: recognised })
    }
  }
  return { moves, tokens }
}
