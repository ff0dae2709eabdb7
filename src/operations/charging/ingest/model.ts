import type { UsageRecord } from '#contract'
import { isBilled, MOST_PICO } from '../model.ts'
import type { SliceRow } from '../slices/store.ts'
import { isStorable } from './fingerprint.ts'
import type { Arrival } from './fingerprint.ts'
import { ttftBucket } from './rollup.ts'

/** Why a record is kept aside. Each is an invariant that holds for every record that is posted. */
export type Reason =
  | 'malformed'
  | 'wrong_gateway'
  | 'absurd_amount'
  | 'tax_above_sell'
  | 'sell_above_hold'
  | 'failure_charged'
  | 'charged_without_slice'
  | 'unknown_slice'
  | 'slice_of_other_gateway'
  | 'slice_of_other_tenant'
  | 'slice_closed'
  | 'above_slice'
  | 'altered_duplicate'

/** What is wrong with a record by itself, if anything. */
export function flawOf({ record, text }: Arrival, gateway: string): Reason | undefined {
  const [hold, sell, tax, buy] = [
    BigInt(record.holdPico),
    BigInt(record.sellPico),
    BigInt(record.taxPico),
    BigInt(record.buyPico),
  ]
  if (!isStorable(text)) return 'malformed'
  if (record.gateway !== gateway) return 'wrong_gateway'
  if (hold > MOST_PICO || sell > MOST_PICO || buy > MOST_PICO) return 'absurd_amount'
  if (tax > sell) return 'tax_above_sell'
  if (sell > hold) return 'sell_above_hold'
  if (sell > 0n && !isBilled(record.ending)) return 'failure_charged'
  if (sell > 0n && record.slice === null) return 'charged_without_slice'
  return undefined
}

export interface Sorting {
  readonly accepted: readonly Arrival[]
  /** Ids that are posted already with the same content. */
  readonly duplicates: readonly string[]
  readonly quarantined: readonly { readonly arrival: Arrival; readonly reason: Reason }[]
}

/**
 * Decides what becomes of each record of a batch, in the order of their ids, so that the decision does not depend on how a
 * gateway happened to pack them.
 *
 * `known`: content hash by id of the records that are posted already; `slices`: the slices that the batch names, locked.
 */
export function sortArrivals(
  arrivals: readonly Arrival[],
  {
    gateway,
    known,
    slices,
  }: { gateway: string; known: ReadonlyMap<string, string>; slices: ReadonlyMap<string, SliceRow> },
): Sorting {
  const accepted: Arrival[] = []
  const duplicates: string[] = []
  const quarantined: { arrival: Arrival; reason: Reason }[] = []
  const seen = new Map(known)
  const left = new Map([...slices.values()].map((slice) => [slice.id, slice.amountPico - slice.settledPico]))
  for (const arrival of arrivals.toSorted((a, b) =>
    a.record.id < b.record.id ? -1 : a.record.id > b.record.id ? 1 : 0,
  )) {
    const { record, contentHash } = arrival
    const before = seen.get(record.id)
    if (before === contentHash) {
      duplicates.push(record.id)
      continue
    }
    const reason =
      before === undefined ? (flawOf(arrival, gateway) ?? misfit(record, slices, left)) : 'altered_duplicate'
    if (reason) {
      quarantined.push({ arrival, reason })
      continue
    }
    seen.set(record.id, contentHash)
    if (record.slice !== null) left.set(record.slice, (left.get(record.slice) ?? 0n) - BigInt(record.sellPico))
    accepted.push(arrival)
  }
  return { accepted, duplicates, quarantined }
}

/** Why the record does not fit its slice, if it does not. */
function misfit(
  record: UsageRecord,
  slices: ReadonlyMap<string, SliceRow>,
  left: ReadonlyMap<string, bigint>,
): Reason | undefined {
  if (record.slice === null) return undefined
  const slice = slices.get(record.slice)
  if (!slice) return 'unknown_slice'
  if (slice.gateway !== record.gateway) return 'slice_of_other_gateway'
  if (slice.tenant !== record.tenant) return 'slice_of_other_tenant'
  const sell = BigInt(record.sellPico)
  if (sell > 0n && slice.state !== 'open') return 'slice_closed'
  if (sell > (left.get(slice.id) ?? 0n)) return 'above_slice'
  return undefined
}

/** What the table keeps beside the record itself. It follows from the record, and `verify` makes it again to compare. */
export interface RecordColumns {
  readonly slice: string | null
  readonly tenant: string
  readonly key: string
  readonly service: string
  readonly supplier: string
  readonly ending: string
  readonly completedAtMs: number
  readonly uncachedInput: number
  readonly cacheWrite: number
  readonly cacheRead: number
  readonly output: number
  readonly reasoning: number
  readonly ttftBucket: number | null
  readonly pacedTokens: number
  readonly pacedMs: number
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly buyPico: bigint
}

/** A century in milliseconds: a broken clock must not overflow a sum. */
const MOST_PACED_MS = 3_155_760_000_000

export function columnsOf(record: UsageRecord): RecordColumns {
  const { ttftMs, tokens } = record
  const streamedMs = ttftMs === null ? 0 : Math.round(record.durationMs - ttftMs)
  const isPaced = streamedMs > 0
  return {
    slice: record.slice,
    tenant: record.tenant,
    key: record.key,
    service: record.service,
    supplier: record.supplier,
    ending: record.ending,
    completedAtMs: record.completedAtMs,
    uncachedInput: tokens.uncachedInput,
    cacheWrite: tokens.cacheWrite,
    cacheRead: tokens.cacheRead,
    output: tokens.output,
    reasoning: tokens.reasoning,
    ttftBucket: ttftMs === null ? null : ttftBucket(ttftMs),
    pacedTokens: isPaced ? tokens.output + tokens.reasoning : 0,
    pacedMs: isPaced ? Math.min(streamedMs, MOST_PACED_MS) : 0,
    sellPico: BigInt(record.sellPico),
    taxPico: BigInt(record.taxPico),
    buyPico: BigInt(record.buyPico),
  }
}
