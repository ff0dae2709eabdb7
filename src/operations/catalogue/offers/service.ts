import type { FactoryOffer, OfferView } from '#contract'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { bumpRevision, lockRevision, selectServices } from '../store.ts'
import { planOffer } from './plan.ts'
import { offerRefused, unknownOffer, unknownServices } from './problems.ts'
import { selectOffers, upsertOffer } from './store.ts'

interface PutOffer {
  readonly action: 'created' | 'updated' | 'unchanged'
  readonly view: OfferView
}

export interface Offers {
  /** With `tenant`: what is or was for sale to this tenant. */
  list(tenant?: string): Promise<readonly OfferView[]>
  /** Throws `unknown_offer`. */
  byId(db: Queryable, id: string): Promise<OfferView>
  /** Declares one. Throws `offer_refused` where it would change what was launched, and `unknown_services`. */
  put(offer: FactoryOffer): Promise<PutOffer>
}

export function createOffers({ database, clock }: { readonly database: Database; readonly clock: Clock }): Offers {
  return {
    async list(tenant) {
      const all = await selectOffers(database, null)
      return tenant === undefined
        ? all
        : all.filter(
            ({ state, offer }) => state !== 'draft' && (offer.tenants.length === 0 || offer.tenants.includes(tenant)),
          )
    },
    async byId(db, id) {
      const [view] = await selectOffers(db, id)
      if (!view) throw unknownOffer({ offer: id })
      return view
    },
    put: (offer) =>
      database.transaction(async (tx) => {
        await lockRevision(tx)
        const known = new Set((await selectServices(tx)).map(({ id }) => id))
        const unknown = 'services' in offer ? offer.services.filter((service) => !known.has(service)) : []
        if (unknown.length > 0) throw unknownServices({ services: unknown })
        return putOffer(tx, offer, clock.nowMs())
      }),
  }
}

/** In a caller's transaction, which holds the catalogue's lock. Throws `offer_refused` where it would change what was launched. */
export async function putOffer(tx: Transaction, declared: FactoryOffer, nowMs: number): Promise<PutOffer> {
  const [existing] = await selectOffers(tx, declared.id)
  const plan = planOffer(existing, declared, nowMs)
  if (plan.action === 'refused') throw offerRefused({ offer: declared.id, field: plan.field, reason: plan.reason })
  if (plan.action !== 'unchanged') {
    await upsertOffer(tx, plan.view)
    // Gateways hear of the conversion tables that come with an offer.
    await bumpRevision(tx)
  }
  return plan
}
