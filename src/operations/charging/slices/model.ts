export type GrantDecision =
  | { readonly outcome: 'granted'; readonly amountPico: bigint; readonly tight: boolean }
  | { readonly outcome: 'refused' }

/**
 * How much of a wallet one slice takes: what the gateway wants, but never more than half of what is available, so that other
 * gateways find something too. Near an empty wallet that half no longer covers one request; then the slice is exactly one
 * request's minimum and `tight`, to be given back as soon as that request ends.
 */
export function decideGrant({
  availablePico,
  minPico,
  wantPico,
}: {
  availablePico: bigint
  minPico: bigint
  wantPico: bigint
}): GrantDecision {
  if (availablePico < minPico) return { outcome: 'refused' }
  const half = availablePico / 2n
  if (half < minPico) return { outcome: 'granted', amountPico: minPico, tight: true }
  const wanted = wantPico > minPico ? wantPico : minPico
  return { outcome: 'granted', amountPico: wanted < half ? wanted : half, tight: false }
}

/** Readable and unique without randomness: a grant's number is used once. */
export function sliceId({ gateway, epoch, seq }: { gateway: string; epoch: number; seq: number }): string {
  return `slc_${gateway}_${epoch}_${seq}`
}
