import type { Slice } from '#contract'
import type { HoldsLimits } from './types.ts'

/**
 * A slice as the gateway sees it. `open` takes holds; `draining` takes no more and waits for its holds to be resolved and its
 * records to be acknowledged; `closing` is being given back. Changed in place: this is on the path of every request.
 */
export interface HeldSlice {
  readonly slice: Slice
  readonly amountPico: bigint
  phase: 'open' | 'draining' | 'closing'
  leftPico: bigint
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
  const amountPico = BigInt(slice.amountPico)
  return {
    slice,
    amountPico,
    phase: 'open',
    leftPico: amountPico,
    holds: 0,
    records: 0,
    unshipped: 0,
    lastUsedMs: nowMs,
    retryAtMs: 0,
  }
}

/** The open slices of one tenant, oldest first, and how fast it spends. */
export interface TenantAccount {
  readonly tenant: string
  readonly slices: HeldSlice[]
  /** Sum of all outstanding holds. */
  heldPico: bigint
  /** Captured since `spentSinceMs`. */
  spentPico: bigint
  spentSinceMs: number
  picoPerSecond: bigint
  lastGrantPico: bigint
}

export function tenantAccount(tenant: string, nowMs: number): TenantAccount {
  return { tenant, slices: [], heldPico: 0n, spentPico: 0n, spentSinceMs: nowMs, picoPerSecond: 0n, lastGrantPico: 0n }
}

/** Sets an amount aside in the oldest slice that has room, so that older ones empty first; undefined when none has. */
export function takeFrom(account: TenantAccount, amountPico: bigint, nowMs: number): HeldSlice | undefined {
  for (const held of account.slices) {
    if (held.leftPico < amountPico || held.slice.validUntilMs <= nowMs) continue
    held.leftPico -= amountPico
    held.holds++
    held.lastUsedMs = nowMs
    account.heldPico += amountPico
    if (held.slice.tight) drain(account, held)
    return held
  }
  return undefined
}

/** Resolves a hold of `amountPico`, of which `spentPico` was spent. The rest may be held again while the slice is open. */
export function resolveHold(account: TenantAccount, held: HeldSlice, amountPico: bigint, spentPico: bigint): void {
  held.leftPico += amountPico - spentPico
  held.holds--
  account.heldPico -= amountPico
  account.spentPico += spentPico
}

export function drain(account: TenantAccount, held: HeldSlice): void {
  if (held.phase !== 'open') return
  held.phase = 'draining'
  account.slices.splice(account.slices.indexOf(held), 1)
}

export function canClose(held: HeldSlice, nowMs: number): boolean {
  return held.phase === 'draining' && held.holds === 0 && held.unshipped === 0 && held.retryAtMs <= nowMs
}

/** A new slice joins; of more than two, the oldest goes back, so that money does not lie in many places. */
export function join(account: TenantAccount, held: HeldSlice): HeldSlice | undefined {
  account.slices.push(held)
  account.lastGrantPico = held.amountPico
  const oldest = account.slices.length > 2 ? account.slices[0] : undefined
  if (oldest) drain(account, oldest)
  return oldest
}

/** At 30 % of the last grant the next slice is fetched while requests go on. */
export function needsRenewal(account: TenantAccount): boolean {
  let leftPico = 0n
  for (const held of account.slices) {
    // A tight slice says that the wallet is nearly empty: nothing is fetched ahead of a request.
    if (held.slice.tight) return false
    leftPico += held.leftPico
  }
  return account.slices.length > 0 && leftPico * 10n <= account.lastGrantPico * 3n
}

/**
 * How much to ask for: what the tenant spends in `sliceMs`, and room for the holds it has at a time, within the limits.
 * Reading the rate starts a new window when the last is long enough to mean something.
 */
export function wantedPico(account: TenantAccount, amountPico: bigint, limits: HoldsLimits, nowMs: number): bigint {
  const elapsedMs = nowMs - account.spentSinceMs
  if (elapsedMs >= 250) {
    const latest = (account.spentPico * 1000n) / BigInt(elapsedMs)
    account.picoPerSecond = elapsedMs > 2 * limits.sliceMs ? latest : (account.picoPerSecond + latest) / 2n
    account.spentPico = 0n
    account.spentSinceMs = nowMs
  }
  let wanted = (account.picoPerSecond * BigInt(limits.sliceMs)) / 1000n
  for (const other of [amountPico * 4n, account.heldPico, limits.sliceMinPico]) if (other > wanted) wanted = other
  if (wanted > limits.sliceMaxPico) wanted = limits.sliceMaxPico
  return wanted > amountPico ? wanted : amountPico
}

/** Open slices that nobody has used for a while, or that may no longer be used. */
export function dueForReturn(account: TenantAccount, limits: HoldsLimits, nowMs: number): HeldSlice[] {
  return account.slices.filter(
    (held) => held.slice.validUntilMs <= nowMs || (held.holds === 0 && nowMs - held.lastUsedMs >= limits.idleMs),
  )
}
