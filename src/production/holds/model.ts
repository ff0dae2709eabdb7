import type { Slice } from '#contract'
import type { HoldsLimits } from './types.ts'

/**
 * A slice as the gateway sees it. `open` takes holds; `draining` takes no more and waits for its holds to be resolved and its
 * records to be acknowledged; `closing` is being given back. Changed in place: this is on the path of every request.
 */
export interface HeldSlice {
  readonly slice: Slice
  readonly amount: bigint
  phase: 'open' | 'draining' | 'closing'
  left: bigint
  holds: number
  /** Records that charging must have ingested before the slice can close. */
  records: number
  /** Records of this slice that charging has not acknowledged. */
  unshipped: number
  lastUsedMs: number
  /** A failed close is not tried again before this. */
  retryAtMs: number
}

export function heldSlice(slice: Slice, nowMs: number): HeldSlice {
  const amount = BigInt(slice.amount)
  return {
    slice,
    amount,
    phase: 'open',
    left: amount,
    holds: 0,
    records: 0,
    unshipped: 0,
    lastUsedMs: nowMs,
    retryAtMs: 0,
  }
}

/** The open slices of one bucket, oldest first, and how fast it is spent. Amounts are in the bucket's unit. */
export interface BucketAccount {
  readonly bucket: string
  readonly slices: HeldSlice[]
  /** Sum of all outstanding holds. */
  held: bigint
  /** Captured since `spentSinceMs`. */
  spent: bigint
  spentSinceMs: number
  perSecond: bigint
  lastGrant: bigint
}

export function bucketAccount(bucket: string, nowMs: number): BucketAccount {
  return { bucket, slices: [], held: 0n, spent: 0n, spentSinceMs: nowMs, perSecond: 0n, lastGrant: 0n }
}

/** Sets an amount aside in the oldest slice that has room, so that older ones empty first; undefined when none has. */
export function takeFrom(account: BucketAccount, amount: bigint, nowMs: number): HeldSlice | undefined {
  for (const held of account.slices) {
    if (held.left < amount || held.slice.validUntilMs <= nowMs) continue
    held.left -= amount
    held.holds++
    held.lastUsedMs = nowMs
    account.held += amount
    if (held.slice.tight) drain(account, held)
    return held
  }
  return undefined
}

/** The most that `takeFrom` would give at once. */
export function mostLeft(account: BucketAccount, nowMs: number): bigint {
  let most = 0n
  for (const held of account.slices) if (held.left > most && held.slice.validUntilMs > nowMs) most = held.left
  return most
}

/** Resolves a hold of `amount`, of which `spent` was spent. The rest may be held again while the slice is open. */
export function resolveHold(account: BucketAccount, held: HeldSlice, amount: bigint, spent: bigint): void {
  held.left += amount - spent
  held.holds--
  account.held -= amount
  account.spent += spent
}

export function drain(account: BucketAccount, held: HeldSlice): void {
  if (held.phase !== 'open') return
  held.phase = 'draining'
  account.slices.splice(account.slices.indexOf(held), 1)
}

export function canClose(held: HeldSlice, nowMs: number): boolean {
  return held.phase === 'draining' && held.holds === 0 && held.unshipped === 0 && held.retryAtMs <= nowMs
}

/** A new slice joins; of more than two, the oldest goes back, so that money does not lie in many places. */
export function join(account: BucketAccount, held: HeldSlice): HeldSlice | undefined {
  account.slices.push(held)
  account.lastGrant = held.amount
  const oldest = account.slices.length > 2 ? account.slices[0] : undefined
  if (oldest) drain(account, oldest)
  return oldest
}

/** At 30 % of the last grant the next slice is fetched while requests go on. */
export function needsRenewal(account: BucketAccount): boolean {
  let left = 0n
  for (const held of account.slices) {
    // A tight slice says that the bucket is nearly empty: nothing is fetched ahead of a request.
    if (held.slice.tight) return false
    left += held.left
  }
  return account.slices.length > 0 && left * 10n <= account.lastGrant * 3n
}

/**
 * How much to ask for: what is spent in `sliceMs`, and room for the holds that there are at a time, within the limits.
 * Reading the rate starts a new window when the last is long enough to mean something.
 */
export function wantedAmount(account: BucketAccount, amount: bigint, limits: HoldsLimits, nowMs: number): bigint {
  const elapsedMs = nowMs - account.spentSinceMs
  if (elapsedMs >= 250) {
    const latest = (account.spent * 1000n) / BigInt(elapsedMs)
    account.perSecond = elapsedMs > 2 * limits.sliceMs ? latest : (account.perSecond + latest) / 2n
    account.spent = 0n
    account.spentSinceMs = nowMs
  }
  let wanted = (account.perSecond * BigInt(limits.sliceMs)) / 1000n
  for (const other of [amount * 4n, account.held, isMoney(account) ? limits.sliceMinPico : 0n])
    if (other > wanted) wanted = other
  if (wanted > limits.sliceMaxPico) wanted = limits.sliceMaxPico
  return wanted > amount ? wanted : amount
}

/** The least size of a slice is an amount of money; of a reservation per minute it could be the whole. */
function isMoney({ bucket }: BucketAccount): boolean {
  return bucket.startsWith('wallet:') || bucket.startsWith('cap:')
}

/** Open slices that nobody has used for a while, or that may no longer be used. */
export function dueForReturn(account: BucketAccount, limits: HoldsLimits, nowMs: number): HeldSlice[] {
  return account.slices.filter(
    (held) => held.slice.validUntilMs <= nowMs || (held.holds === 0 && nowMs - held.lastUsedMs >= limits.idleMs),
  )
}
