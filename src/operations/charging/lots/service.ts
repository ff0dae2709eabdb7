import type { Database, Transaction } from '#platform/postgres'
import { bucketOf, lockAccount } from '../bucket/accounts.ts'
import { availableOf, moveBuckets } from '../bucket/store.ts'
import type { Bucket } from '../bucket/store.ts'
import { book } from '../bookings/service.ts'
import { findBooking } from '../bookings/store.ts'
import { MOST_PICO } from '../model.ts'
import { invalidLot, lotReused, unknownLot } from '../problems.ts'
import { lotId, recognisedAt } from './model.ts'
import type { LotSource } from './model.ts'
import { bucketsWithTurningLots, changeLot, findLot, insertLot, turningLots } from './store.ts'
import type { LotRow } from './store.ts'

export interface LotGrant {
  readonly tenant: string
  /** `CNY`, or the conversion table that tokens are counted by. */
  readonly unit: string
  readonly source: LotSource
  /** Pico-yuan, or millionths of the table's unit. */
  readonly amount: bigint
  /** What brought it about. Granting it again grants nothing. */
  readonly reference: string
  /** Lower burns first. Absent: 100 for tokens, and for money what the account says. */
  readonly priority?: number
  /** Absent: at once. */
  readonly validFromMs?: number
  readonly expiresAtMs?: number | null
  /** For packages: the price without tax, that `chargeFee` deferred and that is earned as the lot is used up. */
  readonly netPico?: bigint
  readonly memo: string
}

/** Throws `invalid_lot`, `lot_reused`. */
export async function grantLot(
  tx: Transaction,
  grant: LotGrant,
  nowMs: number,
): Promise<{ lot: string; booked: boolean }> {
  const { tenant, unit, source, amount, reference, memo } = grant
  const flaw = flawOf(grant, nowMs)
  if (flaw) throw invalidLot({ reference, flaw })
  const bucket = bucketOf(await lockAccount(tx, tenant, unit === 'CNY' ? undefined : unit), unit)
  const key = `grant:${reference}`
  const before = await findLot(tx, { reference: key })
  if (before) {
    if (!isSame(before, grant, bucket)) throw lotReused({ reference })
    return { lot: before.id, booked: false }
  }
  const lot = lotOf(grant, { bucket, key, nowMs })
  await insertLot(tx, lot)
  if (lot.state === 'active') await moveBuckets(tx, [{ id: bucket.id, posted: amount, escrowed: 0n }])
  await book(tx, { key, booking: { kind: 'grant', tenant, unit, source, amount }, memo, nowMs })
  return { lot: lot.id, booked: true }
}

function flawOf(grant: LotGrant, nowMs: number): string | undefined {
  const { unit, source, amount, netPico = 0n, priority = 100, expiresAtMs = null, validFromMs = nowMs } = grant
  if (amount <= 0n || amount > MOST_PICO || netPico < 0n || netPico > MOST_PICO) return 'the amount is out of range'
  if (unit === 'CNY' ? source === 'package' : source === 'paid') return `no ${source} lot is in ${unit}`
  if (unit === 'CNY' && netPico > 0n) return 'money has no price'
  if (source === 'paid' && expiresAtMs !== null) return 'paid money does not expire'
  if (!Number.isInteger(priority) || priority < 0 || priority > 1000) return 'a priority is 0 to 1000'
  if (expiresAtMs !== null && (expiresAtMs <= nowMs || expiresAtMs <= validFromMs)) return 'it expires before it begins'
  return undefined
}

function lotOf(grant: LotGrant, { bucket, key, nowMs }: { bucket: Bucket; key: string; nowMs: number }): LotRow {
  const usual = bucket.kind === 'tokens' ? 100 : grant.source === 'paid' ? bucket.paidPriority : bucket.giftPriority
  return {
    id: lotId(key, nowMs),
    bucket: bucket.id,
    source: grant.source,
    reference: key,
    granted: grant.amount,
    remaining: grant.amount,
    priority: grant.priority ?? usual,
    // Gateways' clocks may be behind ours, and what is there may pay for what is being served.
    validFromMs: grant.validFromMs ?? 0,
    expiresAtMs: grant.expiresAtMs ?? null,
    net: grant.netPico ?? 0n,
    recognised: 0n,
    state: (grant.validFromMs ?? 0) > nowMs ? 'pending' : 'active',
    createdAtMs: nowMs,
  }
}

/** What was left to a default then is not compared with the default of now; an expiry may have been brought forward since. */
function isSame(lot: LotRow, grant: LotGrant, bucket: Bucket): boolean {
  return (
    lot.bucket === bucket.id &&
    lot.source === grant.source &&
    lot.granted === grant.amount &&
    lot.net === (grant.netPico ?? 0n) &&
    (grant.priority === undefined || lot.priority === grant.priority) &&
    (grant.validFromMs === undefined || lot.validFromMs === grant.validFromMs)
  )
}

export interface Revocation {
  /** Either the lot or what it was granted under. */
  readonly lot?: string
  readonly lotReference?: string
  /** Of the revocation: repeating it changes nothing. */
  readonly reference: string
  readonly memo: string
}

export interface Revoked {
  /** What the lot was granted with. */
  readonly granted: bigint
  /** What was left and is cancelled now. */
  readonly remaining: bigint
  /** Pico-yuan of its price that were earned before. */
  readonly recognised: bigint
  /** What gateways hold of it at the moment: they may still use it, and what they give back expires. */
  readonly held: bigint
}

/**
 * Cancels what is left of a gift or a package. What was deferred for it becomes breakage, out of which `refundFee` pays back.
 * Throws `unknown_lot`, `invalid_lot` for paid money.
 */
