import type { UsageRecord } from '#contract'
import { TOKEN_CLASSES } from '#kernel'
import { walletOf } from '../bucket/model.ts'
import type { Bucket } from '../bucket/store.ts'
import { isBilled, MOST_PICO } from '../model.ts'
import type { SliceRow } from '../slices/store.ts'
import { canonicalJson, isStorable } from './fingerprint.ts'
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
  | 'draw_above_hold'
  | 'cap_is_not_sell'
  | 'slice_twice'
  | 'unknown_slice'
  | 'slice_of_other_gateway'
  | 'slice_of_other_tenant'
  | 'slice_of_other_bucket'
  | 'draw_of_other_kind'
  | 'draw_of_other_period'
  | 'not_shared'
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
  if (attemptCosts(record).some(({ buyPico }) => buyPico > MOST_PICO)) return 'absurd_amount'
  if (tax > sell) return 'tax_above_sell'
  if (sell > hold) return 'sell_above_hold'
  if (sell > 0n && !isBilled(record.ending)) return 'failure_charged'
  if (sell > 0n && record.slice === null) return 'charged_without_slice'
  return record.draws && drawFlawOf(record, record.draws)
}

function drawFlawOf(record: UsageRecord, draws: NonNullable<UsageRecord['draws']>): Reason | undefined {
  const slices = new Set(record.slice === null ? [] : [record.slice])
  for (const draw of draws) {
    const [held, amount] = [BigInt(draw.held), BigInt(draw.amount)]
    if (held > MOST_PICO) return 'absurd_amount'
    if (amount > held) return 'draw_above_hold'
    if (amount > 0n && !isBilled(record.ending)) return 'failure_charged'
    // What somebody else pays for need not count against the own caps.
    if (draw.kind === 'cap' && draw.amount !== record.sellPico && record.payer === undefined) return 'cap_is_not_sell'
    if (slices.has(draw.slice)) return 'slice_twice'
    slices.add(draw.slice)
  }
  return undefined
}

/** The tokens of a record that no draw covered, which money pays for. Negative where draws cover more than there were. */
export function uncoveredTokens({ tokens, draws = [] }: UsageRecord): UsageRecord['tokens'] {
  const rest = { ...tokens }
  for (const { covered } of draws) if (covered) for (const name of TOKEN_CLASSES) rest[name] -= covered[name]
  return rest
}

/** The wallet that a record is paid from. */
export const payerOf = (record: UsageRecord): string => record.payer ?? record.tenant

export interface Sorting {
  readonly accepted: readonly Arrival[]
  /** Those that are posted already with the same content. */
  readonly duplicates: readonly Arrival[]
  readonly quarantined: readonly { readonly arrival: Arrival; readonly reason: Reason }[]
}

/** What records are judged by; all of it locked or unchangeable. */
export interface Known {
  /** Who delivered it. */
  readonly gatewayOf: (arrival: Arrival) => string
  /** Content hash by id of the records that are posted already. */
  readonly hashes: ReadonlyMap<string, string>
  /** The slices and buckets that the batch names. */
  readonly slices: ReadonlyMap<string, SliceRow>
  readonly buckets: ReadonlyMap<string, Pick<Bucket, 'tenant' | 'kind' | 'period'>>
  /** Whether a member might pay with what is another's when a request was accepted. */
  readonly isShared: (share: { owner: string; member: string; atMs: number }) => boolean
}

/**
 * Decides what becomes of each record of a batch, in the order of their ids, so that the decision does not depend on how a
 * gateway happened to pack them.
 */
export function sortArrivals(arrivals: readonly Arrival[], known: Known): Sorting {
  const accepted: Arrival[] = []
  const duplicates: Arrival[] = []
  const quarantined: { arrival: Arrival; reason: Reason }[] = []
  const seen = new Map(known.hashes)
  const left = new Map([...known.slices.values()].map((slice) => [slice.id, slice.amount - slice.settled]))
  for (const arrival of arrivals.toSorted((a, b) =>
    a.record.id < b.record.id ? -1 : a.record.id > b.record.id ? 1 : 0,
  )) {
    const { record, contentHash } = arrival
    const before = seen.get(record.id)
    if (before === contentHash) {
      duplicates.push(arrival)
      continue
    }
    const reason =
      before === undefined
        ? (flawOf(arrival, known.gatewayOf(arrival)) ?? misfit(record, known, left))
        : 'altered_duplicate'
    if (reason) {
      quarantined.push({ arrival, reason })
      continue
    }
    seen.set(record.id, contentHash)
    for (const { slice, amount } of spends(record)) left.set(slice, (left.get(slice) ?? 0n) - amount)
    accepted.push(arrival)
  }
  return { accepted, duplicates, quarantined }
}

