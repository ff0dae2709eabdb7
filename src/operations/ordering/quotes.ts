import type { Configuration, Offer, QuoteView } from '#contract'
import { unknownTenant } from '#identity'
import type { Queryable } from '#platform/postgres'
import type { Actor, OrderingDeps } from './context.ts'
import { newId } from './ids.ts'
import { configurationIssues } from './model/sizing.ts'
import { priceOf } from './model/pricing.ts'
import type { Priced } from './model/pricing.ts'
import { firstTerm, isRenewable } from './model/term.ts'
import { invalidConfiguration, notForSale, quoteExpired, quoteUsed, tooManyQuotes, unknownQuote } from './problems.ts'
import { countOrders } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { pricedJson } from './store/priced.ts'
import { selectPromise } from './store/promises.ts'
import { countOpenQuotes, insertQuote, lockDesk, selectQuote } from './store/quotes.ts'
import type { Quote } from './store/quotes.ts'

/** How long a price holds. */
const QUOTE_LIFETIME_MS = 15 * 60_000
/** Prices that one tenant may hold open at a time: more than anybody compares, too few to fill a disk with. */
const MOST_OPEN_QUOTES = 100

/** What an order is for, checked: it may be sold to this tenant now. */
export interface Wanted {
  readonly tenant: string
  readonly offer: Offer
  readonly configuration: Configuration
  /** What it costs and brings if it is bought now. */
  readonly priced: Priced
  readonly quote: string | null
}

/** Throws `unknown_offer`, `unknown_tenant`, `not_for_sale`, `invalid_configuration`. */
export async function want(
  db: Queryable,
  { offerById, identity, clock }: OrderingDeps,
  { tenant, offer: id, configuration }: { tenant: string; offer: string; configuration: Configuration },
  actor: Actor,
): Promise<Wanted> {
  const { offer } = await offerById(db, id)
  // On the caller's connection: an order that waited for another one here could keep that one from ever ending.
  await checkBuyer(db, identity, { tenant, offer: id }, actor)
  const nowMs = clock.nowMs()
  const refuse = (reason: string) => notForSale({ offer: id, reason })
  if (offer.state !== 'launched') throw refuse(`is ${offer.state}`)
  if (offer.saleFrom !== null && nowMs < offer.saleFrom) throw refuse('is not for sale yet')
  if (offer.saleTo !== null && nowMs >= offer.saleTo) throw refuse('is not for sale any more')
  if (offer.tenants.length > 0 && !offer.tenants.includes(tenant)) throw refuse(`is not for ${tenant}`)
  if (offer.kind === 'package' && 'until' in offer.valid && offer.valid.until <= nowMs)
    throw refuse('would be over already')
  checkConfiguration(offer, configuration)
  return {
    tenant,
    offer,
    configuration,
    priced: priceOf(offer, configuration, firstTerm(offer, configuration, nowMs)),
    quote: null,
  }
}

/** Throws `unknown_tenant`, `not_for_sale`. */
async function checkBuyer(
  db: Queryable,
  identity: OrderingDeps['identity'],
  { tenant, offer }: { tenant: string; offer: string },
  actor: Actor,
): Promise<void> {
  const buyer = await identity.tenant(db, tenant)
  if (!buyer) throw unknownTenant({ tenant })
  if (buyer.status !== 'active' && !actor.isOperator)
    throw notForSale({ offer, reason: `is not sold to a tenant that is ${buyer.status}` })
}

export function checkConfiguration(offer: Offer, configuration: Configuration): void {
  const issues = configurationIssues(offer, configuration)
  if (configuration.autoRenew === true && !isRenewable(offer))
    issues.push({ path: 'autoRenew', message: 'this offer does not renew' })
  if (issues.length > 0) throw invalidConfiguration({ offer: offer.id, issues })
}

/** Throws `not_for_sale` where the tenant has had it as often as it may. Under the desk's lock it holds until the commit. */
export async function checkCount(db: Queryable, { tenant, offer }: Pick<Wanted, 'tenant' | 'offer'>): Promise<void> {
  if (offer.mostPerTenant === null) return
  if ((await countOrders(db, tenant, offer.id)) >= offer.mostPerTenant)
    throw notForSale({
      offer: offer.id,
      reason: `was ordered by ${tenant} as often as it may be (${offer.mostPerTenant})`,
    })
}

