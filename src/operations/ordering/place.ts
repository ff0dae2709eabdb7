import type { OrderView } from '#contract'
import { sha256 } from '#platform/crypto'
import type { Transaction } from '#platform/postgres'
import { failureOf } from './context.ts'
import type { Actor, OrderingDeps } from './context.ts'
import { newId } from './ids.ts'
import type { Priced } from './model/pricing.ts'
import { orderKeyReused } from './problems.ts'
import { insertOrder, selectOrderByKey } from './store/orders.ts'
import type { Order } from './store/orders.ts'
import { insertPromise } from './store/promises.ts'
import { lockDesk } from './store/quotes.ts'
import { insertTransition } from './store/transitions.ts'
import type { Because } from './store/transitions.ts'
import { moveOrder } from './transitions.ts'
import { orderById } from './views.ts'

/** An order as it is asked for, before it has an id. */
export interface Intent {
  readonly tenant: string
  readonly idempotencyKey: string
  /** Everything that was asked, so that the same key with another request is noticed. */
  readonly asked: unknown
  readonly actor: Actor
}

/** What turns out to be ordered once it was checked. */
export interface Plan {
  readonly action: OrderView['action']
  readonly cause: OrderView['cause']
  readonly offer: string
  readonly configuration: Order['configuration']
  readonly quote: string | null
  readonly subscription: string | null
  readonly reason: string
  /** `now`: it is carried out at once; the others say what the order waits for. */
  readonly when: 'now' | 'approval' | 'end of term'
  /** What is promised to who waits for an approval. */
  readonly priced?: Priced
  /** Moves money and means, from `inProgress` to an end. What it throws as a Problem makes the order fail. */
  readonly act: (tx: Transaction, order: Order) => Promise<Order>
}

/** Looks at what is asked, and may refuse it. */
type Check = (tx: Transaction) => Promise<Plan>

/** `place`, or `rehearse`. */
export type CarryOut<Result> = (deps: OrderingDeps, intent: Intent, check: Check) => Promise<Result>

/**
 * Places an order once per idempotency key. `check` may refuse the request, and then there is no order. What `act` cannot do makes a
 * failed order, and nothing else of it stays: the first transaction is rolled back as a whole, and a second one records the failure.
 */
export async function place(deps: OrderingDeps, intent: Intent, check: Check): Promise<Order> {
  const attempt = (failure: Order['failure']) =>
    deps.database.transaction((tx) => placeIn(tx, deps, { intent, check, failure }))
  try {
    return await attempt(null)
  } catch (error) {
    if (!(error instanceof ActFailed)) throw error
    const failure = failureOf(error.cause)
    if (!failure) throw error.cause
    return attempt(failure)
  }
}

/** Does all of it and takes it back: the order as it would be, to the last pico. Throws what carrying it out would throw. */
export async function rehearse(deps: OrderingDeps, intent: Intent, check: Check): Promise<OrderView> {
  try {
    return await deps.database.transaction(async (tx): Promise<OrderView> => {
      const { id } = await placeIn(tx, deps, { intent, check, failure: null })
      throw new Rehearsed(await orderById(tx, id))
    })
  } catch (error) {
    if (error instanceof Rehearsed) return error.order
    throw error instanceof ActFailed ? error.cause : error
  }
}

async function placeIn(
  tx: Transaction,
  { clock }: Pick<OrderingDeps, 'clock'>,
  { intent, check, failure }: { intent: Intent; check: Check; failure: Order['failure'] },
): Promise<Order> {
  const contentHash = sha256(JSON.stringify(intent.asked))
  await lockDesk(tx, intent.tenant)
  const before = await selectOrderByKey(tx, intent.tenant, intent.idempotencyKey)
  if (before && before.contentHash !== contentHash) throw orderKeyReused({ idempotencyKey: intent.idempotencyKey })
  if (before) return before
  const plan = await check(tx)
  const nowMs = clock.nowMs()
  const because: Because = { atMs: nowMs, by: intent.actor.by, reason: plan.reason }
  const order = await acknowledge(tx, intent, plan, contentHash, because)
  if (plan.when === 'approval') {
    if (plan.priced) await insertPromise(tx, order.id, plan.priced)
    return order
  }
  if (plan.when === 'end of term')
    return moveOrder(tx, order, 'pending', { ...because, reason: 'begins with the next term' })
  const begun = await moveOrder(tx, order, 'inProgress', because)
  if (failure) return moveOrder(tx, begun, 'failed', { ...because, reason: failure.detail }, { failure })
  try {
    return await plan.act(tx, begun)
  } catch (error) {
    throw new ActFailed(error)
  }
}

/** Carries the order out of a transaction that must not stay. */
class Rehearsed extends Error {
  override readonly name = 'Rehearsed'
  readonly order: OrderView
  constructor(order: OrderView) {
    super('an order was rehearsed')
    this.order = order
  }
}

/** Tells what went wrong while an order was carried out from what was wrong with asking for it. */
export class ActFailed extends Error {
  override readonly name = 'ActFailed'
  constructor(cause: unknown) {
    super('an order could not be carried out', { cause })
  }
}

async function acknowledge(
  tx: Transaction,
  { tenant, idempotencyKey }: Intent,
  { action, cause, offer, configuration, quote, subscription }: Plan,
  contentHash: string,
  because: Because,
): Promise<Order> {
  const order: Order = {
    id: newId('ord', because.atMs),
    tenant,
    idempotencyKey,
    contentHash,
    action,
    cause,
    offer,
    configuration,
    quote,
    subscription,
    state: 'acknowledged',
    grossPico: 0n,
    netPico: 0n,
    refundPico: 0n,
    failure: null,
    createdAtMs: because.atMs,
    endedAtMs: null,
  }
  // Under the desk's lock nobody else can have taken the key since it was looked up.
  await insertOrder(tx, order)
  await insertTransition(tx, 'order', order.id, { ...because, from: null, to: order.state })
  return order
}
