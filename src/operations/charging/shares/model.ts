/** Who may pay with whose wallet and tokens, and from when until when. */
export interface Share {
  readonly owner: string
  readonly member: string
  readonly sinceMs: number
  /** Null: until further notice. */
  readonly untilMs: number | null
}

/** A gateway that hears nothing of the control plane goes on with the shares it knows for as long as its slices last. */
const LATE_NEWS_MS = 600_000

/** Gateways are told a little before a share begins, and their clocks differ from ours. */
const EARLY_MS = 60_000

export function isSharedBy(
  shares: readonly Share[],
  { owner, member, atMs }: { owner: string; member: string; atMs: number },
): boolean {
  return shares.some(
    (share) =>
      share.owner === owner &&
      share.member === member &&
      share.sinceMs <= atMs + EARLY_MS &&
      (share.untilMs === null || atMs < share.untilMs + LATE_NEWS_MS),
  )
}
