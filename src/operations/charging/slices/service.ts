import type {
  CloseReply,
  CloseRequest,
  GrantReply,
  GrantRequest,
  OpenSlicesReply,
  RegisterRequest,
  Slice,
  SliceView,
} from '#contract'
import type * as z from 'zod'
import { periodOfKey } from '#kernel'
import type { Problem } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { grantReused, sliceInUse, sliceOfOtherJournal, unknownSlice } from '../problems.ts'
import { splitPeriod } from '../bucket/model.ts'
import { availableOf, findBucket, lockBuckets, moveBuckets, openPeriod } from '../bucket/store.ts'
import type { Bucket } from '../bucket/store.ts'
import { findDefinition } from '../definitions/store.ts'
import { decideGrant, sliceId } from './model.ts'
import type { GrantDecision } from './model.ts'
import {
  allOpenSlices,
  bumpEpoch,
  claimNamelessSlices,
  endSlice,
  findSlice,
  gatewayJournals,
  insertSlices,
  lockRegistrations,
  lockSlices,
  openSlicesOf,
  reclaimableSlices,
  slicesOfGrants,
} from './store.ts'
import type { NewSlice, SliceRow } from './store.ts'

interface Deps {
  readonly database: Database
  readonly clock: Clock
  readonly sliceLifetimeMs: number
  /** How long after its admission a request may still be using what it holds. */
  readonly longestRequestMs: number
}

/**
 * Takes over a gateway id. Waits for grants of the epoch before, which are refused from then on. What another journal was granted
 * stays set aside: only that journal knows what was used of it.
 */
export async function register(
  database: Database,
  { gateway, journal }: z.infer<typeof RegisterRequest>,
): Promise<{ epoch: number }> {
  return database.transaction(async (tx) => {
    const epoch = await bumpEpoch(tx, gateway, journal)
    await claimNamelessSlices(tx, gateway, journal)
    return { epoch }
  })
}

/**
 * Grants slices of one bucket in one transaction, one after the other: each sees what those before it took. What is wrong with a
 * grant (`grant_reused`) concerns that one alone.
 */
export async function grantTogether(
  deps: Deps,
  requests: readonly GrantRequest[],
): Promise<readonly (GrantReply | Problem)[]> {
  return deps.database.transaction((tx) => grantIn(tx, deps, requests))
}

async function grantIn(
  tx: Transaction,
  deps: Deps,
  requests: readonly GrantRequest[],
): Promise<readonly (GrantReply | Problem)[]> {
  const registrations = await lockRegistrations(
    tx,
    requests.map(({ gateway }) => gateway),
  )
  const valid = requests.filter(({ gateway, epoch }) => registrations.get(gateway)?.epoch === epoch)
  const name = valid[0]?.bucket
  if (name === undefined) return requests.map(() => ({ outcome: 'fenced' }))
  const nowMs = deps.clock.nowMs()
  const bucket = await lockOrOpen(tx, name, nowMs)
  const known = new Map((await slicesOfGrants(tx, valid)).map((slice) => [slice.id, slice]))
  const fresh: NewSlice[] = []
  let taken = 0n
  const replies = requests.map((request): GrantReply | Problem => {
    const registration = registrations.get(request.gateway)
    if (registration?.epoch !== request.epoch) return { outcome: 'fenced' }
    const decision = decide(request, { bucket, taken, known, nowMs })
    if ('answer' in decision) return decision.answer
    // An epoch is one registration, and a registration is one journal's.
    const slice = newSlice(deps, request, { ...decision, journal: registration.journal, nowMs })
    taken += slice.amount
    fresh.push(slice)
    known.set(slice.id, slice)
    return { outcome: 'granted', slice: toSlice(slice) }
  })
  const [first] = fresh
  if (!first || !bucket) return replies
  // Somebody else took a number meanwhile: then each is looked at alone, and one of them hears of it.
  if ((await insertSlices(tx, fresh)) < fresh.length) throw grantReused(first)
  await moveBuckets(tx, [{ id: bucket.id, posted: 0n, escrowed: taken }])
  return replies
}

interface Standing {
  readonly bucket: Bucket | undefined
  /** By grants of the same transaction. */
  readonly taken: bigint
  readonly known: ReadonlyMap<string, SliceRow>
  readonly nowMs: number
}

type Granted = Extract<GrantDecision, { outcome: 'granted' }>

