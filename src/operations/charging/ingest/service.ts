import type { UsageRecord, UsageReply } from '#contract'
import type * as z from 'zod'
import { hash } from 'node:crypto'
import { evidenceOf, post, postingId } from '#ledger'
import type { Clock } from '#platform/clock'
import { violatedConstraint } from '#platform/postgres'
import type { Database, Transaction } from '#platform/postgres'
import { walletOf } from '../bucket/model.ts'
import { availableOf, lockBuckets, moveBuckets } from '../bucket/store.ts'
import type { Bucket, BucketMove } from '../bucket/store.ts'
import { activeLots, moveLots } from '../lots/store.ts'
import { attemptEntries, tokenEntries } from '../model.ts'
import { acceptQuarantined, insertQuarantined, lockQuarantined } from '../quarantine/store.ts'
import type { Aside } from '../quarantine/store.ts'
import { sharesOf } from '../shares/store.ts'
import { isSharedBy } from '../shares/model.ts'
import { lockSlices, settleSlices } from '../slices/store.ts'
import type { SliceRow } from '../slices/store.ts'
import { batchEntries, burnRecords } from './burn.ts'
import type { BurnColumns } from './burn.ts'
import { arrivalOf } from './fingerprint.ts'
import type { Arrival } from './fingerprint.ts'
import { attemptCosts, columnsOf, flawOf, payerOf, sortArrivals, spends } from './model.ts'
import type { Sorting } from './model.ts'
import { rollUp } from './rollup.ts'
import { addToRollups, insertRecords, knownHashes } from './store.ts'

export type IngestReply = z.infer<typeof UsageReply>

export interface IngestBatch {
  readonly gateway: string
  readonly records: readonly UsageRecord[]
  /** What arrived in the place of records and is none. It is kept aside like records that break an invariant. */
  readonly malformed?: readonly { readonly id: string; readonly text: string }[]
}

interface Deps {
  readonly database: Database
  readonly clock: Clock
}

/** Two deliveries of one record under different tenants' locks can meet only by a fault of a gateway; then one of them starts over. */
const MOST_ATTEMPTS = 5

const isOvertaken = (error: unknown): boolean => violatedConstraint(error) === 'usage_record_pkey'

/** One delivery alone; see `ingestTogether`. */
export async function ingest(deps: Deps, batch: IngestBatch): Promise<IngestReply> {
  const [reply] = await ingestTogether(deps, [batch])
  if (!reply) throw new Error('a delivery was not answered')
  return reply
}

/**
 * Takes deliveries of usage records into the books in one transaction: records, slices, buckets, lots, roll-ups and one posting move
 * together or not at all. Each delivery is answered for itself. Delivering records again, in other batches and another order, changes
 * nothing.
 */
export async function ingestTogether(
  { database, clock }: Deps,
  batches: readonly IngestBatch[],
): Promise<readonly IngestReply[]> {
  const deliveries = batches.map(deliveryOf)
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction((tx) => ingestIn(tx, deliveries, clock.nowMs()))
    } catch (error) {
      if (!isOvertaken(error) || attempt === MOST_ATTEMPTS) throw error
    }
  }
}

interface Delivery {
  readonly gateway: string
  readonly arrivals: readonly Arrival[]
  readonly malformed: readonly Aside[]
}

function deliveryOf({ gateway, records, malformed = [] }: IngestBatch): Delivery {
  return {
    gateway,
    arrivals: records.map(arrivalOf),
    malformed: malformed.map(({ id, text }) => ({
      id,
      contentHash: hash('sha256', text, 'hex'),
      reason: 'malformed',
      text,
    })),
  }
}

async function ingestIn(tx: Transaction, deliveries: readonly Delivery[], nowMs: number): Promise<IngestReply[]> {
  const all = deliveries.flatMap(({ arrivals }) => arrivals)
  const from = new Map(deliveries.flatMap((each) => each.arrivals.map((arrival) => [arrival, each] as const)))
  const gatewayOf = (arrival: Arrival): string => from.get(arrival)?.gateway ?? ''
  // A text that PostgreSQL refuses must not get as far as a look-up.
  const sound = all.filter((arrival) => flawOf(arrival, gatewayOf(arrival)) === undefined).map(({ record }) => record)
  const ground = await lockGround(tx, sound)
  const malformed = deliveries.flatMap((each) => each.malformed)
  const ids = unique([...all.map((arrival) => arrival.record.id), ...malformed.map(({ id }) => id)])
  const { dismissed, waiting } = await lockQuarantined(tx, ids)
  const hashes = await knownHashes(tx, unique(all.map((arrival) => arrival.record.id)))
  const isLive = ({ contentHash }: { readonly contentHash: string }) => !dismissed.has(contentHash)
  const sorting = sortArrivals(all.filter(isLive), { gatewayOf, hashes, ...ground })
  const aside = Map.groupBy(sorting.quarantined, ({ arrival }) => from.get(arrival))
  const accepted = Map.groupBy(sorting.accepted, (arrival) => from.get(arrival))
  const duplicates = Map.groupBy(sorting.duplicates, (arrival) => from.get(arrival))
  const replies: IngestReply[] = []
  for (const delivery of deliveries) {
    const kept = [...(aside.get(delivery) ?? []).map(asideOf), ...delivery.malformed.filter(isLive)]
    if (kept.length > 0) await insertQuarantined(tx, delivery.gateway, kept, nowMs)
    replies.push({
      accepted: accepted.get(delivery)?.length ?? 0,
      duplicates: duplicates.get(delivery)?.length ?? 0,
      quarantined: [
        ...kept.map(({ id, reason }) => ({ id, reason })),
        // Told as such and not as posted before: the gateway must not wait for them to count on their slice.
        ...[
          ...delivery.arrivals.map(({ record, contentHash }) => ({ id: record.id, contentHash })),
          ...delivery.malformed,
        ]
          .filter((each) => !isLive(each))
          .map(({ id }) => ({ id, reason: 'dismissed' })),
      ],
    })
  }
  const gateways = unique([...accepted.keys()].map((delivery) => delivery?.gateway ?? ''))
  if (sorting.accepted.length > 0) await book(tx, { gateways, accepted: sorting.accepted, ground, waiting, nowMs })
  return replies
}

