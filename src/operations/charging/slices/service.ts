import type { CloseReply, CloseRequest, GrantReply, GrantRequest, OpenSlicesReply, Slice } from '#contract'
import type * as z from 'zod'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { grantReused, unknownSlice } from '../problems.ts'
import { lockWallets, moveWallets } from '../wallet/store.ts'
import { decideGrant, sliceId } from './model.ts'
import {
  bumpEpoch,
  endSlice,
  expiredSlices,
  findSlice,
  insertSlice,
  lockEpoch,
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

/** Takes over a gateway id. Waits for grants of the epoch before, which are refused from then on. */
export async function register(db: Queryable, gateway: string): Promise<{ epoch: number }> {
  return { epoch: await bumpEpoch(db, gateway) }
}

export async function grant(deps: Deps, request: GrantRequest): Promise<GrantReply> {
  return deps.database.transaction((tx) => grantIn(tx, deps, request))
}

async function grantIn(tx: Transaction, { clock, sliceLifetimeMs }: Deps, request: GrantRequest): Promise<GrantReply> {
  const { gateway, epoch, seq, tenant } = request
  if ((await lockEpoch(tx, gateway)) !== epoch) return { outcome: 'fenced' }
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
    if (slice.state !== 'open') return { outcome: 'closed' }
    if (slice.records < request.records) return { outcome: 'missing', ingested: slice.records }
    await endAndFree(tx, slice, 'closed', clock.nowMs())
    return { outcome: 'closed' }
  })
}

export async function openSlices(db: Queryable, gateway: string): Promise<z.infer<typeof OpenSlicesReply>> {
  return { slices: (await openSlicesOf(db, gateway)).map(toSlice) }
}

export interface ReleasedSlice {
  readonly slice: string
  readonly gateway: string
  readonly tenant: string
  readonly releasedPico: string
}

/**
 * An operator's decision, never made by the program: slices that expired at least `graceMs` ago go back to their wallets although
 * records of them may be missing. Records that turn up later and cost money are kept in quarantine.
 */
export async function releaseExpired(
  { database, clock }: Deps,
  { graceMs }: { graceMs: number },
): Promise<ReleasedSlice[]> {
  const released: ReleasedSlice[] = []
  for (const { id } of await expiredSlices(database, clock.nowMs() - graceMs)) {
    const line = await database.transaction(async (tx) => {
      const slice = await lockSlice(tx, id)
      if (slice?.state !== 'open') return undefined
      const releasedPico = await endAndFree(tx, slice, 'released', clock.nowMs())
      return { slice: id, gateway: slice.gateway, tenant: slice.tenant, releasedPico: `${releasedPico}` }
    })
    if (line) released.push(line)
  }
  return released
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
  state: 'closed' | 'released',
  nowMs: number,
): Promise<bigint> {
  const rest = slice.amountPico - slice.settledPico
  await endSlice(tx, { id: slice.id, state, nowMs })
  await moveWallets(tx, [{ tenant: slice.tenant, postedPico: 0n, escrowedPico: -rest }])
  return rest
}

function toSlice({ id, tenant, epoch, amountPico, validUntilMs, tight }: SliceRow): Slice {
  return { id, tenant, epoch, amountPico: `${amountPico}`, validUntilMs, tight }
}
