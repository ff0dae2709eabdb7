import { bucketAccount, type BucketAccount } from './model.ts'
import { FORGET_DESK_MS } from './options.ts'
import type { Hold, Part, Refusal } from './types.ts'

/** A request that waits for a slice. */
export interface Waiter {
  readonly part: Part
  /** What it must be given now: the whole at first, less for who takes what there is. */
  needs: bigint
  readonly done: (outcome: Hold | Refusal) => void
  readonly sinceMs: number
  refusals: number
}

/** A bucket's account and the traffic with charging about it. */
export interface Desk {
  readonly account: BucketAccount
  waiting: Waiter[]
  granting: boolean
  /** Nothing is asked of charging before this, unless somebody waits who was not refused yet. */
  quietUntilMs: number
  /** Charging's last word was that there is not enough. */
  wasRefused: boolean
  retryScheduled: boolean
  lastUsedMs: number
}

export function openDesk(bucket: string, nowMs: number): Desk {
  return {
    account: bucketAccount(bucket, nowMs),
    waiting: [],
    granting: false,
    quietUntilMs: 0,
    wasRefused: false,
    retryScheduled: false,
    lastUsedMs: nowMs,
  }
}

/** Who can do without is refused as soon as money cannot come back at once; who takes what there is asks once more for less. */
const REFUSALS_OF_OPTIONAL = 2

interface Shortage {
  readonly available: bigint
  /** What other slices hold: some of it may come back. */
  readonly escrowed: bigint
  readonly refusedRetries: number
}

/**
 * Charging has refused `waiter`. Who needs more than there is shares the answer, so that a crowd does not ask one by one. Those
 * for whom it is not worth asking again leave the desk and are returned.
 */
export function refuseWaiting(desk: Desk, waiter: Waiter, shortage: Shortage): readonly Waiter[] {
  const refused: Waiter[] = []
  desk.waiting = desk.waiting.filter((each) => {
    if (each === waiter || each.needs > shortage.available) each.refusals++
    const again = asksAgain(each, shortage)
    if (!again) refused.push(each)
    return again
  })
  return refused
}

function asksAgain(waiter: Waiter, { available, escrowed, refusedRetries }: Shortage): boolean {
  const { part } = waiter
  if (part.atLeast < part.amount && waiter.refusals > 0) {
    const within = waiter.refusals === 1 ? available + escrowed : available
    waiter.needs = within < part.amount ? within : part.amount
    if (waiter.needs < part.atLeast) return false
  }
  const most = part.optional ? REFUSALS_OF_OPTIONAL : refusedRetries
  return waiter.needs <= available + escrowed && waiter.refusals <= most
}

/** Of buckets that come and go with time nothing stays behind. */
export function isForgettable(desk: Desk, nowMs: number): boolean {
  return (
    nowMs - desk.lastUsedMs >= FORGET_DESK_MS &&
    desk.account.slices.length === 0 &&
    desk.account.held === 0n &&
    desk.waiting.length === 0 &&
    !desk.granting &&
    !desk.retryScheduled
  )
}

export function refuseAll(desk: Desk, reason: Refusal['refused']): void {
  const waiting = desk.waiting
  desk.waiting = []
  for (const { part, done } of waiting) done(refusal(reason, part))
}

export function refusal(reason: Refusal['refused'], { bucket, amount }: Part, available = 0n): Refusal {
  return { refused: reason, bucket, needed: amount, available }
}
