import type { Problem } from '#kernel'
import { tenantAccount, type TenantAccount } from './model.ts'
import type { Hold } from './types.ts'

/** A request that waits for a slice. */
export interface Waiter {
  readonly amountPico: bigint
  readonly done: (outcome: Hold | Problem) => void
  readonly sinceMs: number
  refusals: number
}

/** A tenant's account and the traffic with charging about it. */
export interface Desk {
  readonly account: TenantAccount
  waiting: Waiter[]
  granting: boolean
  /** Nothing is asked of charging before this, unless somebody waits who was not refused yet. */
  quietUntilMs: number
  retryScheduled: boolean
}

export function openDesk(tenant: string, nowMs: number): Desk {
  return { account: tenantAccount(tenant, nowMs), waiting: [], granting: false, quietUntilMs: 0, retryScheduled: false }
}

export function refuseAll(desk: Desk, problem: () => Problem): void {
  const waiting = desk.waiting
  desk.waiting = []
  for (const { done } of waiting) done(problem())
}
