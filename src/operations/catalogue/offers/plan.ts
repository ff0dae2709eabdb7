import { isDeepStrictEqual } from 'node:util'
import type { FactoryOffer, Offer, OfferView } from '#contract'

type OfferState = OfferView['state']

/** What may become of an offer: it is written, then sold, then no longer sold. */
const EDGES: Readonly<Record<OfferState, readonly OfferState[]>> = {
  draft: ['launched', 'retired'],
  launched: ['retired'],
  retired: [],
}

export type OfferPlan =
  | { readonly action: 'created' | 'updated' | 'unchanged'; readonly view: OfferView }
  | { readonly action: 'refused'; readonly field: string; readonly reason: string }

/** What declaring an offer does to the one that there is. Only a draft changes; the rest of its life is its state alone. */
export function planOffer(existing: OfferView | undefined, declared: FactoryOffer, nowMs: number): OfferPlan {
  const offer: Offer = declared
  const { id, kind, name = id, state } = offer
  if (!existing) {
    const launchedAtMs = state === 'draft' ? null : nowMs
    const retiredAtMs = state === 'retired' ? nowMs : null
    return { action: 'created', view: { id, kind, name, state, createdAtMs: nowMs, launchedAtMs, retiredAtMs, offer } }
  }
  if (state !== existing.state && !EDGES[existing.state].includes(state))
    return { action: 'refused', field: 'state', reason: `it is ${existing.state} and cannot be ${state} again` }
  const isSame = isDeepStrictEqual({ ...existing.offer, state }, offer)
  if (!isSame && existing.launchedAtMs !== null)
    return {
      action: 'refused',
      field: changedField(existing.offer, offer),
      reason: `the offer ${id} was launched, and what it says never changes: declare another one with its own id, and retire this one`,
    }
  if (isSame && state === existing.state) return { action: 'unchanged', view: existing }
  const launchedAtMs = existing.launchedAtMs ?? (state === 'launched' ? nowMs : null)
  const retiredAtMs = state === 'retired' ? nowMs : null
  return { action: 'updated', view: { ...existing, kind, name, state, launchedAtMs, retiredAtMs, offer } }
}

function changedField(before: Offer, after: Offer): string {
  const fields = (offer: Offer) => new Map<string, unknown>(Object.entries(offer))
  const [old, fresh] = [fields(before), fields(after)]
  return (
    [...fresh.keys(), ...old.keys()].find(
      (name) => name !== 'state' && !isDeepStrictEqual(old.get(name), fresh.get(name)),
    ) ?? 'id'
  )
}
