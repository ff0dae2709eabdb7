export type GrantDecision =
  | { readonly outcome: 'granted'; readonly amount: bigint; readonly tight: boolean }
  | { readonly outcome: 'refused' }

/**
 * How much of a bucket one slice takes: what the gateway wants, but never more than half of what is available, so that other
 * gateways find something too. Near an empty bucket that half no longer covers one request; then the slice is exactly one
 * request's minimum and `tight`, to be given back as soon as that request ends.
 */
export function decideGrant({ available, min, want }: { available: bigint; min: bigint; want: bigint }): GrantDecision {
  if (available < min) return { outcome: 'refused' }
  const half = available / 2n
  if (half < min) return { outcome: 'granted', amount: min, tight: true }
  const wanted = want > min ? want : min
  return { outcome: 'granted', amount: wanted < half ? wanted : half, tight: false }
}

/** Readable and unique without randomness: a grant's number is used once. */
export function sliceId({ gateway, epoch, seq }: { gateway: string; epoch: number; seq: number }): string {
  return `slc_${gateway}_${epoch}_${seq}`
}