export async function makeQuote(
  deps: OrderingDeps,
  request: { tenant: string; offer: string; configuration: Configuration },
  actor: Actor,
): Promise<QuoteView> {
  const { database, clock } = deps
  return database.transaction(async (tx) => {
    await lockDesk(tx, request.tenant)
    const { tenant, offer, configuration, priced } = await want(tx, deps, request, actor)
    await checkCount(tx, { tenant, offer })
    const createdAtMs = clock.nowMs()
    if ((await countOpenQuotes(tx, tenant, createdAtMs)) >= MOST_OPEN_QUOTES)
      throw tooManyQuotes({ tenant, most: MOST_OPEN_QUOTES })
    const quote: Quote = {
      id: newId('quo', createdAtMs),
      tenant,
      offer: offer.id,
      configuration,
      priced,
      createdBy: actor.by,
      createdAtMs,
      expiresAtMs: createdAtMs + QUOTE_LIFETIME_MS,
    }
    await insertQuote(tx, quote)
    return quoteView(quote, null)
  })
}

/** With `tenant`, quotes of others do not exist. */
export async function quoteById({ database }: OrderingDeps, id: string, tenant?: string): Promise<QuoteView> {
  const found = await selectQuote(database, id)
  if (!found || (tenant !== undefined && found.quote.tenant !== tenant)) throw unknownQuote({ quote: id })
  return quoteView(found.quote, found.order)
}

/**
 * What a quote promised, from now on: its price as it was, and a term that begins now, which never ends sooner than the quoted one.
 * An offer that was retired meanwhile is still sold by it, but not to who was suspended. Throws `unknown_quote`, `quote_expired`,
 * `quote_used`, `not_for_sale`.
 */
export async function wantQuoted(
  db: Queryable,
  deps: OrderingDeps,
  { quote: id, tenant }: { readonly quote: string; readonly tenant: string },
  actor: Actor,
): Promise<Wanted> {
  const found = await selectQuote(db, id)
  if (!found || found.quote.tenant !== tenant) throw unknownQuote({ quote: id })
  const { quote, order } = found
  if (order !== null) throw quoteUsed({ quote: id, order })
  if (deps.clock.nowMs() >= quote.expiresAtMs) throw quoteExpired({ quote: id, expiredAtMs: quote.expiresAtMs })
  await checkBuyer(db, deps.identity, quote, actor)
  return { ...(await fromNow(db, deps, quote)), quote: id }
}

/** What was promised to who waited for an approval: its price is not made anew. Orders of before there were promises are priced now. */
export async function wantPromised(db: Queryable, deps: OrderingDeps, order: Order, actor: Actor): Promise<Wanted> {
  const priced = await selectPromise(db, order.id)
  if (!priced) return want(db, deps, order, actor)
  return { ...(await fromNow(db, deps, { ...order, priced })), quote: order.quote }
}

/** A price that holds, for a term that begins now. */
async function fromNow(
  db: Queryable,
  { offerById, clock }: OrderingDeps,
  { tenant, offer: id, configuration, priced }: Pick<Quote, 'tenant' | 'offer' | 'configuration' | 'priced'>,
): Promise<Omit<Wanted, 'quote'>> {
  const nowMs = clock.nowMs()
  const { offer } = await offerById(db, id)
  const term = firstTerm(offer, configuration, nowMs)
  if (term.toMs !== null && term.toMs <= nowMs) throw notForSale({ offer: id, reason: 'would be over already' })
  return { tenant, offer, configuration, priced: { ...priced, ...term } }
}

function quoteView(quote: Quote, order: string | null): QuoteView {
  const { id, tenant, offer, configuration, priced, createdAtMs, expiresAtMs } = quote
  return { id, tenant, offer, configuration, ...pricedJson(priced), createdAtMs, expiresAtMs, order }
}
