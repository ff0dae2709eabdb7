import type { FactoryOffer, OfferView } from '#contract'
import { Problem } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import type { Note, SayAt } from '../changes.ts'
import { bumpRevision, lockRevision, selectServices } from '../store.ts'
import { selectTables } from '../tables/store.ts'
import { planOffer } from './plan.ts'
import { offerRefused, unknownOffer, unknownParts } from './problems.ts'
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
  /** Declares one. Throws `offer_refused` where it would change what was launched, and `unknown_parts`. */
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
        const missing = await missingParts(tx, offer)
        if (missing.length > 0) throw unknownParts({ missing })
        const done = await putOffer(tx, offer, clock.nowMs())
        if (done.action !== 'unchanged') await bumpRevision(tx)
        return done
      }),
  }
}

/** What an offer names and the catalogue has not. */
async function missingParts(tx: Transaction, offer: FactoryOffer): Promise<string[]> {
  const services = new Set((await selectServices(tx)).map(({ id }) => id))
  const tables = new Set((await selectTables(tx)).map(({ id }) => id))
  return [
    ...('services' in offer ? offer.services : []).filter((id) => !services.has(id)).map((id) => `service ${id}`),
    ...tablesNamed(offer)
      .filter((id) => !tables.has(id))
      .map((id) => `conversion table ${id}`),
  ]
}

function tablesNamed(offer: FactoryOffer): readonly string[] {
  if (offer.kind === 'plan') return offer.grants.map(({ table }) => table)
  return offer.kind === 'package' && offer.table !== 'CNY' ? [offer.table] : []
}

/** Declares one in a caller's transaction, which holds the catalogue's lock. Throws `offer_refused`. */
async function putOffer(tx: Transaction, declared: FactoryOffer, nowMs: number): Promise<PutOffer> {
  const [existing] = await selectOffers(tx, declared.id)
  const plan = planOffer(existing, declared, nowMs)
  if (plan.action === 'refused') throw offerRefused({ offer: declared.id, field: plan.field, reason: plan.reason })
  if (plan.action !== 'unchanged') await upsertOffer(tx, plan.view)
  return plan
}

/** The offers of a file. What is refused is the file's mistake, told with its place. */
export async function putOffers(
  tx: Transaction,
  declared: readonly FactoryOffer[],
  nowMs: number,
  note: Note,
  say: SayAt,
): Promise<void> {
  for (const [index, offer] of declared.entries()) {
    try {
      note('offer', offer.id, (await putOffer(tx, offer, nowMs)).action)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { field } = error.params
      say(['offers', index, ...(typeof field === 'string' ? [field] : [])], error.message)
    }
  }
}