/** An answer at once, or how much of the bucket is set aside. */
function decide(
  request: GrantRequest,
  { bucket, taken, known, nowMs }: Standing,
): { readonly answer: GrantReply | Problem } | { readonly decided: Granted; readonly bucket: Bucket } {
  const { gateway, epoch, seq } = request
  const available = bucket ? availableOf(bucket) - taken : 0n
  const escrowed = bucket ? bucket.escrowed + taken : 0n
  const insufficient = {
    answer: { outcome: 'insufficient_balance', available: `${available}`, escrowed: `${escrowed}` },
  } as const
  const before = known.get(sliceId(request))
  if (before && before.bucket !== request.bucket) return { answer: grantReused({ gateway, epoch, seq }) }
  // A slice that was given back meanwhile must not be spent: the gateway asks again under its next number.
  if (before) return before.state === 'open' ? { answer: { outcome: 'granted', slice: toSlice(before) } } : insufficient
  // A tenant that never had money has an empty wallet.
  if (!bucket) return request.bucket.startsWith('wallet:') ? insufficient : { answer: { outcome: 'no_such_bucket' } }
  if (bucket.period && !isCurrent(bucket.period, nowMs)) return { answer: { outcome: 'no_such_bucket' } }
  const decision = decideGrant({ available, min: BigInt(request.min), want: BigInt(request.want) })
  return decision.outcome === 'refused' ? insufficient : { decided: decision, bucket }
}

function newSlice(
  deps: Deps,
  { gateway, epoch, seq }: GrantRequest,
  made: { decided: Granted; bucket: Bucket; journal: string | null; nowMs: number },
): NewSlice {
  const { decided, bucket, journal, nowMs } = made
  return {
    ...{ id: sliceId({ gateway, epoch, seq }), gateway, journal, epoch, seq, bucket: bucket.id },
    ...{ amount: decided.amount, tight: decided.tight, settled: 0n, records: 0, state: 'open' },
    ...{ grantedAtMs: nowMs, validUntilMs: validUntilMs(deps, bucket, nowMs) },
  }
}

/** Gateways fetch the next period's slice a moment before it begins, and their clocks differ from ours. */
const EARLY_MS = 5_000

function isCurrent({ fromMs, toMs }: { fromMs: number; toMs: number }, nowMs: number): boolean {
  return nowMs >= fromMs - EARLY_MS && nowMs < toMs
}

/** The bucket of a period is filled by its definition when it is first asked for. */
async function lockOrOpen(tx: Transaction, name: string, nowMs: number): Promise<Bucket | undefined> {
  const [bucket] = await lockBuckets(tx, [name])
  const parts = bucket ? undefined : splitPeriod(name)
  const definition = parts && (await findDefinition(tx, parts.definition))
  const bounds = definition && periodOfKey(definition.period, parts.period)
  if (!bounds || !isCurrent(bounds, nowMs)) return bucket
  if (bounds.toMs <= definition.validFromMs || (definition.validToMs !== null && bounds.fromMs >= definition.validToMs))
    return undefined
  await openPeriod(tx, { id: name, definition, fromMs: bounds.fromMs, toMs: bounds.toMs })
  return (await lockBuckets(tx, [name]))[0]
}

/** What is left of a period is forfeited with it, as soon as the requests that it paid for have ended. */
function validUntilMs({ sliceLifetimeMs, longestRequestMs }: Deps, { period }: Bucket, nowMs: number): number {
  const untilMs = nowMs + sliceLifetimeMs
  return period ? Math.min(untilMs, period.toMs + longestRequestMs) : untilMs
}

/** Gives the rest of a slice back, once charging has every record that was charged to it. Closing again changes nothing. */
export async function close(
  { database, clock }: Deps,
  request: z.infer<typeof CloseRequest>,
): Promise<z.infer<typeof CloseReply>> {
  return database.transaction(async (tx) => {
    const slice = await lockSlice(tx, request.slice)
    if (slice?.gateway !== request.gateway) throw unknownSlice({ slice: request.slice })
    if (slice.journal !== null && slice.journal !== request.journal) throw sliceOfOtherJournal({ slice: request.slice })
    if (slice.state !== 'open') return { outcome: 'closed' }
    if (slice.records < request.records) return { outcome: 'missing', ingested: slice.records }
    await endAndFree(tx, slice, { state: 'closed', nowMs: clock.nowMs() })
    return { outcome: 'closed' }
  })
}

