import type { ArrearsState } from '#contract'

/** How long each state lasts before the next one, from when the debt fell due. */
export interface ArrearsPolicy {
  /** Told, nothing changes. */
  readonly graceMs: number
  /** From due to suspended: between the two the tenant uses only what is paid already. */
  readonly suspendAfterMs: number
}

const HOUR_MS = 3_600_000

/** An unpaid fee is noticed in hours (iFLYTEK gives two), an unpaid invoice in days. */
export const ARREARS_POLICIES: Readonly<Record<'invoice' | 'fee', ArrearsPolicy>> = {
  invoice: { graceMs: 7 * 24 * HOUR_MS, suspendAfterMs: 21 * 24 * HOUR_MS },
  fee: { graceMs: 2 * HOUR_MS, suspendAfterMs: 7 * 24 * HOUR_MS },
}

export interface Debt {
  readonly kind: 'invoice' | 'fee'
  readonly sinceMs: number
}

const SEVERITY = ['clear', 'grace', 'restricted', 'suspended'] as const satisfies readonly ArrearsState[]

/**
 * How a tenant stands, by what it owes and since when: the worst of its debts decides, and no debt is clear. A function of the
 * present alone, so it does not matter how often or how late it is asked.
 */
export function arrearsAt(debts: readonly Debt[], nowMs: number): ArrearsState {
  const states = debts.map(({ kind, sinceMs }) => {
    const { graceMs, suspendAfterMs } = ARREARS_POLICIES[kind]
    const ageMs = nowMs - sinceMs
    if (ageMs < graceMs) return 'grace'
    return ageMs < suspendAfterMs ? 'restricted' : 'suspended'
  })
  return SEVERITY.findLast((state) => states.some((each) => each === state)) ?? 'clear'
}

/** What the next states are on the way from one to another: nobody is suspended without having been restricted on the record. */
export function arrearsSteps(from: ArrearsState, to: ArrearsState): ArrearsState[] {
  const [start, end] = [SEVERITY.indexOf(from), SEVERITY.indexOf(to)]
  if (end <= start) return from === to ? [] : [to]
  return SEVERITY.slice(start + 1, end + 1)
}
