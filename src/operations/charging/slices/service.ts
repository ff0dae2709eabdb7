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
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { grantReused, sliceInUse, sliceOfOtherJournal, unknownSlice } from '../problems.ts'
import { lockWallets, moveWallets } from '../wallet/store.ts'
import { decideGrant, sliceId } from './model.ts'
import {
  allOpenSlices,
  bumpEpoch,
  claimNamelessSlices,
  endSlice,
  findSlice,
  gatewayJournals,
  insertSlice,
  lockRegistration,
  lockSlices,
  openSlicesOf,
  sliceOfGrant,
} from './store.ts'
import type { SliceRow } from './store.ts'

interface Deps {
  readonly database: Database
  readonly clock: Clock
  readonly sliceLifetimeMs: number
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

export async function grant(deps: Deps, request: GrantRequest): Promise<GrantReply> {
  return deps.database.transaction((tx) => grantIn(tx, deps, request))
}

async function grantIn(tx: Transaction, { clock, sliceLifetimeMs }: Deps, request: GrantRequest): Promise<GrantReply> {
  const { gateway, epoch, seq, tenant } = request
  const registration = await lockRegistration(tx, gateway)
  if (registration?.epoch !== epoch) return { outcome: 'fenced' }
  const [wallet] = await lockWallets(tx, [tenant])
  const availablePico = wallet ? wallet.postedPico - wallet.escrowedPico : 0n
  const insufficient = {
    outcome: 'insufficient_balance',
    availablePico: `${availablePico}`,
    escrowedPico: `${wallet?.escrowedPico ?? 0n}`,
  } as const
  const before = await sliceOfGrant(tx, request)
  if (before && before.tenant !== tenant) throw grantReused({ gateway, epoch, seq })
  // A slice that was given back meanwhile must not be spent: the gateway asks again under its next number.
  if (before) return before.state === 'open' ? { outcome: 'granted', slice: toSlice(before) } : insufficient
  const decision = decideGrant({ availablePico, minPico: BigInt(request.minPico), wantPico: BigInt(request.wantPico) })
  if (decision.outcome === 'refused' || !wallet) return insufficient
  const nowMs = clock.nowMs()
  const slice = await insertSlice(tx, {
    id: sliceId(request),
    gateway,
    // An epoch is one registration, and a registration is one journal's.
    journal: registration.journal,
    epoch,
    seq,
    tenant,
    amountPico: decision.amountPico,
    tight: decision.tight,
    grantedAtMs: nowMs,
    validUntilMs: nowMs + sliceLifetimeMs,
  })
  if (!slice) throw grantReused({ gateway, epoch, seq })
  await moveWallets(tx, [{ tenant, postedPico: 0n, escrowedPico: decision.amountPico }])
  return { outcome: 'granted', slice: toSlice(slice) }
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
  return (await allOpenSlices(db, limit)).map((slice) => toView(slice, journals.get(slice.gateway) ?? null))
}

/**
 * An operator's decision, never made by the program: a slice that expired long ago goes back to its wallet although records of it
 * may be missing. Records that turn up later and cost money are kept in quarantine. Releasing again changes nothing.
 */
export async function releaseSlice(
  { database, clock }: Deps,
  { slice: id, by, reason }: { slice: string; by: string; reason: string },
): Promise<SliceView> {
  return database.transaction(async (tx) => {
    const slice = await lockSlice(tx, id)
    if (!slice) throw unknownSlice({ slice: id })
    const journal = (await gatewayJournals(tx)).get(slice.gateway) ?? null
    if (slice.state === 'released') return toView(slice, journal)
    const nowMs = clock.nowMs()
    const releasableAtMs = slice.validUntilMs + RELEASE_GRACE_MS
    if (slice.state === 'closed' || nowMs < releasableAtMs)
      throw sliceInUse({ slice: id, state: slice.state, releasableAtMs })
    await endAndFree(tx, slice, { state: 'released', nowMs, by, reason })
    return toView({ ...slice, state: 'released' }, journal)
  })
}

/** The wallet first and the slice after it, as ingest does. */
async function lockSlice(tx: Transaction, id: string): Promise<SliceRow | undefined> {
  const found = await findSlice(tx, id)
  if (!found) return undefined
  await lockWallets(tx, [found.tenant])
  const [slice] = await lockSlices(tx, [id])
  return slice
}

async function endAndFree(
  tx: Transaction,
  slice: SliceRow,
  end: { state: 'closed' | 'released'; nowMs: number; by?: string; reason?: string },
): Promise<void> {
  await endSlice(tx, { id: slice.id, ...end })
  await moveWallets(tx, [{ tenant: slice.tenant, postedPico: 0n, escrowedPico: slice.settledPico - slice.amountPico }])
}

function toSlice({ id, tenant, epoch, amountPico, validUntilMs, tight }: SliceRow): Slice {
  return { id, tenant, epoch, amountPico: `${amountPico}`, validUntilMs, tight }
}

function toView(slice: SliceRow, gatewayJournal: string | null): SliceView {
  const { id, gateway, journal, epoch, tenant, amountPico, settledPico, records, state, grantedAtMs, validUntilMs } =
    slice
  return {
    id,
    gateway,
    journal,
    isOfPresentJournal: journal === gatewayJournal,
    epoch,
    tenant,
    amountPico: `${amountPico}`,
    settledPico: `${settledPico}`,
    records,
    state,
    grantedAtMs,
    validUntilMs,
    releasableAtMs: validUntilMs + RELEASE_GRACE_MS,
  }
}