export async function openSlices(
  db: Queryable,
  { gateway, journal }: z.infer<typeof RegisterRequest>,
): Promise<z.infer<typeof OpenSlicesReply>> {
  return { slices: (await openSlicesOf(db, gateway, journal)).map(toSlice) }
}

/**
 * How long after a slice has expired an operator may release it: requests that it still pays for, and the records of an outage,
 * have had time to arrive.
 */
const RELEASE_GRACE_MS = 3_600_000

/** The open slices of all gateways, oldest first. */
export async function listSlices(db: Queryable, limit: number): Promise<SliceView[]> {
  const journals = await gatewayJournals(db)
  return (await allOpenSlices(db, limit)).map((slice) => toView(slice, slice, journals.get(slice.gateway) ?? null))
}

/**
 * An operator's decision, never made by the program: a slice that expired long ago goes back to its bucket although records of it
 * may be missing. Records that turn up later and cost money are kept in quarantine. Releasing again changes nothing.
 */
export async function releaseSlice(
  { database, clock }: Deps,
  { slice: id, by, reason }: { slice: string; by: string; reason: string },
): Promise<SliceView> {
  return database.transaction(async (tx) => {
    const slice = await lockSlice(tx, id)
    const bucket = slice && (await findBucket(tx, slice.bucket))
    if (!slice || !bucket) throw unknownSlice({ slice: id })
    const journal = (await gatewayJournals(tx)).get(slice.gateway) ?? null
    if (slice.state === 'released') return toView(slice, bucket, journal)
    const nowMs = clock.nowMs()
    const releasableAtMs = slice.validUntilMs + RELEASE_GRACE_MS
    if (slice.state !== 'open' || nowMs < releasableAtMs)
      throw sliceInUse({ slice: id, state: slice.state, releasableAtMs })
    await endAndFree(tx, slice, { state: 'released', nowMs, by, reason })
    return toView({ ...slice, state: 'released' }, bucket, journal)
  })
}

/** Clocks of gateways differ from ours by less. */
const SKEW_MS = 60_000
const PAGE = 500

/**
 * Gives back what nobody can be using any more, where that is wanted: a wallet in the mode `available` would rather serve on than
 * wait for a lost gateway. Records that come later take what is there then, and what is not there is an overrun.
 */
export async function reclaimSlices(
  { database, longestRequestMs }: Deps,
  nowMs: number,
): Promise<{ reclaimed: number }> {
  let reclaimed = 0
  const validUntilMs = nowMs - longestRequestMs - SKEW_MS
  for (const id of await reclaimableSlices(database, validUntilMs, PAGE))
    reclaimed += await database.transaction(async (tx) => {
      const slice = await lockSlice(tx, id)
      if (slice?.state !== 'open') return 0
      await endAndFree(tx, slice, { state: 'reclaimed', nowMs })
      return 1
    })
  return { reclaimed }
}

/** The bucket first and the slice after it, as ingest does. */
async function lockSlice(tx: Transaction, id: string): Promise<SliceRow | undefined> {
  const found = await findSlice(tx, id)
  if (!found) return undefined
  await lockBuckets(tx, [found.bucket])
  const [slice] = await lockSlices(tx, [id])
  return slice
}

async function endAndFree(
  tx: Transaction,
  slice: SliceRow,
  end: { state: 'closed' | 'released' | 'reclaimed'; nowMs: number; by?: string; reason?: string },
): Promise<void> {
  await endSlice(tx, { id: slice.id, ...end })
  await moveBuckets(tx, [{ id: slice.bucket, posted: 0n, escrowed: slice.settled - slice.amount }])
}

function toSlice({ id, bucket, epoch, amount, validUntilMs, tight }: SliceRow): Slice {
  return { id, bucket, epoch, amount: `${amount}`, validUntilMs, tight }
}

function toView(
  slice: SliceRow,
  { tenant, unit }: { readonly tenant: string; readonly unit: string },
  gatewayJournal: string | null,
): SliceView {
  const { id, gateway, journal, epoch, bucket, amount, settled, records, state, grantedAtMs, validUntilMs } = slice
  return {
    id,
    gateway,
    journal,
    isOfPresentJournal: journal === gatewayJournal,
    epoch,
    bucket,
    tenant,
    unit,
    amount: `${amount}`,
    settled: `${settled}`,
    records,
    state,
    grantedAtMs,
    validUntilMs,
    releasableAtMs: validUntilMs + RELEASE_GRACE_MS,
  }
}
