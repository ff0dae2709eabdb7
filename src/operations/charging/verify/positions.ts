import type { Queryable } from '#platform/postgres'
import { ownerOfTokens } from '../bucket/model.ts'
import { recognisedAt } from '../lots/model.ts'
import type { Lot } from '../lots/model.ts'
import { lotsById } from '../lots/store.ts'
import type { TokenBurn } from '../model.ts'

/** What each lot of tokens had left after the postings so far, followed along the chain from the first posting on. */
export type Positions = Map<string, { readonly lot: Lot; remaining: bigint }>

/** Follows one change of what is left, and says what of the lot's deferred revenue it moved. */
export function follow(
  positions: Positions,
  change: { readonly lot: string; readonly amount: bigint },
): TokenBurn | undefined {
  const position = positions.get(change.lot)
  const owner = position && ownerOfTokens(position.lot.bucket)
  if (!owner) return undefined
  const before = recognisedAt(position.lot, position.remaining)
  position.remaining -= change.amount
  return {
    ...owner,
    units: change.amount,
    revenuePico: recognisedAt(position.lot, position.remaining) - before,
  }
}

/** Lots that are met for the first time stand where they were granted. */
export async function meet(db: Queryable, positions: Positions, ids: readonly string[]): Promise<void> {
  const fresh = [...new Set(ids)].filter((id) => !positions.has(id))
  for (const lot of await lotsById(db, fresh)) positions.set(lot.id, { lot, remaining: lot.granted })
}
