import type { UsageRecord, UsageReply } from '#contract'
import type * as z from 'zod'
import { hash } from 'node:crypto'
import { evidenceOf, post, postingId } from '#ledger'
import type { Clock } from '#platform/clock'
import type { Database, Transaction } from '#platform/postgres'
import { isBilled, usageEntries } from '../model.ts'
import { lockSlices, settleSlices } from '../slices/store.ts'
import { acceptQuarantined, insertQuarantined, lockDismissed } from '../quarantine/store.ts'
import { lockWallets, moveWallets } from '../wallet/store.ts'
import { arrivalOf } from './fingerprint.ts'
import type { Arrival } from './fingerprint.ts'
import { columnsOf, flawOf, sortArrivals } from './model.ts'
import type { RecordColumns } from './model.ts'
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

class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/**
 * Takes a batch of usage records into the books in one transaction: records, slices, wallets, roll-ups and one posting move
 * together or not at all. Delivering records again, in other batches and another order, changes nothing.
 */
export async function ingest({ database, clock }: Deps, batch: IngestBatch): Promise<IngestReply> {
  const arrivals = batch.records.map(arrivalOf)
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction((tx) => ingestIn(tx, batch, arrivals, clock.nowMs()))
    } catch (error) {
      if (!(error instanceof Overtaken) || attempt === MOST_ATTEMPTS) throw error
    }
  }
}

async function ingestIn(
  tx: Transaction,
  batch: IngestBatch,
  arrivals: readonly Arrival[],
  nowMs: number,
): Promise<IngestReply> {
  const { gateway } = batch
  // A text that PostgreSQL refuses must not get as far as a look-up.
  const sound = arrivals.filter((arrival) => flawOf(arrival, gateway) === undefined).map((arrival) => arrival.record)
  await lockWallets(tx, unique(sound.map((record) => record.tenant)))
  const slices = await lockSlices(tx, unique(sound.map((record) => record.slice).filter((slice) => slice !== null)))
  const malformed = (batch.malformed ?? []).map(({ id, text }) => ({
    id,
    contentHash: hash('sha256', text, 'hex'),
    reason: 'malformed',
    text,
  }))
  const ids = unique([...arrivals.map((arrival) => arrival.record.id), ...malformed.map(({ id }) => id)])
  const dismissed = await lockDismissed(tx, ids)
  const known = await knownHashes(tx, unique(arrivals.map((arrival) => arrival.record.id)))
  const isLive = ({ contentHash }: { readonly contentHash: string }) => !dismissed.has(contentHash)
  const { accepted, duplicates, quarantined } = sortArrivals(arrivals.filter(isLive), {
    gateway,
    known,
    slices: new Map(slices.map((slice) => [slice.id, slice])),
  })
  const aside = [
    ...quarantined.map(({ arrival, reason }) => ({
      id: arrival.record.id,
      contentHash: arrival.contentHash,
      reason,
      text: arrival.text,
    })),
    ...malformed.filter(isLive),
  ]
  if (aside.length > 0) await insertQuarantined(tx, gateway, aside, nowMs)
  if (accepted.length > 0) await book(tx, gateway, accepted, nowMs)
  return {
    accepted: accepted.length,
    duplicates: duplicates.length,
    quarantined: [
      ...aside.map(({ id, reason }) => ({ id, reason })),
      // Told as such and not as posted before: the gateway must not wait for them to count on their slice.
      ...[...arrivals.map(({ record, contentHash }) => ({ id: record.id, contentHash })), ...malformed]
        .filter((each) => !isLive(each))
        .map(({ id }) => ({ id, reason: 'dismissed' })),
    ],
  }
}

/** The posting comes last, because it holds the lock that orders all postings. */
async function book(tx: Transaction, gateway: string, accepted: readonly Arrival[], nowMs: number): Promise<void> {
  const rows = accepted.map((arrival) => ({ arrival, columns: columnsOf(arrival.record) }))
  const columns = rows.map((row) => row.columns)
  const evidence = evidenceOf(accepted.map((arrival) => arrival.contentHash))
  const key = `usage:${evidence}`
  if ((await insertRecords(tx, rows, postingId(key))) !== accepted.length) throw new Overtaken()
  await settleSlices(tx, bySlice(columns))
  await moveWallets(tx, byTenant(columns))
  await addToRollups(tx, rollUp(columns))
  await acceptQuarantined(
    tx,
    accepted.map(({ record, contentHash }) => ({ id: record.id, contentHash })),
  )
  const entries = columns.flatMap((record) => usageEntries({ ...record, billed: isBilled(record.ending) }))
  await post(tx, {
    key,
    kind: 'usage',
    memo: `usage of gateway ${gateway}`,
    bookedAtMs: nowMs,
    entries,
    evidence,
    facts: accepted.length,
  })
}

function bySlice(columns: readonly RecordColumns[]): { id: string; settledPico: bigint; records: number }[] {
  const moves = new Map<string, { id: string; settledPico: bigint; records: number }>()
  for (const { slice: id, sellPico } of columns) {
    if (id === null) continue
    const move = moves.get(id) ?? { id, settledPico: 0n, records: 0 }
    moves.set(id, { id, settledPico: move.settledPico + sellPico, records: move.records + 1 })
  }
  return [...moves.values()]
}

/** What is spent leaves the wallet and its escrow alike: it had been set aside when the slice was granted. */
function byTenant(columns: readonly RecordColumns[]): { tenant: string; postedPico: bigint; escrowedPico: bigint }[] {
  const spent = new Map<string, bigint>()
  for (const { tenant, sellPico } of columns) if (sellPico > 0n) spent.set(tenant, (spent.get(tenant) ?? 0n) + sellPico)
  return [...spent].map(([tenant, sell]) => ({ tenant, postedPico: -sell, escrowedPico: -sell }))
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted()
}