function asideOf({ arrival, reason }: Sorting['quarantined'][number]): Aside {
  return { id: arrival.record.id, contentHash: arrival.contentHash, reason, text: arrival.text }
}

/** What records stand on, locked in the order that everybody keeps. */
interface Ground {
  readonly buckets: ReadonlyMap<string, Bucket>
  readonly slices: ReadonlyMap<string, SliceRow>
  readonly isShared: (share: { owner: string; member: string; atMs: number }) => boolean
}

async function lockGround(tx: Transaction, records: readonly UsageRecord[]): Promise<Ground> {
  const named = records.flatMap(spends)
  const wallets = records.map((record) => walletOf(payerOf(record)))
  const buckets = await lockBuckets(tx, unique([...wallets, ...named.map(({ bucket }) => bucket)]))
  const slices = await lockSlices(tx, unique(named.map(({ slice }) => slice)))
  const byId = new Map(buckets.map((bucket) => [bucket.id, bucket]))
  const usesOthers = ({ tenant, payer = tenant, draws = [] }: UsageRecord): boolean =>
    payer !== tenant || draws.some(({ bucket }) => byId.get(bucket)?.tenant !== tenant)
  const members = unique(records.filter(usesOthers).map(({ tenant }) => tenant))
  const shares = members.length === 0 ? [] : await sharesOf(tx, members)
  return {
    buckets: byId,
    slices: new Map(slices.map((slice) => [slice.id, slice])),
    isShared: (share) => isSharedBy(shares, share),
  }
}

/** The posting comes last, because it holds the lock that orders all postings. */
async function book(
  tx: Transaction,
  {
    gateways,
    accepted,
    ground,
    waiting,
    nowMs,
  }: {
    gateways: readonly string[]
    accepted: readonly Arrival[]
    ground: Ground
    waiting: ReadonlySet<string>
    nowMs: number
  },
): Promise<void> {
  const records = accepted.map((arrival) => arrival.record)
  const burnt = burnRecords(records, {
    lots: await activeLots(
      tx,
      [...ground.buckets.values()].filter(({ period }) => !period).map(({ id }) => id),
    ),
    available: new Map([...ground.buckets.values()].map((bucket) => [bucket.id, availableOf(bucket)])),
    isReclaimed: (slice) => ground.slices.get(slice)?.state === 'reclaimed',
  })
  const rows = accepted.map((arrival, index) => ({
    arrival,
    columns: columnsOf(arrival.record),
    burn: burnt.columns[index] ?? missingBurn(arrival),
  }))
  const columns = rows.map((row) => row.columns)
  const evidence = evidenceOf(accepted.map((arrival) => arrival.contentHash))
  const key = `usage:${evidence}`
  await insertRecords(tx, rows, postingId(key))
  await settleSlices(tx, bySlice(records))
  await moveBuckets(tx, byBucket(rows, ground))
  await moveLots(tx, burnt.moves)
  await addToRollups(tx, rollUp(columns))
  await acceptQuarantined(
    tx,
    accepted.map(({ record, contentHash }) => ({ id: record.id, contentHash })).filter(({ id }) => waiting.has(id)),
  )
  await post(tx, {
    key,
    kind: 'usage',
    memo: `usage of gateway ${gateways.join(', ')}`,
    bookedAtMs: nowMs,
    entries: [
      ...batchEntries(rows),
      ...records.flatMap(attemptCosts).flatMap(attemptEntries),
      ...burnt.tokens.flatMap(tokenEntries),
    ],
    evidence,
    facts: accepted.length,
  })
}

function missingBurn({ record }: Arrival): never {
  throw new Error(`nothing was decided about record ${record.id}`)
}

function bySlice(records: readonly UsageRecord[]): { id: string; settled: bigint; records: number }[] {
  const moves = new Map<string, { id: string; settled: bigint; records: number }>()
  for (const { slice: id, amount } of records.flatMap(spends)) {
    const move = moves.get(id) ?? { id, settled: 0n, records: 0 }
    moves.set(id, { id, settled: move.settled + amount, records: move.records + 1 })
  }
  return [...moves.values()]
}

/**
 * What is spent leaves the bucket and its escrow alike: it had been set aside when the slice was granted. A slice that was
 * reclaimed has nothing set aside any more, and an overrun was never in the bucket.
 */
function byBucket(
  rows: readonly { readonly arrival: Arrival; readonly burn: BurnColumns }[],
  { slices }: Ground,
): BucketMove[] {
  const moves = new Map<string, { posted: bigint; escrowed: bigint; overrun: bigint }>()
  for (const { arrival, burn } of rows) {
    for (const { slice, bucket, amount } of spends(arrival.record)) {
      if (amount === 0n) continue
      const overrun = slice === arrival.record.slice ? (burn.overrunPico ?? 0n) : 0n
      const freed = slices.get(slice)?.state === 'open' ? amount : 0n
      let move = moves.get(bucket)
      if (!move) moves.set(bucket, (move = { posted: 0n, escrowed: 0n, overrun: 0n }))
      move.posted -= amount - overrun
      move.escrowed -= freed
      move.overrun += overrun
    }
  }
  return [...moves].map(([id, move]) => ({ id, ...move }))
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted()
}