interface Spend {
  readonly slice: string
  readonly bucket: string
  readonly amount: bigint
}

/** Every step of ingest asks for them, and parsing amounts costs. */
const madeSpends = new WeakMap<UsageRecord, readonly Spend[]>()

/** What a record takes from slices: from that of the wallet and from those of its draws. */
export function spends(record: UsageRecord): readonly Spend[] {
  let made = madeSpends.get(record)
  if (!made) madeSpends.set(record, (made = spendsOf(record)))
  return made
}

function spendsOf(record: UsageRecord): readonly Spend[] {
  const own =
    record.slice === null
      ? []
      : [{ slice: record.slice, bucket: walletOf(payerOf(record)), amount: BigInt(record.sellPico) }]
  if (!record.draws) return own
  return [...own, ...record.draws.map(({ slice, bucket, amount }) => ({ slice, bucket, amount: BigInt(amount) }))]
}

/** Why the record does not fit its slices, if it does not. */
function misfit(record: UsageRecord, known: Known, left: ReadonlyMap<string, bigint>): Reason | undefined {
  const { tenant, acceptedAtMs } = record
  const mayUse = (owner: string) => owner === tenant || known.isShared({ owner, member: tenant, atMs: acceptedAtMs })
  if (!mayUse(payerOf(record))) return 'not_shared'
  for (const spend of spends(record)) {
    const slice = known.slices.get(spend.slice)
    if (!slice) return 'unknown_slice'
    if (slice.gateway !== record.gateway) return 'slice_of_other_gateway'
    if (slice.bucket !== spend.bucket)
      return spend.slice === record.slice ? 'slice_of_other_tenant' : 'slice_of_other_bucket'
    if (spend.amount > 0n && slice.state !== 'open' && slice.state !== 'reclaimed') return 'slice_closed'
    if (spend.amount > (left.get(slice.id) ?? 0n)) return 'above_slice'
  }
  for (const draw of record.draws ?? []) {
    const bucket = known.buckets.get(draw.bucket)
    if (bucket?.kind !== draw.kind) return 'draw_of_other_kind'
    if (!mayUse(bucket.tenant)) return 'not_shared'
    const { period } = bucket
    if (period && (acceptedAtMs < period.fromMs || acceptedAtMs >= period.toMs)) return 'draw_of_other_period'
  }
  return undefined
}

/** What we owe a supplier for an attempt that did not serve: the part of an answer that was continued elsewhere, or a lost race. */
export interface AttemptCost {
  readonly supplier: string
  readonly buyPico: bigint
}

const NO_COSTS: readonly AttemptCost[] = []

/** What a request's attempts cost beside its `buyPico`, supplier by supplier. */
export function attemptCosts({ attempts }: UsageRecord): readonly AttemptCost[] {
  if (!attempts.some(({ buyPico }) => buyPico !== undefined)) return NO_COSTS
  const sums = new Map<string, bigint>()
  for (const { supplier, buyPico = '0' } of attempts) sums.set(supplier, (sums.get(supplier) ?? 0n) + BigInt(buyPico))
  return [...sums].map(([supplier, buyPico]) => ({ supplier, buyPico })).filter(({ buyPico }) => buyPico > 0n)
}

function attemptCostsText(record: UsageRecord): string | null {
  const costs = attemptCosts(record)
  return costs.length === 0
    ? null
    : canonicalJson(costs.map(({ supplier, buyPico }) => ({ supplier, buyPico: `${buyPico}` })))
}

/** What the table keeps beside the record itself. It follows from the record, and `verify` makes it again to compare. */
export interface RecordColumns {
  readonly slice: string | null
  readonly tenant: string
  readonly payer: string | null
  readonly tier: string | null
  /** Canonical JSON. */
  readonly draws: string | null
  /** Canonical JSON of `attemptCosts`; null for none. */
  readonly attemptCosts: string | null
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
    payer: record.payer ?? null,
    tier: record.tier ?? null,
    draws: record.draws === undefined ? null : canonicalJson(record.draws),
    attemptCosts: attemptCostsText(record),
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
