import type { Queryable, Transaction } from '#platform/postgres'
import { invalidShare } from '../problems.ts'
import { endShares, insertShare, sharesOf } from './store.ts'

/** From then on the member may pay with the owner's wallet and tokens. Repeating it changes nothing. Throws `invalid_share`. */
export async function putShare(
  tx: Transaction,
  { owner, member, fromMs }: { owner: string; member: string; fromMs: number },
): Promise<void> {
  if (owner === member) throw invalidShare({ owner, member })
  await insertShare(tx, { owner, member, fromMs })
}

/** Ends it for requests that are accepted from then on. Repeating it changes nothing. */
export async function endShare(
  tx: Transaction,
  { owner, member, atMs }: { owner: string; member: string; atMs: number },
): Promise<void> {
  await endShares(tx, { owner, member, atMs })
}

/** Without the patience that `isSharedBy` has with gateways. */
export async function isSharedNow(
  db: Queryable,
  { owner, member, atMs }: { owner: string; member: string; atMs: number },
): Promise<boolean> {
  return (await sharesOf(db, [member])).some(
    (share) => share.owner === owner && share.sinceMs <= atMs && (share.untilMs === null || atMs < share.untilMs),
  )
}
