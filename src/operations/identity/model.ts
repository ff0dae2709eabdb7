import type { Limits } from '#contract'

export interface SessionView {
  readonly email: string
  readonly role: 'operator' | 'tenant' | 'supplier'
  readonly tenant: string | null
  /** Whose people they are, of role `supplier`. */
  readonly supplier: string | null
}

export interface KeyRow {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly purpose: 'api' | 'playground'
  readonly preview: string
  readonly status: 'active' | 'revoked'
  /** Of its tenant; null: none. */
  readonly project: string | null
  readonly limits: Limits
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
}

/** Part of a tenant that has keys, and may have budgets, of its own. */
export interface Project {
  readonly tenant: string
  readonly id: string
  readonly displayName: string
}

/** What a key is to the people who look at it: an expired key is not active, whatever its row says. */
export function keyStatus(
  key: Pick<KeyRow, 'status' | 'expiresAtMs'>,
  nowMs: number,
): 'active' | 'revoked' | 'expired' {
  if (key.status === 'revoked') return 'revoked'
  return key.expiresAtMs !== null && key.expiresAtMs <= nowMs ? 'expired' : 'active'
}

/** Limits are equal whatever the order of their fields. */
export function sameLimits(a: Limits, b: Limits): boolean {
  return (
    a.requestsPerMinute === b.requestsPerMinute &&
    a.tokensPerMinute === b.tokensPerMinute &&
    a.maxConcurrency === b.maxConcurrency
  )
}
