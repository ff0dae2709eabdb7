import type { Transaction } from '#platform/postgres'
import { invalidShare } from '../problems.ts'
import { endShares, insertShare } from './store.ts'

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