export async function revokeLot(tx: Transaction, request: Revocation, nowMs: number): Promise<Revoked> {
  const { reference, memo } = request
  const name = request.lot === undefined ? { reference: `grant:${request.lotReference ?? ''}` } : { id: request.lot }
  const found = await findLot(tx, name)
  if (!found) throw unknownLot({ lot: request.lot ?? request.lotReference ?? '' })
  if (found.source === 'paid') throw invalidLot({ reference, flaw: 'paid money is not revoked but paid back' })
  const bucket = await lockBucketOf(tx, found)
  const key = `revoke:${reference}`
  const done = await findBooking(tx, key)
  const lot = (await findLot(tx, { id: found.id })) ?? found
  if (done?.booking.kind === 'revoke')
    return {
      granted: lot.granted,
      remaining: done.booking.amount,
      recognised: done.booking.earned,
      held: lot.remaining,
    }
  const { amount, revenue } = takeFree(lot, bucket)
  const held = lot.remaining - amount
  await changeLot(tx, {
    id: lot.id,
    remaining: held,
    recognised: lot.recognised + revenue,
    state: held === 0n ? 'refunded' : lot.state,
    expiresAtMs: held === 0n ? lot.expiresAtMs : nowMs,
  })
  if (lot.state === 'active') await moveBuckets(tx, [{ id: bucket.id, posted: -amount, escrowed: 0n }])
  const booking = {
    kind: 'revoke',
    tenant: bucket.tenant,
    unit: bucket.unit,
    amount,
    revenue,
    earned: lot.recognised,
  } as const
  const moves = amount === 0n ? [] : [{ lot: lot.id, amount: -amount }]
  await book(tx, { key, booking, memo, nowMs, moves })
  return { granted: lot.granted, remaining: amount, recognised: lot.recognised, held }
}

async function lockBucketOf(tx: Transaction, lot: LotRow): Promise<Bucket> {
  const [, tenant = '', table] = /^(?:wallet|tokens):([^/]+)(?:\/(.+))?$/.exec(lot.bucket) ?? []
  return bucketOf(await lockAccount(tx, tenant, table), table ?? 'CNY')
}

/** What of a lot gateways do not hold, and the deferred revenue that goes with it. */
function takeFree(lot: LotRow, bucket: Bucket): { amount: bigint; revenue: bigint } {
  const free = lot.state === 'pending' ? lot.remaining : availableOf(bucket)
  const amount = free < 0n ? 0n : free < lot.remaining ? free : lot.remaining
  return { amount, revenue: recognisedAt(lot, lot.remaining - amount) - lot.recognised }
}

/**
 * Lots whose time has come are filled into their buckets, and lots whose time is over expire. What gateways hold of those at the
 * moment is left to them, and expires when they give it back. Repeating it changes nothing.
 */
export async function turnLots(database: Database, nowMs: number): Promise<{ begun: number; expired: number }> {
  let [begun, expired] = [0, 0]
  // By position and not until none are left: what gateways hold of a lot that is over stays, and would be found again for ever.
  for (let after = ''; ;) {
    const buckets = await bucketsWithTurningLots(database, nowMs, { after, limit: PAGE })
    for (const bucket of buckets)
      for (let last: string | undefined = ''; last !== undefined;) {
        const turned = await database.transaction((tx) => turnPage(tx, { bucket, after: last ?? '', nowMs }))
        begun += turned.begun
        expired += turned.expired
        last = turned.last
      }
    if (buckets.length < PAGE) return { begun, expired }
    after = buckets.at(-1) ?? ''
  }
}

const PAGE = 500

/** `last`: the lot after which there may be more. */
async function turnPage(
  tx: Transaction,
  { bucket: bucketId, after, nowMs }: { bucket: string; after: string; nowMs: number },
): Promise<{ begun: number; expired: number; last: string | undefined }> {
  const page = { after, limit: PAGE }
  const [first] = await turningLots(tx, bucketId, nowMs, { after, limit: 1 })
  if (!first) return { begun: 0, expired: 0, last: undefined }
  let bucket = await lockBucketOf(tx, first)
  let begun = 0
  const changes: { lot: LotRow; amount: bigint; revenue: bigint }[] = []
  const lots = await turningLots(tx, bucketId, nowMs, page)
  for (const lot of lots) {
    const isOver = lot.expiresAtMs !== null && lot.expiresAtMs <= nowMs
    if (!isOver) {
      begun += 1
      await changeLot(tx, { ...lot, state: 'active' })
      await moveBuckets(tx, [{ id: bucketId, posted: lot.remaining, escrowed: 0n }])
      bucket = { ...bucket, posted: bucket.posted + lot.remaining }
      continue
    }
    const { amount, revenue } = takeFree(lot, bucket)
    if (amount === 0n) continue
    const remaining = lot.remaining - amount
    const state = remaining === 0n ? 'expired' : lot.state
    await changeLot(tx, { ...lot, remaining, recognised: lot.recognised + revenue, state })
    if (lot.state === 'active') {
      await moveBuckets(tx, [{ id: bucketId, posted: -amount, escrowed: 0n }])
      bucket = { ...bucket, posted: bucket.posted - amount }
    }
    changes.push({ lot, amount, revenue })
  }
  const { tenant, unit } = bucket
  for (const { lot, amount, revenue } of changes)
    await book(tx, {
      key: `expiry:${lot.id}@${nowMs}`,
      booking: { kind: 'expiry', tenant, unit, amount, revenue },
      memo: `expiry of ${lot.id}`,
      nowMs,
      moves: [{ lot: lot.id, amount: -amount }],
    })
  return { begun, expired: changes.length, last: lots.length === PAGE ? lots.at(-1)?.id : undefined }
}
